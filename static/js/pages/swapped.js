/** Calls `enhance` now, and again whenever htmx has put new elements into the page. */
export function onContent(enhance) {
  enhance();
  document.addEventListener("htmx:after:swap", enhance);
}

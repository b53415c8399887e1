// "/" goes to the filter box of the page, or to the search of the top bar where there is none.
export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const box = document.getElementById("filter") ?? document.querySelector(".name-filter input, .search input");
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.select();
  });
}

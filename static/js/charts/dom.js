// Building elements without markup in strings: text is only ever text.

/** An element with properties, `data` and `aria` attributes, and children (elements or texts; null is left out). */
export function element(tag, properties = {}, ...children) {
  const { data = {}, aria = {}, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  Object.assign(made.dataset, data);
  for (const [name, value] of Object.entries(aria)) made.setAttribute(`aria-${name}`, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

export function button(label, onclick, properties = {}) {
  const made = element("button", { type: "button", className: "chart-button", ...properties }, label);
  made.addEventListener("click", onclick);
  return made;
}

/** A labelled select. `groups` are [heading, [[value, text], …]] pairs; a group with no heading stands as it is. */
export function select(label, groups, value, onchange) {
  const list = element("select", {});
  for (const [heading, options] of groups) {
    const made = options.map(([key, text]) => element("option", { value: key }, text));
    if (heading && made.length) list.append(element("optgroup", { label: heading }, ...made));
    else list.append(...made);
  }
  list.value = value;
  list.setAttribute("aria-label", label);
  list.addEventListener("change", () => onchange(list.value));
  return element("label", { className: "chart-field" }, element("span", {}, label), list);
}

/** The address the server is mounted at, without a slash at its end: set by the page on its root element. */
export function root() {
  return document.documentElement.dataset.root ?? "";
}

/**
 * Hides what the server put into a figure for readers without JavaScript, its caption excepted, and returns the
 * body that the chart fills.
 */
export function takeOver(figure, title) {
  const fallback = [...figure.children].filter((child) => child.tagName !== "FIGCAPTION");
  for (const child of fallback) child.hidden = true;
  for (const node of [...figure.childNodes]) if (node.nodeType === Node.TEXT_NODE) node.remove();
  if (!figure.querySelector(":scope > figcaption")) {
    figure.prepend(element("figcaption", {}, title));
  }
  const body = element("div", { className: "chart-body" });
  figure.append(body);
  return body;
}

/** Shows the fallback again beside a message, when a chart cannot be drawn. */
export function giveBack(figure) {
  for (const child of figure.children) if (!child.classList.contains("chart-body")) child.hidden = false;
}

/** Saves a blob as a file. */
export function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function fileName(text, extension) {
  return `${text.replace(/[^\p{L}\p{N}\-_.@ ]/gu, "_").slice(0, 100)}.${extension}`;
}

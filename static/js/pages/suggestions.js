// Names to choose from while a filter is typed. The server writes them as the filter language wants them.
import { onContent } from "./swapped.js";

const SHOWN_MAX = 9;
const WORD = /[^\s'"`()<>=!~,;]+$/;
const BEFORE_NAME = /(?:^|\(|\b(?:and|or|not))\s*$/i;
const AGGREGATE = /\b(?:last|min|max|count|argmin|argmax)\($/i;

/** The word before `caret` that may become a name, or null where a value or an operator belongs. */
export function wordAt(text, caret) {
  const before = text.slice(0, caret);
  const word = WORD.exec(before)?.[0] ?? "";
  const lead = before.slice(0, before.length - word.length);
  return word && BEFORE_NAME.test(lead) ? { word, start: lead.length, metric: AGGREGATE.test(lead) } : null;
}

/** The names that match, those that begin with the word first. */
export function matching(names, { word, metric }) {
  const wanted = word.toLowerCase();
  const rank = ({ text }) => {
    const place = text.toLowerCase().indexOf(wanted);
    return place < 0 ? 2 : Math.min(place, 1);
  };
  return names
    .filter((name) => (!metric || name.kind === "metric") && rank(name) < 2 && name.text !== word)
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, SHOWN_MAX);
}

class Suggestions {
  constructor(input) {
    this.input = input;
    this.names = null;
    this.active = -1;
    this.list = document.createElement("ul");
    Object.assign(this.list, { className: "suggestions", id: "filter-names", hidden: true });
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Names");
    input.after(this.list);
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this.list.id,
    }))
      input.setAttribute(name, value);
    input.addEventListener("focus", () => this.load());
    input.addEventListener("input", () => this.update());
    input.addEventListener("blur", () => this.close());
    input.addEventListener("keydown", (event) => this.key(event));
    // A press would take the focus from the box before the click arrives.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const index = [...this.list.children].indexOf(event.target.closest("li"));
      if (index >= 0) this.accept(index);
    });
  }

  async load() {
    if (this.names) return;
    this.names = [];
    const answer = await fetch(this.input.dataset.names).catch(() => null);
    this.names = answer?.ok ? await answer.json() : null;
    if (document.activeElement === this.input) this.update();
  }

  update() {
    this.place = wordAt(this.input.value, this.input.selectionStart);
    this.found = this.place && this.names ? matching(this.names, this.place) : [];
    this.active = -1;
    this.list.replaceChildren(...this.found.map(option));
    this.list.hidden = this.found.length === 0;
    this.mark();
  }

  close() {
    this.list.hidden = true;
    this.active = -1;
    this.mark();
  }

  mark() {
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    [...this.list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === this.active)));
    const item = this.list.children[this.active];
    if (item) this.input.setAttribute("aria-activedescendant", item.id);
    else this.input.removeAttribute("aria-activedescendant");
    item?.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    if (this.list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.active = (this.active + step + this.found.length + (this.active < 0 && step < 0 ? 1 : 0)) % this.found.length;
      this.mark();
    } else if (event.key === "Escape") {
      this.close();
    } else if ((event.key === "Enter" || event.key === "Tab") && this.active >= 0) {
      this.accept(this.active);
    } else {
      return;
    }
    event.preventDefault();
  }

  accept(index) {
    const { start, word } = this.place;
    const text = `${this.found[index].text} `;
    this.input.setRangeText(text, start, start + word.length, "end");
    this.close();
  }
}

function option({ text, kind }, index) {
  const item = document.createElement("li");
  item.id = `filter-name-${index}`;
  item.setAttribute("role", "option");
  const name = document.createElement("bdi");
  name.textContent = text;
  const noun = document.createElement("span");
  noun.textContent = kind;
  item.append(name, noun);
  return item;
}

export function startSuggestions() {
  onContent(() => {
    const input = document.querySelector("#filter[data-names]");
    if (input && input.getAttribute("role") !== "combobox") new Suggestions(input);
  });
}

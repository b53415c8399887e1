// The table beside a chart of several runs: their values at the cross-hair, largest first; without one, their last.
import { element } from "./dom.js";
import { number, place } from "./format.js";
import { PALETTE_SIZE } from "./palette.js";
import { nearest } from "./series.js";

/** Descending; NaN and missing values stand last. */
function byValue(a, b) {
  if (Number.isNaN(a.value) || Number.isNaN(b.value)) return Number.isNaN(a.value) - Number.isNaN(b.value);
  return b.value - a.value;
}

/** Leaves the page alone where nothing changes: a pointer moves often, and there may be many rows. */
function write(cell, text) {
  if (cell.textContent !== text) cell.textContent = text;
}

export class Legend {
  #rows = new Map();
  #order = "";

  /** `on` holds `highlight(run or null)` and `link(run)`, the address of a run's page. */
  constructor(host, metric, on) {
    this.body = element("tbody");
    const [run, value, at] = ["Run", "Last", "At"].map((text) => element("th", { scope: "col" }, text));
    value.className = "chart-number";
    at.className = "chart-number";
    this.heading = value;
    const head = element("thead", {}, element("tr", {}, run, value, at));
    this.table = element("table", { className: "chart-legend" }, head, this.body);
    this.scroller = element("div", { className: "chart-legend-scroll", tabIndex: 0, role: "region" }, this.table);
    this.scroller.setAttribute("aria-label", `Values of ${metric} at the cross-hair`);
    this.on = on;
    host.append(this.scroller);
  }

  /** Sets the runs; `series` have `run`, `name` and `colorIndex`. */
  setRuns(series) {
    this.#order = "";
    this.#rows = new Map(series.map((one) => [one.run, this.#row(one)]));
    this.body.replaceChildren(...[...this.#rows.values()].map((row) => row.line));
  }

  #row({ run, name, colorIndex }) {
    const value = element("td", { className: "chart-number" });
    const at = element("td", { className: "chart-number chart-faint" });
    const label = element("bdi", {}, name || run);
    const chip = element("span", { className: "run-chip", data: { color: colorIndex % PALETTE_SIZE } });
    const link = element("a", { href: this.on.link(run), title: name || run }, label);
    const line = element("tr", {}, element("td", {}, chip, link), value, at);
    line.addEventListener("pointerenter", () => this.on.highlight(run));
    line.addEventListener("pointerleave", () => this.on.highlight(null));
    return { line, value, at };
  }

  /** Shows the values nearest to x, or the last ones when x is null. */
  show(series, x, axis) {
    this.heading.textContent = x === null ? "Last" : "Value";
    const found = series.map((one) => {
      const index = x === null ? one.x.length - 1 : nearest(one, x);
      return { run: one.run, value: index < 0 ? NaN : one.y[index], x: index < 0 ? null : one.x[index] };
    });
    found.sort(byValue);
    for (const { run, value, x: at } of found) {
      const row = this.#rows.get(run);
      write(row.value, at === null ? "none" : number(value));
      write(row.at, at === null ? "" : place(at, axis));
      row.value.title = at === null ? "" : String(value);
    }
    this.#arrange(found.map(({ run }) => run));
  }

  /** Marks the run under the pointer, or none. */
  mark(run) {
    for (const [other, { line }] of this.#rows) line.classList.toggle("chart-near", other === run);
  }

  #arrange(runs) {
    const order = runs.join();
    if (order === this.#order) return;
    this.#order = order;
    this.body.append(...runs.map((run) => this.#rows.get(run).line));
  }
}

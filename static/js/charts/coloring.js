// How the compared runs are coloured: each its own colour, or by the value of a column on a sequential ramp.
import { columnGroups } from "./columns.js";
import { element, select } from "./dom.js";
import { number } from "./format.js";
import { rampColor, runColor } from "./palette.js";
import { recall, remember } from "./state.js";

const MANY_RUNS = 20; // beyond this, colours of their own repeat

export class Coloring {
  /** `field` is where the choice stands in the address; `onchange` draws again. */
  constructor({ runs, columns }, field, onchange) {
    this.runs = runs;
    this.columns = columns.filter((one) => one.scale.kind === "number");
    const byValue = this.columns.find((one) => one.kind === "metrics" && one.varies);
    const wanted = recall(field) ?? (runs.length > MANY_RUNS && byValue ? byValue.id : "run");
    this.#choose(wanted);
    const groups = [["", [["run", "Run"]]], ...columnGroups(this.columns)];
    this.control = select("Colour", groups, this.column?.id ?? "run", (id) => {
      remember(field, id);
      this.#choose(id);
      onchange();
    });
    this.bar = element("span", { className: "chart-ramp-bar" });
    this.low = element("span");
    this.high = element("span");
    this.key = element("span", { className: "chart-ramp" }, this.low, this.bar, this.high);
  }

  #choose(id) {
    this.column = this.columns.find((one) => one.id === id) ?? null;
  }

  /** The colour of the run at `index`, or null when it has no value to be coloured by. */
  color(colors, index) {
    if (!this.column) return runColor(colors, this.runs[index].color);
    const place = this.column.place(index);
    return place === null ? null : rampColor(colors, place);
  }

  /** The runs with their colours, for the key of a picture; none while a ramp colours them. */
  named(colors) {
    return this.column ? [] : this.runs.map((run) => ({ ...run, color: runColor(colors, run.color) }));
  }

  /** Shows what the ramp means. */
  showKey(colors) {
    this.key.hidden = !this.column || this.column.scale.low === null;
    if (this.key.hidden) return;
    this.low.textContent = number(this.column.scale.low);
    this.high.textContent = number(this.column.scale.high);
    const stops = [0, 0.25, 0.5, 0.75, 1].map((share) => rampColor(colors, share));
    this.bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  }
}

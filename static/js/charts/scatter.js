// A scatter plot of the compared runs: any param or metric against any other.
import { fitText, Surface } from "./canvas.js";
import { Coloring } from "./coloring.js";
import { columnGroups, columnsOf } from "./columns.js";
import { element, root, select, takeOver } from "./dom.js";
import { count, plural } from "./format.js";
import { downloads } from "./export.js";
import { colorsFor } from "./palette.js";
import { recall, remember } from "./state.js";
import { Tooltip } from "./tooltip.js";

const HEIGHT_PX = 320;
const EDGE = { top: 14, right: 18, bottom: 44, left: 64 };
const INSET_PX = 10; // keeps dots off the frame
const NEAR_PX = 14;

/** The first columns to show: a numeric param that differs against a metric. */
function firstColumns(columns) {
  const varied = columns.filter((one) => one.varies);
  const y = varied.find((one) => one.kind === "metrics") ?? columns[columns.length - 1];
  const rest = varied.filter((one) => one !== y);
  const x = rest.find((one) => one.scale.kind === "number") ?? rest[0] ?? columns[0];
  return { x, y };
}

export class ScatterChart {
  #hover = -1;

  constructor(figure) {
    this.figure = figure;
    this.data = columnsOf(figure.dataset.source);
    const body = takeOver(figure, "Scatter plot");
    if (!this.data.columns.length) {
      body.append("These runs have neither params nor metrics.");
      figure.dataset.state = "empty";
      return;
    }
    const first = firstColumns(this.data.columns);
    this.x = this.#find(recall("scatter-x")) ?? first.x;
    this.y = this.#find(recall("scatter-y")) ?? first.y;
    this.#build(body);
    this.resizer = new ResizeObserver(() => this.render());
    this.resizer.observe(this.stage);
  }

  #find(id) {
    return this.data.columns.find((one) => one.id === id);
  }

  #build(body) {
    this.coloring = new Coloring(this.data, "scatter-color", () => this.render());
    this.dots = new Surface("chart-canvas");
    this.top = new Surface("chart-canvas chart-canvas-top");
    this.stage = element("div", { className: "chart-stage", role: "img" }, this.dots.canvas, this.top.canvas);
    this.stage.addEventListener("pointermove", (event) => this.#show(this.#nearest(event)));
    this.stage.addEventListener("pointerleave", () => this.#show(-1));
    this.stage.addEventListener("click", (event) => this.#open(this.#nearest(event)));
    this.note = element("span", { className: "chart-count", role: "status" });
    const axes = ["x", "y"].map((side) => this.#select(side));
    const tools = element("div", { className: "chart-tools" }, ...axes, this.coloring.control, this.coloring.key, downloads(() => this.#picture()));
    body.append(tools, this.stage, element("div", { className: "chart-notes" }, this.note));
    this.tooltip = new Tooltip(this.stage);
  }

  #select(side) {
    return select(side.toUpperCase(), columnGroups(this.data.columns), this[side].id, (id) => {
      this[side] = this.#find(id);
      remember(`scatter-${side}`, id);
      this.render();
    });
  }

  #picture() {
    const { colors } = this;
    const title = `${this.y.name} against ${this.x.name}`;
    const size = { width: this.dots.width, height: HEIGHT_PX };
    const note = this.note.textContent;
    const draw = (context) => this.#drawInto(context);
    return { title, note, series: this.coloring.named(colors), colors, ...size, draw };
  }

  destroy() {
    this.resizer?.disconnect();
  }

  render() {
    const width = this.stage?.clientWidth;
    if (!width) return;
    this.colors = colorsFor(this.figure);
    for (const surface of [this.dots, this.top]) surface.size(width, HEIGHT_PX);
    this.box = { left: EDGE.left, top: EDGE.top, right: width - EDGE.right, bottom: HEIGHT_PX - EDGE.bottom };
    this.places = this.data.runs.map((_, run) => this.#place(run));
    this.#drawInto(this.dots.context);
    this.coloring.showKey(this.colors);
    this.#publish();
  }

  #drawInto(context) {
    this.#drawFrame(context);
    this.#drawDots(context);
  }

  #toX(place) {
    return this.box.left + INSET_PX + place * (this.box.right - this.box.left - 2 * INSET_PX);
  }

  #toY(place) {
    return this.box.bottom - INSET_PX - place * (this.box.bottom - this.box.top - 2 * INSET_PX);
  }

  /** Where a run stands, or null when one of its values has no place. */
  #place(run) {
    const [x, y] = [this.x.place(run), this.y.place(run)];
    return x === null || y === null ? null : [this.#toX(x), this.#toY(y)];
  }

  #drawFrame(context) {
    const { left, right, top, bottom } = this.box;
    context.font = `12px ${this.colors.font}`;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const [place, text] of this.y.scale.ticks(6)) {
      this.#rule(context, left, this.#toY(place), right - left, 1);
      context.fillText(fitText(context, text, EDGE.left - 12), left - 8, this.#toY(place));
    }
    context.textAlign = "center";
    const room = Math.max(1, Math.floor((right - left) / (this.x.scale.kind === "number" ? 62 : 92)));
    for (const [place, text] of this.x.scale.ticks(Math.min(8, room))) {
      this.#rule(context, this.#toX(place), top, 1, bottom - top);
      context.fillText(fitText(context, text, 86), this.#toX(place), bottom + 12);
    }
    context.fillStyle = this.colors.text;
    const suffix = this.x.scale.log ? " (log)" : "";
    context.fillText(fitText(context, `${this.x.name}${suffix}`, right - left), (left + right) / 2, bottom + 32);
  }

  #rule(context, x, y, width, height) {
    context.fillStyle = this.colors.line;
    context.fillRect(x, y, width, height);
    context.fillStyle = this.colors.muted;
  }

  #drawDots(context) {
    const radius = this.data.runs.length > 400 ? 3 : 5;
    context.globalAlpha = this.data.runs.length > 400 ? 0.7 : 0.9;
    this.places.forEach((place, run) => {
      if (!place) return;
      context.beginPath();
      context.arc(place[0], place[1], radius, 0, 2 * Math.PI);
      context.fillStyle = this.coloring.color(this.colors, run) ?? this.colors.muted;
      context.fill();
      context.lineWidth = 1;
      context.strokeStyle = this.colors.bg;
      context.stroke();
    });
    context.globalAlpha = 1;
  }

  #publish() {
    const total = this.places.length;
    const drawn = this.places.filter(Boolean).length;
    const missing = total - drawn;
    const left = missing ? `, ${count(missing)} without a finite value here` : "";
    this.note.textContent = `${count(drawn)} of ${plural(total, "run")}${left}`;
    this.stage.setAttribute("aria-label", `${this.y.name} against ${this.x.name}: ${this.note.textContent}`);
    Object.assign(this.figure.dataset, { state: "ready", drawn, total, x: this.x.id, y: this.y.id });
  }

  #nearest(event) {
    if (!this.places) return -1;
    const box = this.stage.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best = -1;
    let distance = NEAR_PX;
    this.places.forEach((place, run) => {
      const away = place ? Math.hypot(place[0] - x, place[1] - y) : Infinity;
      if (away < distance) [best, distance] = [run, away];
    });
    return best;
  }

  #show(run) {
    if (run === this.#hover) return;
    this.#hover = run;
    this.top.clear();
    this.stage.classList.toggle("chart-pointing", run >= 0);
    if (run < 0) return this.tooltip.hide();
    const [x, y] = this.places[run];
    const context = this.top.context;
    context.beginPath();
    context.arc(x, y, 8, 0, 2 * Math.PI);
    context.lineWidth = 2;
    context.strokeStyle = this.colors.text;
    context.stroke();
    const { name, id } = this.data.runs[run];
    const shown = [...new Set([this.x, this.y, this.coloring.column])].filter(Boolean);
    return this.tooltip.show(name || id, shown.map((one) => [one.name, one.shown[run]]), x, y);
  }

  #open(run) {
    if (run >= 0) location.assign(`${root()}/runs/${encodeURIComponent(this.data.runs[run].id)}`);
  }
}

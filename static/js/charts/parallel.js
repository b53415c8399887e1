// Parallel coordinates: an axis for each param that differs and each metric, a line for each run.
import { Surface } from "./canvas.js";
import { Coloring } from "./coloring.js";
import { columnsOf } from "./columns.js";
import { button, element, takeOver } from "./dom.js";
import { count, plural } from "./format.js";
import { downloads } from "./export.js";
import { colorsFor } from "./palette.js";
import { HEIGHT_PX, layout, nearestRun, polyline } from "./parallel-layout.js";
import { drawAxes, drawHighlight, drawRuns } from "./parallel-draw.js";
import { recall, remember } from "./state.js";
import { Tooltip } from "./tooltip.js";

const AXES_MAX = 8; // at first; every column can be chosen
const METRIC_AXES_MIN = 3;
const BRUSH_MIN_PX = 3;

/** The columns to start with: params that differ, then metrics, the first of each. */
function firstAxes(columns) {
  const metrics = columns.filter((one) => one.kind === "metrics" && one.scale.low !== null);
  const params = columns.filter((one) => one.kind === "params" && one.varies);
  const room = AXES_MAX - Math.min(METRIC_AXES_MIN, metrics.length);
  const chosen = params.slice(0, room);
  return [...chosen, ...metrics.slice(0, AXES_MAX - chosen.length)].map((one) => one.id);
}

export class ParallelChart {
  #brushes = new Map(); // column id -> [low, high] places, 0 to 1
  #hover = -1;

  constructor(figure) {
    this.figure = figure;
    this.data = columnsOf(figure.dataset.source);
    const wanted = recall("axes")?.split("\n");
    const known = new Set(this.data.columns.map((one) => one.id));
    this.axisIds = (wanted ?? firstAxes(this.data.columns)).filter((id) => known.has(id));
    this.#build();
    this.resizer = new ResizeObserver(() => this.render());
    this.resizer.observe(this.scroller);
  }

  #build() {
    const body = takeOver(this.figure, "Parallel coordinates");
    this.coloring = new Coloring(this.data, "parallel-color", () => this.render());
    this.lines = new Surface("chart-canvas");
    this.top = new Surface("chart-canvas chart-canvas-top");
    this.handles = element("div");
    this.stage = element("div", { className: "chart-stage" }, this.lines.canvas, this.top.canvas, this.handles);
    this.stage.setAttribute("role", "img");
    this.stage.addEventListener("pointermove", (event) => this.#moved(event));
    this.stage.addEventListener("pointerleave", () => this.#show(-1));
    this.scroller = element(
      "div",
      { className: "chart-scroller", tabIndex: 0, role: "region", aria: { label: "Parallel coordinates" } },
      this.stage,
    );
    this.selected = element("span", { className: "chart-count", role: "status" });
    this.clear = button("Clear selection", () => this.#clear(), { className: "chart-chip", hidden: true });
    const tools = element("div", { className: "chart-tools" }, this.coloring.control, this.coloring.key, this.#picker(), downloads(() => this.#picture()));
    const hint = element("span", { className: "chart-faint" }, "Drag along an axis to select runs.");
    body.append(tools, this.scroller, element("div", { className: "chart-notes" }, this.selected, this.clear, hint));
    this.tooltip = new Tooltip(this.stage);
  }

  #picker() {
    const boxes = this.data.columns.map(({ id, name, kind }) => {
      const box = element("input", { type: "checkbox", checked: this.axisIds.includes(id), value: id });
      box.addEventListener("change", () => this.#pick(id, box.checked));
      return element("label", {}, box, element("bdi", {}, name), element("span", { className: "chart-faint" }, kind));
    });
    const panel = element("div", { className: "chart-picker-panel" }, ...boxes);
    return element("details", { className: "chart-picker" }, element("summary", {}, "Axes"), panel);
  }

  #pick(id, on) {
    const chosen = new Set(on ? [...this.axisIds, id] : this.axisIds.filter((other) => other !== id));
    this.axisIds = this.data.columns.map((one) => one.id).filter((other) => chosen.has(other));
    this.#brushes.delete(on ? null : id);
    remember("axes", this.axisIds.join("\n"));
    this.render();
  }

  #clear() {
    this.#brushes.clear();
    this.render();
  }

  #picture() {
    const { colors } = this;
    const size = { width: this.layout.width, height: HEIGHT_PX };
    const note = this.selected.textContent;
    const draw = (context) => this.#drawInto(context);
    return { title: "Parallel coordinates", note, series: this.coloring.named(colors), colors, ...size, draw };
  }

  destroy() {
    this.resizer.disconnect();
  }

  render() {
    const width = this.scroller.clientWidth;
    if (!width) return;
    this.colors = colorsFor(this.figure);
    const columns = this.axisIds.map((id) => this.data.columns.find((one) => one.id === id));
    this.layout = layout(columns, width);
    this.paths = this.data.runs.map((_, run) => polyline(this.layout, run));
    this.stage.style.width = `${this.layout.width}px`;
    for (const surface of [this.lines, this.top]) surface.size(this.layout.width, HEIGHT_PX);
    this.handles.replaceChildren(...this.layout.axes.map((axis) => this.#handle(axis)));
    this.coloring.showKey(this.colors);
    this.#draw();
  }

  #draw() {
    this.lines.clear();
    this.#drawInto(this.lines.context);
    this.#show(this.#hover, true);
    this.#publish(this.#chosen());
  }

  #drawInto(context) {
    const color = (run) => this.coloring.color(this.colors, run) ?? this.colors.muted;
    drawRuns(context, this.paths, this.#chosen(), color, this.colors);
    drawAxes(context, this.layout, this.#brushes, this.colors);
  }

  /** For each run whether every brush takes it. A run without a value on a brushed axis is not taken. */
  #chosen() {
    const brushed = this.layout.axes.filter(({ column }) => this.#brushes.has(column.id));
    return this.data.runs.map((_, run) =>
      brushed.every(({ column }) => {
        const place = column.place(run);
        const [low, high] = this.#brushes.get(column.id);
        return place !== null && place >= low && place <= high;
      }),
    );
  }

  #publish(chosen) {
    const total = this.data.runs.length;
    const taken = chosen.filter(Boolean).length;
    const some = this.#brushes.size > 0;
    this.selected.textContent = some ? `${count(taken)} of ${plural(total, "run")} selected` : plural(total, "run");
    this.clear.hidden = !some;
    this.stage.setAttribute("aria-label", `Parallel coordinates of ${plural(total, "run")}, ${count(taken)} selected`);
    Object.assign(this.figure.dataset, { state: "ready", drawn: total, selected: taken, axes: this.axisIds.length });
    const runs = this.data.runs.filter((_, run) => chosen[run]).map(({ id }) => id);
    this.figure.dispatchEvent(new CustomEvent("chart:selected", { bubbles: true, detail: { runs } }));
  }

  /** The strip along an axis that takes the brush. It is an element of its own, so that the rest scrolls by touch. */
  #handle(axis) {
    const handle = element("div", { className: "chart-handle", title: axis.column.name, data: { axis: axis.column.id } });
    handle.style.left = `${axis.x}px`;
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      this.#brushFrom(handle, axis, this.#placeAt(event));
      event.preventDefault();
    });
    return handle;
  }

  #placeAt(event) {
    const y = event.clientY - this.stage.getBoundingClientRect().top;
    return (this.layout.foot - y) / (this.layout.foot - this.layout.head);
  }

  #brushFrom(handle, { column }, start) {
    const nothing = BRUSH_MIN_PX / (this.layout.foot - this.layout.head);
    const move = (event) => {
      const now = this.#placeAt(event);
      if (Math.abs(now - start) < nothing) this.#brushes.delete(column.id);
      else this.#brushes.set(column.id, [Math.min(start, now), Math.max(start, now)]);
      this.#draw();
    };
    handle.addEventListener("pointermove", move);
    const stop = (event) => {
      handle.removeEventListener("pointermove", move);
      move(event);
    };
    handle.addEventListener("pointerup", stop, { once: true });
  }

  #moved(event) {
    if (!this.layout || event.buttons) return;
    const box = this.stage.getBoundingClientRect();
    this.#show(nearestRun(this.layout, this.paths, this.#chosen(), event.clientX - box.left, event.clientY - box.top));
  }

  #show(run, again = false) {
    if (run === this.#hover && !again) return;
    this.#hover = run;
    this.top.clear();
    if (run < 0) return this.tooltip.hide();
    const color = this.coloring.color(this.colors, run) ?? this.colors.muted;
    drawHighlight(this.top.context, this.paths[run], color, this.colors);
    const { name, id } = this.data.runs[run];
    const lines = this.layout.axes.map(({ column }) => [column.name, column.shown[run]]);
    const [x, y] = this.paths[run][Math.floor(this.paths[run].length / 2)] ?? [0, 0];
    return this.tooltip.show(name || id, lines, x, y);
  }
}

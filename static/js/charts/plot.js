// One uPlot: axes, grid, cross-hair and the drag that zooms. The lines are drawn by lines.js into its canvas, so that
// every run keeps its own x values and nothing has to be aligned.
import uPlot from "uplot";
import { axes, drawAxes, isCalendar } from "./axes.js";
import { element } from "./dom.js";
import { drawLines } from "./lines.js";

const PAD = 0.05; // of the y range, above and below
// Half of what a double holds, so that the width of a range is one too; logarithms need normal numbers.
const LARGEST = Number.MAX_VALUE / 2;
const SMALLEST = 1e-307;
const POINTER_EVENTS = ["mousemove", "mouseleave", "mouseenter"];

/** The y range with room above and below, and never empty. */
export function padded([low, high], log) {
  if (log) {
    const room = Math.max(high ** PAD / low ** PAD, 1.1);
    return [Math.max(SMALLEST, low / room), Math.min(LARGEST, high * room)];
  }
  const room = high > low ? high * PAD - low * PAD : Math.abs(high) * 0.1 || 1;
  return [Math.max(-LARGEST, low - room), Math.min(LARGEST, high + room)];
}

/** The x range, widened where it is a single place. */
export function widened([low, high], axis) {
  if (high > low) return [low, high];
  const room = Math.max(axis === "step" ? 1 : 1000, Math.abs(low) * 1e-12);
  return [low - room, high + room];
}

export class Plot {
  #plot = null;
  #view = null;
  #frame = 0;
  #dot = element("div", { className: "chart-dot", hidden: true });

  /** `on` holds the callbacks `zoom(low, high)`, `reset()` and `cursor(x or null, top)`. */
  constructor(host, on) {
    this.host = host;
    this.on = on;
  }

  /**
   * Draws a view: { series, xRange, yRange, axis, log, colors, height, highlight }, where a series also has `color`,
   * `dash` and, smoothed, `smoothed`.
   */
  show(view) {
    this.destroy();
    this.#view = { ...view, highlight: null };
    this.#plot = new uPlot(this.#options(view), [[...view.xRange], [...view.yRange]], this.host);
  }

  /** The plot's size in CSS pixels. */
  get size() {
    return { width: this.#plot.width, height: this.#plot.height };
  }

  get isShown() {
    return this.#plot !== null;
  }

  /** Draws the plot into another context, in CSS pixels. */
  draw(context) {
    const box = Object.fromEntries(Object.entries(this.#plot.bbox).map(([side, px]) => [side, px / uPlot.pxRatio]));
    const [across, up] = ["x", "y"].map((scale, i) => {
      const { _splits: places, _values: texts } = this.#plot.axes[i];
      return (places ?? []).map((place, k) => [this.#plot.valToPos(place, scale), texts[k]]);
    });
    drawAxes(context, box, across, up, this.#view.colors);
    drawLines(context, { ...this.#view, highlight: null, box }, 1);
  }

  highlight(run) {
    if (!this.#plot || this.#view.highlight === run) return;
    this.#view.highlight = run;
    this.#plot.redraw(false);
  }

  resize() {
    const width = this.host.clientWidth;
    if (this.#plot && width && width !== this.#plot.width) this.#plot.setSize({ width, height: this.#view.height });
  }

  destroy() {
    this.#plot?.destroy();
    this.#plot = null;
  }

  #options(view) {
    return {
      width: Math.max(200, this.host.clientWidth),
      height: view.height,
      ms: 1,
      padding: [10, 14, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false },
        sync: {
          key: `minleaf-${view.axis}`,
          scales: ["x", null],
          filters: { pub: (type) => POINTER_EVENTS.includes(type) },
        },
        bind: { dblclick: () => () => this.on.reset() },
      },
      scales: {
        x: { time: isCalendar(view), range: () => view.xRange },
        y: { distr: view.log ? 3 : 1, range: () => view.yRange },
      },
      series: [{}, { paths: () => null, points: { show: false } }],
      axes: axes(view),
      hooks: {
        draw: [(plot) => this.#draw(plot)],
        setSelect: [(plot) => this.#selected(plot)],
        setCursor: [(plot) => this.#moved(plot)],
      },
    };
  }

  #draw(plot) {
    drawLines(plot.ctx, { ...this.#view, box: plot.bbox }, uPlot.pxRatio);
  }

  #selected(plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    const [low, high] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.on.zoom(low, high);
  }

  /** Once a frame at most, however often the pointer or another chart's cross-hair moves. */
  #moved(plot) {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (plot !== this.#plot) return;
      const { left, top } = plot.cursor;
      const inside = left >= 0 && left <= plot.over.clientWidth; // another chart's place may lie beyond this one
      this.on.cursor(inside ? plot.posToVal(left, "x") : null, plot.over.matches(":hover") ? top : -1);
    });
  }

  /** How far below the upper edge a value stands, in CSS pixels. */
  height(y) {
    return this.#plot.valToPos(y, "y");
  }

  /** Puts the dot on a point, or away when there is none. */
  point(place) {
    this.#dot.hidden = !place || !this.#plot;
    if (this.#dot.hidden) return;
    const { x, y, color } = place;
    this.#plot.over.append(this.#dot);
    this.#dot.style.left = `${this.#plot.valToPos(x, "x")}px`;
    this.#dot.style.top = `${this.#plot.valToPos(y, "y")}px`;
    this.#dot.style.background = color;
  }
}

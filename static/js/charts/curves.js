// A line chart of one metric for one run or several: loads what a screen can show, and the rest on zooming in.
import { Controls } from "./controls.js";
import { fitText, label, markCounts, pointsText } from "./describe.js";
import { button, element, giveBack, root, takeOver } from "./dom.js";
import { number, place } from "./format.js";
import { Legend } from "./legend.js";
import { bucketsFor, csvAddress, loadCurves } from "./load.js";
import { colorsFor, dash, runColor } from "./palette.js";
import { padded, Plot, widened } from "./plot.js";
import { countOutside, drawable, extentX, extentY, nearest, smooth, totals, typicalRange } from "./series.js";
import { settings, toggle, watch } from "./state.js";

const HEIGHT_PX = 240;
const PAN = 0.25; // of the visible range, for one press of an arrow

function list(text) {
  return text ? text.split(",") : [];
}

export class CurvesChart {
  #series = [];
  #range = null; // [start, end] on the axis while zoomed
  #full = null; // the x range of everything
  #loading = null;
  #colors = null;

  constructor(figure) {
    this.figure = figure;
    this.metric = figure.dataset.metric;
    this.runs = list(figure.dataset.runs);
    this.colorIndexes = list(figure.dataset.colors).map(Number);
    this.settings = settings(this.metric);
    this.#build();
    this.unwatch = watch(() => this.#changed());
    this.resizer = new ResizeObserver(() => this.plot.resize());
    this.resizer.observe(this.host);
    this.#load();
  }

  #build() {
    const body = takeOver(this.figure, this.metric);
    const files = { csv: () => csvAddress(this.runs, this.metric), picture: () => this.#picture() };
    this.controls = new Controls(body, this.metric, files);
    this.host = element("div", { className: "chart-plot", tabIndex: 0, role: "img" });
    this.host.setAttribute("aria-label", this.metric);
    this.host.addEventListener("keydown", (event) => this.#key(event));
    this.readout = element("div", { className: "chart-readout" });
    body.append(this.host, ...(this.runs.length > 1 ? [] : [this.readout]), this.#notes());
    this.plot = new Plot(this.host, {
      zoom: (low, high) => this.zoom([low, high]),
      reset: () => this.zoom(null),
      cursor: (x, top) => this.#cursor(x, top),
    });
    const link = (run) => `${root()}/runs/${encodeURIComponent(run)}`;
    const highlight = (run) => this.plot.highlight(run);
    this.legend = this.runs.length > 1 ? new Legend(body, this.metric, { highlight, link }) : null;
  }

  #notes() {
    this.points = element("span", { className: "chart-count" });
    this.marks = element("span", { className: "chart-marks" });
    this.fit = button("", () => toggle("fit", this.metric, !this.settings.fit), { className: "chart-chip", hidden: true });
    this.back = button("Reset zoom", () => this.zoom(null), { className: "chart-chip", hidden: true });
    this.message = element("span", { className: "chart-message", role: "status" });
    const parts = [this.points, this.marks, this.fit, this.back, this.message];
    return element("div", { className: "chart-notes" }, ...parts);
  }

  /** Lets go of everything; the figure has left the page. */
  destroy() {
    this.#loading?.abort();
    this.unwatch();
    this.resizer.disconnect();
    this.plot.destroy();
  }

  /** Shows [start, end] of the axis at its own resolution; null shows everything. */
  zoom(range) {
    const next = range && this.#full && this.#snapped(range);
    if (next === this.#range) return;
    this.#range = next;
    this.#load();
  }

  /** Whole places on the axis with something between them, none beyond the data; null where that is everything. */
  #snapped([low, high]) {
    const [first, last] = this.#full;
    const start = Math.max(first, Math.min(Math.floor(low), last - 1));
    const end = Math.min(last, Math.max(Math.ceil(high), start + 1));
    return start <= first && end >= last ? null : [start, end];
  }

  #changed() {
    const before = this.settings;
    this.settings = settings(this.metric);
    if (JSON.stringify(before) === JSON.stringify(this.settings)) return undefined;
    if (before.axis === this.settings.axis) return this.render();
    this.#range = null;
    return this.#load();
  }

  async #load() {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.figure.dataset.state = "loading";
    const { runs, metric } = this;
    const buckets = bucketsFor(this.host.clientWidth, runs.length);
    const asked = { runs, metric, axis: this.settings.axis, range: this.#range, buckets };
    try {
      this.#take(await loadCurves(asked, loading.signal));
    } catch (error) {
      if (!loading.signal.aborted) this.#fail(error);
    }
  }

  #take(series) {
    this.#series = series.map((one) => {
      const position = this.runs.indexOf(one.run);
      const colorIndex = this.colorIndexes[position] ?? position;
      // A pattern tells runs apart; a curve that stands alone is easier to read without one.
      return { ...one, colorIndex, dash: this.runs.length > 1 ? dash(colorIndex) : [] };
    });
    if (!this.#range) this.#full = extentX(series);
    this.legend?.setRuns(this.#series);
    this.render();
  }

  #fail(error) {
    this.figure.dataset.state = "error";
    this.message.replaceChildren(`The points of ${this.metric} could not be loaded: ${error.message} `);
    this.message.append(button("Try again", () => this.#load(), { className: "chart-chip" }));
    if (!this.#series.length) giveBack(this.figure);
  }

  /** Draws what is loaded with the settings of the address and the colours of the theme. */
  render() {
    this.controls.show(this.settings);
    this.message.replaceChildren();
    if (!this.#full) return this.#empty();
    const { axis, log, smoothing } = this.settings;
    this.#colors = colorsFor(this.figure);
    const typical = typicalRange(this.#series, log);
    const full = extentY(this.#series, log) ?? (log ? [1, 10] : [0, 1]);
    const fitted = this.settings.fit && typical !== null;
    const yRange = padded(fitted ? typical : full, log);
    const xRange = widened(this.#range ?? this.#full, axis);
    this.#series = this.#series.map((one) => this.#styled(one, smoothing));
    this.plot.show({ series: this.#series, xRange, yRange, axis, log, colors: this.#colors, height: HEIGHT_PX });
    this.#describe(fitted, typical, padded(typical ?? full, log), xRange, yRange);
    this.#cursor(null);
    return undefined;
  }

  #styled(one, smoothing) {
    const smoothed = smoothing && one.x.length ? smooth(one, smoothing) : null;
    return { ...one, color: runColor(this.#colors, one.colorIndex), smoothed };
  }

  #empty() {
    this.plot.destroy();
    this.points.textContent = `No points of ${this.metric}`;
    this.figure.dataset.state = "empty";
    return undefined;
  }

  #describe(fitted, typical, typicalPadded, xRange, yRange) {
    const { axis, log, smoothing } = this.settings;
    const points = pointsText(this.#series, this.#range !== null);
    const thinned = totals(this.#series).drawn < totals(this.#series).inRange;
    this.points.textContent = smoothing && thinned ? `${points}, smoothed over the drawn ones` : points;
    this.marks.replaceChildren(
      ...markCounts(this.#series, log).map(([mark, text]) => element("span", { className: `chart-mark-${mark}` }, text)),
    );
    this.fit.hidden = typical === null;
    this.fit.setAttribute("aria-pressed", String(fitted));
    this.fit.textContent = typical ? fitText(countOutside(this.#series, typicalPadded, log), fitted, this.#series) : "";
    this.back.hidden = this.#range === null;
    this.host.setAttribute("aria-label", label(this.metric, this.#series, axis, points));
    this.#publish(xRange, yRange);
  }

  /** The state of the chart on its figure, for tests and for whoever inspects the page. */
  #publish(xRange, yRange) {
    const { drawn, inRange, total, nan, inf } = totals(this.#series);
    const [xMin, xMax] = xRange;
    const [yMin, yMax] = yRange;
    Object.assign(this.figure.dataset, { points: drawn, inRange, total, nan, inf, xMin, xMax, yMin, yMax });
    this.figure.dataset.axis = this.settings.axis;
    this.figure.dataset.state = "ready";
  }

  /** Reads the curves at x, or at their ends when the pointer is elsewhere. `top` is the pointer's height, if any. */
  #cursor(x, top = -1) {
    const near = x === null ? null : this.#nearestPoint(x, top);
    this.plot.point(near);
    if (!this.legend) return this.#read(x);
    this.legend.show(this.#series, x, this.settings.axis);
    return this.legend.mark(near && top >= 0 ? near.run : null);
  }

  /** Of the runs' points at x, the one nearest to the pointer. */
  #nearestPoint(x, top) {
    const { log } = this.settings;
    const points = this.#series
      .map(({ run, color, ...one }) => ({ run, color, index: nearest(one, x), one }))
      .map(({ index, one, ...rest }) => ({ ...rest, x: one.x[index], y: one.y[index] }))
      .filter(({ y }) => drawable(y, log));
    if (points.length > 1 && top < 0) return null;
    const away = ({ y }) => Math.abs(this.plot.height(y) - top);
    return points.reduce((best, point) => (best && away(best) <= away(point) ? best : point), null);
  }

  /** The line below the plot of a single run. */
  #read(x) {
    const [only] = this.#series;
    const index = x === null ? only.x.length - 1 : nearest(only, x);
    if (index < 0) return this.readout.replaceChildren();
    const smoothed = only.smoothed ? `, smoothed ${number(only.smoothed[index])}` : "";
    const where = `${x === null ? "last, " : ""}${place(only.x[index], this.settings.axis)}`;
    const value = element("strong", { title: String(only.y[index]) }, number(only.y[index]));
    return this.readout.replaceChildren(value, element("span", { className: "chart-faint" }, ` ${where}${smoothed}`));
  }

  #key(event) {
    if (!this.#full || event.ctrlKey || event.metaKey || event.altKey) return;
    const [low, high] = this.#range ?? this.#full;
    const width = high - low;
    const moved = (by) => [Math.max(this.#full[0], low + by), Math.max(this.#full[0], low + by) + width];
    const ranges = {
      "+": () => [low + width / 4, high - width / 4],
      "=": () => [low + width / 4, high - width / 4],
      "-": () => [low - width / 2, high + width / 2],
      ArrowLeft: () => moved(-width * PAN),
      ArrowRight: () => moved(Math.min(width * PAN, this.#full[1] - high)),
      0: () => null,
    };
    if (!(event.key in ranges)) return;
    event.preventDefault();
    this.zoom(ranges[event.key]());
  }

  #picture() {
    if (!this.plot.isShown) return null;
    const note = [this.points, ...this.marks.children].map(({ textContent }) => textContent).join(" · ");
    const draw = (context) => this.plot.draw(context);
    return { title: this.metric, note, series: this.#series, colors: this.#colors, ...this.plot.size, draw };
  }
}

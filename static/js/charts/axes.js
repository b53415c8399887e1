// The axes of a uPlot: where ticks stand and what they say.
import { count, number, span, timeTick } from "./format.js";
import { nice } from "./scale.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const POWERS = Array.from({ length: 20 }, (_, exponent) => 10 ** exponent);
const WHOLE_STEPS = POWERS.flatMap((power) => [power, 2 * power, 5 * power]);
const SPANS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((n) => n),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * 1000),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...WHOLE_STEPS.slice(0, 24).map((n) => n * DAY),
];
const CALENDAR_MS_MAX = 8.64e15;
const FONT_PX = 12;
const Y_SPACE_PX = 30; // between ticks of the y axis

const ruler = document.createElement("canvas").getContext("2d");

function widest(texts, font) {
  ruler.font = font;
  return Math.max(0, ...texts.map((text) => ruler.measureText(text ?? "").width));
}

/** A tick of a linear axis whose ticks are `increment` apart: the decimals that tell neighbours apart, no more. */
export function linearTick(value, increment) {
  const size = Math.abs(value);
  const decimals = Math.max(0, -Math.floor(Math.log10(increment) + 1e-9));
  const long = size >= 1e7 || decimals > 5;
  return long && increment >= size * 1e-4 ? number(value) : value.toFixed(Math.min(20, decimals));
}

/** Ticks of a logarithmic axis: powers of ten, thinned where they are many, with 2 and 5 between where they are few. */
export function logTicks(low, high) {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const every = Math.max(1, Math.ceil((last - first) / 8));
  const between = Math.log10(high / low) < 2.5 ? [1, 2, 5] : [1];
  const ticks = [];
  for (let exponent = first; exponent <= last; exponent += every) {
    for (const factor of between) ticks.push(Number(`${factor}e${exponent}`));
  }
  const inside = ticks.filter((tick) => tick >= low && tick <= high);
  return inside.length > 1 ? inside : nice(low, high, 5);
}

const X_AXES = {
  step: { incrs: WHOLE_STEPS, space: (plot, axis, low, high) => 24 + 7 * count(high).length, values: (_, splits) => splits.map((x) => (Number.isInteger(x) ? count(x) : "")) },
  time: { space: 84, values: (_, splits, axis, space, increment) => splits.map((x) => timeTick(x, increment)) },
  relative: { incrs: SPANS, space: 84, values: (_, splits) => splits.map((x) => (x === 0 ? "0" : span(x))) },
};

/** Whether the x axis shows dates. A logged timestamp may be any integer, also one that no calendar has. */
export function isCalendar({ axis, xRange }) {
  return axis === "time" && Math.max(...xRange.map(Math.abs)) < CALENDAR_MS_MAX;
}

/** uPlot's options for both axes. `axis` is step, time or relative. */
export function axes(view) {
  const { log, colors } = view;
  const axis = view.axis === "time" && !isCalendar(view) ? "step" : view.axis;
  const font = `${FONT_PX}px ${colors.font}`;
  const common = {
    font,
    stroke: colors.muted,
    grid: { stroke: colors.line, width: 1 },
    ticks: { show: false },
    gap: 6,
  };
  return [
    { ...common, ...X_AXES[axis], size: 30, grid: { ...common.grid, show: false }, ticks: { stroke: colors.line, size: 4 } },
    { ...common, ...(log ? logAxis : linearAxis), size: (_, texts) => (texts ? Math.ceil(widest(texts, font)) + 12 : 40) },
  ];
}

/** Draws axes into a picture as uPlot draws them on the screen. `across` and `up` are [place, text] in CSS pixels. */
export function drawAxes(context, box, across, up, colors) {
  const foot = box.top + box.height;
  context.font = `${FONT_PX}px ${colors.font}`;
  context.textBaseline = "middle";
  for (const [x, text] of across) {
    context.fillStyle = colors.line;
    context.fillRect(box.left + x - 0.5, foot, 1, 4);
    context.fillStyle = colors.muted;
    context.textAlign = "center";
    context.fillText(text, box.left + x, foot + 16);
  }
  for (const [y, text] of up) {
    context.fillStyle = colors.line;
    context.fillRect(box.left, box.top + y - 0.5, box.width, 1);
    context.fillStyle = colors.muted;
    context.textAlign = "right";
    context.fillText(text, box.left - 6, box.top + y);
  }
}

/** Our own splits need no increment, but uPlot hides an axis for which it finds none, and it knows few below 5. */
function anyIncrement(plot, axis, low, high) {
  return [Math.max(5, high - low)];
}

const linearAxis = {
  incrs: anyIncrement,
  splits: (plot, axis, low, high, increment, space) => nice(low, high, plot.bbox.height / devicePixelRatio / Y_SPACE_PX),
  values: (_, splits) => splits.map((y) => linearTick(y, splits.length > 1 ? splits[1] - splits[0] : Math.abs(y) || 1)),
};

const logAxis = {
  incrs: anyIncrement,
  splits: (plot) => logTicks(plot.scales.y.min, plot.scales.y.max),
  values: (_, splits) => splits.map(number),
  filter: (_, splits) => splits,
};

// The axes of a uPlot: where ticks stand and what they say.
import { count, number, span, timeTick } from "./format.js";
import { nice } from "./scale.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const POWERS = Array.from({ length: 19 }, (_, exponent) => 10 ** exponent);
const WHOLE_STEPS = POWERS.flatMap((power) => [power, 2 * power, 5 * power]);
const SPANS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((n) => n),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * 1000),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...WHOLE_STEPS.slice(0, 24).map((n) => n * DAY),
];
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
  if (value !== 0 && (size >= 1e7 || size < 1e-5)) return number(value);
  const decimals = Math.max(0, -Math.floor(Math.log10(increment) + 1e-9));
  return decimals > 8 ? number(value) : value.toFixed(decimals);
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
  return ticks.filter((tick) => tick >= low && tick <= high);
}

const X_AXES = {
  step: { incrs: WHOLE_STEPS, space: (plot, axis, low, high) => 24 + 7 * count(high).length, values: (_, splits) => splits.map((x) => (Number.isInteger(x) ? count(x) : "")) },
  time: { space: 84, values: (_, splits, axis, space, increment) => splits.map((x) => timeTick(x, increment)) },
  relative: { incrs: SPANS, space: 84, values: (_, splits) => splits.map((x) => (x === 0 ? "0" : span(x))) },
};

/** uPlot's options for both axes. `axis` is step, time or relative. */
export function axes({ axis, log, colors }) {
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

const linearAxis = {
  splits: (plot, axis, low, high, increment, space) => nice(low, high, plot.bbox.height / devicePixelRatio / Y_SPACE_PX),
  values: (_, splits) => splits.map((y) => linearTick(y, splits.length > 1 ? splits[1] - splits[0] : Math.abs(y) || 1)),
};

const logAxis = {
  splits: (plot) => logTicks(plot.scales.y.min, plot.scales.y.max),
  values: (_, splits) => splits.map(number),
  filter: (_, splits) => splits,
};

// What stands below a curve chart in words: how much of the data is drawn, and what has no place on its axes.
import { count, plural } from "./format.js";
import { countNotPositive, totals } from "./series.js";

/** `4,012 of 50,000 points`, and while zoomed how many there are in all. */
export function pointsText(series, zoomed) {
  const { drawn, inRange, total } = totals(series);
  const text = `${count(drawn)} of ${count(inRange)} points`;
  return zoomed ? `${text} in view, ${count(total)} in all` : text;
}

/** Counts of the values that are marked instead of drawn, as [mark, text]; the mark is a class of the style sheet. */
export function markCounts(series, log) {
  const { nan, inf } = totals(series);
  const notPositive = log ? countNotPositive(series) : 0;
  const counts = [];
  if (nan) counts.push(["nan", `${count(nan)} NaN`]);
  if (inf) counts.push(["beyond", `${count(inf)} infinite`]);
  if (notPositive) counts.push(["beyond", `${atLeast(series)}${count(notPositive)} at or below 0`]);
  return counts;
}

/** What the switch for fitting the y axis to typical values would do, and how many points are or would be outside. */
export function fitText(outside, fitted, series) {
  const points = `${atLeast(series)}${plural(outside, "point")} off scale`;
  return fitted ? `Show all, ${points}` : `Fit to typical values, ${points}`;
}

/** A thinned series may have more such points than the drawn ones. */
function atLeast(series) {
  const { drawn, inRange } = totals(series);
  return drawn < inRange ? "at least " : "";
}

/** What a screen reader says of the plot. */
export function label(metric, series, axis, points) {
  const runs = series.length === 1 ? `run ${series[0].name}` : plural(series.length, "run");
  const across = { step: "steps", time: "wall time", relative: "time since the first point" }[axis];
  return `${metric} of ${runs} over ${across}: ${points}. Keys: plus and minus zoom, arrows move, 0 shows everything.`;
}

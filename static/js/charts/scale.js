// From the values of a column to places between 0 and 1, and the ticks that explain them. Pure functions.
import { number } from "./format.js";

const WIDE = 1000; // a column whose largest value is this many times its smallest is drawn on a logarithmic scale

/** A scale: `place(value)` is between 0 and 1, or null where the value has no place; `ticks(n)` are [place, text]. */
export function numberScale(values) {
  const finite = values.filter(Number.isFinite);
  if (!finite.length) return { kind: "number", log: false, low: null, high: null, place: () => null, ticks: () => [] };
  const low = finite.reduce((a, b) => Math.min(a, b));
  const high = finite.reduce((a, b) => Math.max(a, b));
  const log = low > 0 && high / low >= WIDE;
  const measure = log ? Math.log : (value) => value;
  const width = measure(high) - measure(low);
  const place = (value) => {
    if (!Number.isFinite(value)) return null;
    return width > 0 ? (measure(value) - measure(low)) / width : 0.5;
  };
  const ticks = (n) => (log ? powers(low, high) : nice(low, high, n)).map((value) => [place(value), number(value)]);
  return { kind: "number", log, low, high, place, ticks };
}

/** A scale of texts: evenly spaced in their order. */
export function textScale(texts) {
  const known = [...new Set(texts.filter((text) => text !== null))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const index = new Map(known.map((text, i) => [text, i]));
  const place = (text) => (index.has(text) ? (known.length > 1 ? index.get(text) / (known.length - 1) : 0.5) : null);
  const ticks = (n) => {
    const every = Math.max(1, Math.ceil(known.length / n));
    return known.filter((_, i) => i % every === 0).map((text) => [place(text), text]);
  };
  return { kind: "text", log: false, place, ticks };
}

/** About n round values from low to high. */
export function nice(low, high, n) {
  if (!(high > low)) return [low];
  const rough = (high - low) / n;
  if (!(rough > 0) || !Number.isFinite(rough)) return [low, high];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const first = Math.ceil(low / step - 1e-9);
  const ticks = [];
  for (let i = first; i * step <= high + step * 1e-9; i += 1) ticks.push(Number((i * step).toPrecision(15)));
  return ticks;
}

function powers(low, high) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first + 1) / 8));
  const ticks = [];
  for (let exponent = first; exponent <= last; exponent += every) ticks.push(Number(`1e${exponent}`));
  return ticks;
}

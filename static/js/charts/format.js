// How the charts write numbers and times.

const DIGITS = 5;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** An integer with thousands separated: 50,000. */
export function count(value) {
  return grouped.format(value);
}

/** `1 run`, `3 runs`. */
export function plural(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Five significant digits, as the tables show: 0.43751, 1.2e-5, 500. The other kinds of value by their names. */
export function number(value) {
  if (value === null || value === undefined) return "none";
  if (typeof value === "string") return { Infinity: "∞", "-Infinity": "−∞" }[value] ?? value;
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  return shortExponent(Number(value.toPrecision(DIGITS)));
}

function shortExponent(value) {
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e6)) return trimZeros(value.toExponential(DIGITS - 1));
  return String(value);
}

function trimZeros(text) {
  const [mantissa, exponent] = text.split("e");
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  return `${short}e${Number(exponent)}`;
}

/** A span of milliseconds in two units at most: 840 ms, 12.4 s, 3 min 20 s, 2 h 5 min. */
export function span(ms) {
  if (ms < 0) return `−${span(-ms)}`;
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${Math.floor(ms / 100) / 10} s`;
  if (ms < HOUR) return twoUnits(ms, MINUTE, "min", SECOND, "s");
  if (ms < DAY) return twoUnits(ms, HOUR, "h", MINUTE, "min");
  return twoUnits(ms, DAY, "d", HOUR, "h");
}

function twoUnits(ms, large, largeName, small, smallName) {
  const rest = Math.floor((ms % large) / small);
  const head = `${count(Math.floor(ms / large))} ${largeName}`;
  return rest ? `${head} ${rest} ${smallName}` : head;
}

const pad = (value, width = 2) => String(value).padStart(width, "0");

/** The local date and time of a timestamp: 2026-11-23 10:04:05. */
export function moment(ms) {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return `${ms} ms`;
  return `${day(at)} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

function day(at) {
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
}

/** A tick of a time axis whose ticks are `step` ms apart: only what differs between neighbours. */
export function timeTick(ms, step) {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return "";
  if (step >= DAY) return day(at);
  const clock = `${pad(at.getHours())}:${pad(at.getMinutes())}`;
  if (step >= MINUTE) return at.getHours() + at.getMinutes() === 0 ? day(at) : clock;
  if (step >= SECOND) return `${clock}:${pad(at.getSeconds())}`;
  return `${clock}:${pad(at.getSeconds())}.${pad(at.getMilliseconds(), 3)}`;
}

/** A place on an axis, in full, for the read-out beside the cross-hair. */
export function place(x, axis) {
  if (axis === "time") return moment(x);
  return axis === "relative" ? span(x) : `step ${count(x)}`;
}

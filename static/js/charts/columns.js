// The params and metrics of the compared runs, from the page's data block.
import { number } from "./format.js";
import { numberScale, textScale } from "./scale.js";

const SPECIAL = { nan: NaN, inf: Infinity, infinity: Infinity };

/** The number a text writes, or null when it writes none. */
export function parseNumber(text) {
  const trimmed = text.trim();
  const special = SPECIAL[trimmed.replace(/^[+-]/, "").toLowerCase()];
  if (special !== undefined) return trimmed.startsWith("-") ? -special : special;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : null;
}

/** `place(run)` is between 0 and 1 or null; `without` names what stands in place of those. */
function column(kind, name, values, shown, scale) {
  const varies = new Set(values.map(String)).size > 1;
  const place = (run) => scale.place(values[run]);
  const without = [...new Set(shown.filter((_, run) => place(run) === null))].slice(0, 2).join(", ");
  return { id: `${kind}.${name}`, kind, name, values, shown, scale, varies, without, place };
}

/** A param: numbers when every run that has it has a number there, else texts. */
function paramColumn(name, texts) {
  const numbers = texts.map((text) => (text === null ? null : parseNumber(text)));
  const numeric = texts.every((text, i) => text === null || numbers[i] !== null);
  const shown = texts.map((text) => text ?? "none");
  const scale = numeric ? numberScale(numbers) : textScale(texts);
  return column("params", name, numeric ? numbers : texts, shown, scale);
}

function metricColumn(name, raw) {
  const values = raw.map((value) => (typeof value === "string" ? Number(value) : value));
  return column("metrics", name, values, values.map(number), numberScale(values));
}

/** { runs: [{ id, name, color }], columns }, each column with a value for each run. */
export function readColumns(block) {
  const params = Object.entries(block.params).map(([name, texts]) => paramColumn(name, texts));
  const metrics = Object.entries(block.metrics).map(([name, raw]) => metricColumn(name, raw));
  return { runs: block.runs, columns: [...params, ...metrics] };
}

/** The columns of the data block with this id. */
export function columnsOf(id) {
  const block = document.getElementById(id);
  if (!block) throw new Error(`the page has no data block ${id}`);
  return readColumns(JSON.parse(block.textContent));
}

/** [heading, [[id, name], …]] for a select. */
export function columnGroups(columns) {
  const of = (kind) => columns.filter((one) => one.kind === kind).map(({ id, name }) => [id, name]);
  return [["Params", of("params")], ["Metrics", of("metrics")]];
}

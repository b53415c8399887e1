// How the charts are set, kept in the address: the URL alone shows the same view again.

const AXES = ["step", "time", "relative"];
const listeners = new Set();

function query() {
  return new URLSearchParams(location.search);
}

/** Page-wide: the x axis and the smoothing weight. Per metric: log y, and the y axis fitted to typical values. */
export function settings(metric) {
  const fields = query();
  const weight = Number(fields.get("smooth"));
  return {
    axis: AXES.includes(fields.get("axis")) ? fields.get("axis") : "step",
    smoothing: weight > 0 && weight < 1 ? weight : 0,
    log: fields.getAll("log").includes(metric),
    fit: fields.getAll("fit").includes(metric),
  };
}

function put(fields) {
  const text = fields.toString();
  history.replaceState(history.state, "", `${location.pathname}${text ? `?${text}` : ""}${location.hash}`);
}

/** A setting of one chart alone, by its field of the address. */
export function recall(name) {
  return query().get(name);
}

/** Keeps such a setting in the address; nobody is told. */
export function remember(name, value) {
  const fields = query();
  fields.set(name, value);
  put(fields);
}

/** Changes a page-wide setting and tells every chart. `fallback` is the value that the address leaves out. */
export function change(name, value, fallback) {
  const fields = query();
  if (value === fallback) fields.delete(name);
  else fields.set(name, value);
  put(fields);
  for (const listener of listeners) listener();
}

/** Switches `log` or `fit` for one metric. Its charts are told like all others. */
export function toggle(name, metric, on) {
  const fields = query();
  const others = fields.getAll(name).filter((other) => other !== metric);
  fields.delete(name);
  for (const other of on ? [...others, metric] : others) fields.append(name, other);
  put(fields);
  for (const listener of listeners) listener();
}

/** Calls `listener` after every change; returns how to stop it. */
export function watch(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

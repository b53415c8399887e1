// The points of one run's curve, and what can be said of them. Pure functions, tested with node --test.

/**
 * A series of the endpoint as the charts keep it: `x` and `y` as typed arrays in x order, `y` NaN or infinite where
 * the logged value is, and the counts of the whole range.
 */
export function read(raw) {
  const y = Float64Array.from(raw.y, (value) => value ?? NaN);
  for (const [index, kind] of raw.special) y[index] = Number(kind);
  return {
    run: raw.run,
    name: raw.name,
    x: Float64Array.from(raw.x),
    y,
    before: raw.before,
    after: raw.after,
    total: raw.total,
    inRange: raw.in_range,
    nanCount: raw.nan_count,
    infCount: raw.inf_count,
  };
}

/** The sums over several series that a caption names. */
export function totals(all) {
  const sum = { drawn: 0, inRange: 0, total: 0, nan: 0, inf: 0 };
  for (const one of all) {
    sum.drawn += one.x.length;
    sum.inRange += one.inRange;
    sum.total += one.total;
    sum.nan += one.nanCount;
    sum.inf += one.infCount;
  }
  return sum;
}

/** [smallest, largest] x of all series, or null when none has a point. */
export function extentX(all) {
  let low = Infinity;
  let high = -Infinity;
  for (const { x } of all) {
    if (!x.length) continue;
    low = Math.min(low, x[0]);
    high = Math.max(high, x[x.length - 1]);
  }
  return low <= high ? [low, high] : null;
}

/** Whether a value can stand on the axis: finite, and above zero on a logarithmic one. */
export function drawable(value, log) {
  return Number.isFinite(value) && (!log || value > 0);
}

/** [smallest, largest] drawable y of all series, or null when there is none. */
export function extentY(all, log) {
  let low = Infinity;
  let high = -Infinity;
  for (const { y } of all) {
    for (const value of y) {
      if (!drawable(value, log)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : null;
}

/**
 * The range that typical values fill, or null when no value lies far from them. Far is further out than twice the
 * distance between the 5th and the 95th percentile of the drawn values (of their logarithms on a logarithmic axis).
 */
export function typicalRange(all, log) {
  const measure = log ? Math.log : (value) => value;
  const values = Float64Array.from(
    all.flatMap(({ y }) => Array.from(y).filter((value) => drawable(value, log)).map(measure)),
  ).sort();
  if (values.length < 20) return null;
  const at = (share) => values[Math.round(share * (values.length - 1))];
  const reach = 2 * (at(0.95) - at(0.05));
  if (!(reach > 0)) return null;
  const low = values.find((value) => value >= at(0.05) - reach);
  const high = values.findLast((value) => value <= at(0.95) + reach);
  if (low === values[0] && high === values[values.length - 1]) return null;
  return log ? [Math.exp(low), Math.exp(high)] : [low, high];
}

/** How many drawn points lie outside [low, high]. */
export function countOutside(all, [low, high], log) {
  let outside = 0;
  for (const { y } of all) {
    for (const value of y) {
      if (drawable(value, log) && (value < low || value > high)) outside += 1;
    }
  }
  return outside;
}

/** How many drawn points cannot stand on a logarithmic axis. */
export function countNotPositive(all) {
  let outside = 0;
  for (const { y } of all) {
    for (const value of y) if (value <= 0 && Number.isFinite(value)) outside += 1;
  }
  return outside;
}

/** The index of the point of `series` nearest to x, or -1 when it has none. Of equals the last, as the table shows. */
export function nearest(series, x) {
  const xs = series.x;
  if (!xs.length) return -1;
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && (low === xs.length || xs[low] - x >= x - xs[low - 1])) return low - 1;
  while (low + 1 < xs.length && xs[low + 1] === xs[low]) low += 1;
  return low;
}

/**
 * The exponential moving average of y with the bias of its start corrected, as TensorBoard and MLflow draw it.
 * Where the series is thinned, a point stands for as many as lie between it and the one before, so the curve keeps
 * its shape. Values that are not finite stay as they are and leave the average untouched.
 */
export function smooth(series, weight) {
  const { x, y } = series;
  const whole = x.length >= series.inRange;
  const spacing = whole ? 1 : (x[x.length - 1] - x[0]) / Math.max(1, series.inRange - 1);
  const out = new Float64Array(y.length);
  let sum = 0;
  let mass = 0;
  let last = x[0] - spacing;
  for (let i = 0; i < y.length; i += 1) {
    if (!Number.isFinite(y[i])) {
      out[i] = y[i];
      continue;
    }
    const steps = whole || !(spacing > 0) ? 1 : Math.max(0, (x[i] - last) / spacing);
    const keep = weight ** steps;
    sum = sum * keep + (1 - keep) * y[i];
    mass = mass * keep + (1 - keep);
    out[i] = mass > 0 ? sum / mass : y[i];
    last = x[i];
  }
  return out;
}

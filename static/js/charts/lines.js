// Draws the curves into a plot's canvas: lines that break at NaN, and a mark for every value that has no place.

const TICK_PX = 7;
const MARK_PX = 4;
const DOT_PX = 2.2;
const SPARSE_PX = 12; // points further apart than this are drawn as dots too
const FAR_PX = 1e6; // a canvas keeps coordinates as 32-bit floats

/**
 * Maps values to canvas pixels. `box` is the plot's rectangle in canvas pixels, the ranges are what its edges show.
 */
export function projection(box, [x0, x1], [y0, y1], log) {
  const measure = log ? Math.log : (value) => value;
  const bottom = measure(y0);
  const tall = measure(y1) - bottom;
  const foot = box.top + box.height;
  return {
    x: (value) => box.left + ((value - x0) / (x1 - x0)) * box.width,
    y: (value) => Math.min(FAR_PX, Math.max(-FAR_PX, foot - ((measure(value) - bottom) / tall) * box.height)),
  };
}

/** What a value is to the axis: "" when it can be drawn, else the kind of mark that stands for it. */
function markOf(value, [low, high], log) {
  if (Number.isNaN(value)) return "nan";
  if (value === Infinity || value > high) return "above";
  if (value === -Infinity || value < low) return "below";
  return log && value <= 0 ? "below" : "";
}

/** One series as a path of its drawable values, and the points that stand alone between gaps. */
function trace(context, series, y, to, log) {
  const path = context.makePath?.() ?? new Path2D();
  const alone = [];
  let length = 0;
  let lastX = 0;
  let lastY = 0;
  const end = () => {
    if (length === 1) alone.push([lastX, lastY]);
    length = 0;
  };
  const step = (valueX, valueY) => {
    if (!Number.isFinite(valueY) || (log && valueY <= 0)) return end();
    lastX = to.x(valueX);
    lastY = to.y(valueY);
    if (length === 0) path.moveTo(lastX, lastY);
    else path.lineTo(lastX, lastY);
    length += 1;
  };
  if (series.before) step(...series.before);
  for (let i = 0; i < y.length; i += 1) step(series.x[i], y[i]);
  if (series.after) step(...series.after);
  end();
  return { path, alone };
}

function dot(context, x, y, radius) {
  context.moveTo(x + radius, y);
  context.arc(x, y, radius, 0, 2 * Math.PI);
}

function dots(context, points, radius) {
  context.beginPath();
  for (const [x, y] of points) dot(context, x, y, radius);
  context.fill();
}

function mark(context, kind, x, box, px) {
  const foot = box.top + box.height;
  if (kind === "nan") {
    context.rect(x - 0.75 * px, foot - TICK_PX * px, 1.5 * px, TICK_PX * px);
    return;
  }
  const [edge, inner] = kind === "above" ? [box.top, box.top + 1.6 * MARK_PX * px] : [foot, foot - 1.6 * MARK_PX * px];
  context.moveTo(x, edge);
  context.lineTo(x - MARK_PX * px, inner);
  context.lineTo(x + MARK_PX * px, inner);
  context.closePath();
}

/** Ticks for NaN on the axis, triangles at the edge for what lies beyond it. Many at one pixel are one mark. */
function marks(context, series, view, to, px) {
  const seen = new Set();
  context.beginPath();
  for (let i = 0; i < series.y.length; i += 1) {
    const kind = markOf(series.y[i], view.yRange, view.log);
    if (!kind) continue;
    const x = Math.round(to.x(series.x[i]));
    const key = `${kind}${x}`;
    if (seen.has(key)) continue;
    seen.add(key);
    mark(context, kind, x, view.box, px);
  }
  context.fill();
}

function drawOne(context, series, view, px) {
  const to = projection(view.box, view.xRange, view.yRange, view.log);
  const { path, alone } = trace(context, series, series.y, to, view.log);
  context.strokeStyle = series.color;
  context.fillStyle = series.color;
  context.lineJoin = "round";
  const faded = view.highlight !== null && view.highlight !== series.run;
  context.globalAlpha = faded ? 0.15 : series.smoothed ? 0.28 : 1;
  context.setLineDash(series.smoothed ? [] : series.dash.map((length) => length * px));
  context.lineWidth = (view.highlight === series.run ? 2.5 : 1.5) * px;
  context.stroke(path);
  dots(context, alone, DOT_PX * px);
  if (series.y.length * SPARSE_PX * px < view.box.width) {
    dots(context, Array.from(series.x, (x, i) => [to.x(x), to.y(series.y[i])]).filter(([, y]) => !Number.isNaN(y)), DOT_PX * px);
  }
  if (series.smoothed) {
    context.globalAlpha = faded ? 0.15 : 1;
    context.setLineDash(series.dash.map((length) => length * px));
    context.lineWidth = 2 * px;
    context.stroke(trace(context, { x: series.x }, series.smoothed, to, view.log).path);
  }
  context.globalAlpha = faded ? 0.3 : 1;
  marks(context, series, view, to, px);
}

/** Draws every series of the view; a highlighted one last, so that it lies on top. `px` is a CSS pixel's size. */
export function drawLines(context, view, px) {
  context.save();
  context.beginPath();
  const margin = 2 * px;
  context.rect(view.box.left - margin, view.box.top - margin, view.box.width + 2 * margin, view.box.height + 2 * margin);
  context.clip();
  const last = (series) => (series.run === view.highlight ? 1 : 0);
  for (const series of [...view.series].sort((a, b) => last(a) - last(b))) drawOne(context, series, view, px);
  context.restore();
}

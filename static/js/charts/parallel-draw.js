// Draws parallel coordinates.
import { fitText, haloText } from "./canvas.js";

const TICKS = 6;

function follow(context, path) {
  path.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
}

/** Runs that are not chosen lie faint below the others. The more there are, the more a line lets through. */
export function drawRuns(context, paths, chosen, color, colors) {
  context.lineJoin = "round";
  context.lineWidth = 1;
  context.globalAlpha = 0.16;
  context.strokeStyle = colors.muted;
  context.beginPath();
  paths.forEach((path, run) => chosen[run] || follow(context, path));
  context.stroke();
  const many = chosen.filter(Boolean).length;
  context.globalAlpha = Math.min(0.95, Math.max(0.25, 12 / Math.sqrt(many * 10)));
  context.lineWidth = many > 200 ? 1 : 1.6;
  paths.forEach((path, run) => {
    if (!chosen[run]) return;
    context.strokeStyle = color(run);
    context.beginPath();
    follow(context, path);
    context.stroke();
  });
  context.globalAlpha = 1;
}

export function drawHighlight(context, path, color, colors) {
  for (const [style, width] of [[colors.bg, 7], [color, 3]]) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.lineJoin = "round";
    context.beginPath();
    follow(context, path);
    context.stroke();
  }
  context.fillStyle = color;
  for (const [x, y] of path) {
    context.beginPath();
    context.arc(x, y, 4, 0, 2 * Math.PI);
    context.fill();
  }
}

export function drawAxes(context, layout, brushes, colors) {
  layout.axes.forEach((axis, i) => {
    drawAxis(context, layout, axis, colors);
    drawName(context, layout, axis, i, colors);
    const brush = brushes.get(axis.column.id);
    if (brush) drawBrush(context, layout, axis, brush, colors);
  });
}

function drawAxis(context, { head, foot, lane }, { column, x }, colors) {
  context.fillStyle = colors.muted;
  context.fillRect(x - 0.5, head, 1, foot - head);
  context.font = `11px ${colors.font}`;
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (const [place, text] of column.scale.ticks(TICKS)) {
    const y = foot - place * (foot - head);
    context.fillStyle = colors.muted;
    context.fillRect(x - 3, y - 0.5, 6, 1);
    context.fillStyle = colors.text;
    haloText(context, fitText(context, text, 74), x + 6, y, colors);
  }
  if (!column.without) return;
  context.fillStyle = colors.muted;
  context.fillRect(x - 4, lane - 0.5, 8, 1);
  haloText(context, column.without, x + 7, lane, colors);
}

function drawName(context, { head, gap, axes }, { column, x }, i, colors) {
  context.font = `600 12px ${colors.font}`;
  context.textBaseline = "alphabetic";
  const edge = i === 0 ? "left" : i === axes.length - 1 ? "right" : "center";
  context.textAlign = edge;
  const shift = { left: -38, right: 38, center: 0 }[edge];
  context.fillStyle = colors.text;
  const name = column.scale.log ? `${column.name} (log)` : column.name;
  haloText(context, fitText(context, name, gap - 12), x + shift, head - 14, colors);
  context.textAlign = "left";
}

function drawBrush(context, { head, foot }, { x }, [low, high], colors) {
  const top = foot - Math.min(1.03, high) * (foot - head);
  const bottom = foot - Math.max(-0.03, low) * (foot - head);
  context.fillStyle = colors.accent;
  context.globalAlpha = 0.25;
  context.fillRect(x - 8, top, 16, bottom - top);
  context.globalAlpha = 1;
  context.fillRect(x - 8, top, 16, 2);
  context.fillRect(x - 8, bottom - 2, 16, 2);
}

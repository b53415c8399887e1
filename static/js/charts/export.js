// A chart as a picture that stands alone: title, plot and the names of the runs on the page's own background.
import { fileName, save } from "./dom.js";

const MARGIN_PX = 12;
const LINE_PX = 18;
const CHIP_PX = 18;
const NAME_GAP_PX = 18;
const NAMES_MAX = 40;

/** Places for the runs' names in lines of `width`: [{ text, color, x, line }]. */
function placeNames(context, series, width) {
  if (series.length < 2) return [];
  const names = series.slice(0, NAMES_MAX).map(({ name, run, color }) => ({ text: name || run, color }));
  if (series.length > NAMES_MAX) names.push({ text: `and ${series.length - NAMES_MAX} more runs`, color: null });
  let x = 0;
  let line = 0;
  return names.map((name) => {
    const wide = CHIP_PX + context.measureText(name.text).width;
    if (x > 0 && x + wide > width) [x, line] = [0, line + 1];
    const place = { ...name, x, line };
    x += wide + NAME_GAP_PX;
    return place;
  });
}

function drawNames(context, names, top, colors) {
  for (const { text, color, x, line } of names) {
    const y = top + line * LINE_PX;
    context.fillStyle = color ?? colors.bg;
    context.fillRect(MARGIN_PX + x, y - 9, 10, 10);
    context.fillStyle = colors.text;
    context.fillText(text, MARGIN_PX + x + CHIP_PX, y);
  }
}

/** Saves `canvas` with a title above, and the runs' names and a note (such as "n of N points") below. */
export function savePng(canvas, { title, note, series = [], colors }) {
  const scale = devicePixelRatio || 1;
  const context = document.createElement("canvas").getContext("2d");
  const small = `12px ${colors.font}`;
  context.font = small;
  const width = canvas.width / scale;
  const names = placeNames(context, series, width);
  const lines = names.length ? names[names.length - 1].line + 1 : 0;
  const foot = MARGIN_PX + LINE_PX + canvas.height / scale + LINE_PX;
  context.canvas.width = (width + 2 * MARGIN_PX) * scale;
  context.canvas.height = (foot + lines * LINE_PX + MARGIN_PX) * scale;
  context.fillStyle = colors.bg;
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  context.drawImage(canvas, MARGIN_PX * scale, (MARGIN_PX + LINE_PX) * scale);
  context.scale(scale, scale);
  context.fillStyle = colors.text;
  context.font = `600 14px ${colors.font}`;
  context.fillText(title, MARGIN_PX, MARGIN_PX + 12);
  context.font = small;
  context.fillStyle = colors.muted;
  context.fillText(note, MARGIN_PX, foot);
  drawNames(context, names, foot + LINE_PX, colors);
  context.canvas.toBlob((blob) => save(blob, fileName(title, "png")));
}

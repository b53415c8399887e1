// A chart as a picture that stands alone: title, plot, a note and the names of the runs on the page's own background.
import { button, element, fileName, save } from "./dom.js";
import { SvgContext } from "./svg.js";

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

/**
 * Draws the whole picture and returns its [width, height]. `fit(width, height)` is called once the size is known;
 * `draw(context)` draws the plot of `width` and `height` from its own upper left corner.
 */
function compose(context, { title, note, series, colors, width, height, draw }, fit) {
  const small = `12px ${colors.font}`;
  context.font = small;
  const names = placeNames(context, series, width);
  const lines = names.length ? names[names.length - 1].line + 1 : 0;
  const foot = MARGIN_PX + LINE_PX + height + LINE_PX;
  const size = [width + 2 * MARGIN_PX, foot + lines * LINE_PX + MARGIN_PX];
  fit(...size);
  context.fillStyle = colors.bg;
  context.fillRect(0, 0, ...size);
  context.save();
  context.translate(MARGIN_PX, MARGIN_PX + LINE_PX);
  draw(context);
  context.restore();
  context.globalAlpha = 1;
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
  context.fillStyle = colors.text;
  context.font = `600 14px ${colors.font}`;
  context.fillText(title, MARGIN_PX, MARGIN_PX + 12);
  context.font = small;
  context.fillStyle = colors.muted;
  context.fillText(note, MARGIN_PX, foot);
  drawNames(context, names, foot + LINE_PX, colors);
  return size;
}

function savePng(picture) {
  const scale = devicePixelRatio || 1;
  const context = document.createElement("canvas").getContext("2d");
  compose(context, picture, (width, height) => {
    context.canvas.width = width * scale;
    context.canvas.height = height * scale;
    context.scale(scale, scale);
  });
  context.canvas.toBlob((blob) => save(blob, fileName(picture.title, "png")));
}

function saveSvg(picture) {
  const context = new SvgContext();
  const size = compose(context, picture, () => {});
  save(new Blob([context.document(...size)], { type: "image/svg+xml" }), fileName(picture.title, "svg"));
}

/**
 * The buttons that save a chart, after `others`. `picture()` is { title, note, series, colors, width, height, draw },
 * or null while there is nothing to save.
 */
export function downloads(picture, ...others) {
  const saver = (name, write) => {
    const properties = { title: `This chart as ${name}`, className: "chart-quiet" };
    return button(name, () => picture() && write(picture()), properties);
  };
  return element("span", { className: "chart-downloads" }, ...others, saver("PNG", savePng), saver("SVG", saveSvg));
}

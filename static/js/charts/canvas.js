// A canvas that stays sharp: as many pixels as the screen has, drawn in CSS pixels.

export class Surface {
  constructor(className) {
    this.canvas = document.createElement("canvas");
    this.canvas.className = className;
    this.context = this.canvas.getContext("2d");
  }

  /** Gives the canvas a size in CSS pixels and clears it. */
  size(width, height) {
    const scale = devicePixelRatio || 1;
    this.width = width;
    this.height = height;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    return this.context;
  }

  clear() {
    this.context.clearRect(0, 0, this.width, this.height);
  }
}

/** `text` cut to a width in the context's font, with a sign that it is cut. */
export function fitText(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > width) end -= 1;
  return `${text.slice(0, end)}…`;
}

/** Text that stays readable on lines: its outline is the background's colour. */
export function haloText(context, text, x, y, colors) {
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeStyle = colors.bg;
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

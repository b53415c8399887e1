// A drawing context that writes SVG: the part of a canvas's 2D context that the charts use, so that one drawing
// function serves the screen and the file.

const ruler = document.createElement("canvas").getContext("2d");

function short(value) {
  return String(Math.round(value * 100) / 100);
}

function escaped(text) {
  return String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** Collects what Path2D would, as the text of a path. */
class Path {
  text = "";

  moveTo(x, y) {
    this.text += `M${short(x)} ${short(y)}`;
  }

  lineTo(x, y) {
    this.text += `L${short(x)} ${short(y)}`;
  }

  rect(x, y, width, height) {
    this.text += `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`;
  }

  /** A whole circle: the charts draw no other arc. */
  arc(x, y, radius) {
    const r = short(radius);
    this.text += `M${short(x - radius)} ${short(y)}a${r} ${r} 0 1 0 ${short(2 * radius)} 0a${r} ${r} 0 1 0 ${short(-2 * radius)} 0`;
  }

  closePath() {
    this.text += "Z";
  }
}

export class SvgContext {
  globalAlpha = 1;
  fillStyle = "black";
  strokeStyle = "black";
  lineWidth = 1;
  font = "12px sans-serif";
  textAlign = "left";
  textBaseline = "alphabetic";
  #parts = [];
  #path = new Path();
  #dash = [];
  #open = []; // how many groups each save() has opened since
  #clips = 0;

  /** A path of its own, to be stroked later: what Path2D is to a canvas. */
  makePath() {
    return new Path();
  }

  beginPath() {
    this.#path = new Path();
  }

  moveTo(x, y) {
    this.#path.moveTo(x, y);
  }

  lineTo(x, y) {
    this.#path.lineTo(x, y);
  }

  rect(x, y, width, height) {
    this.#path.rect(x, y, width, height);
  }

  arc(x, y, radius) {
    this.#path.arc(x, y, radius);
  }

  closePath() {
    this.#path.closePath();
  }

  setLineDash(lengths) {
    this.#dash = lengths;
  }

  stroke(path = this.#path) {
    if (!path.text) return;
    const dash = this.#dash.length ? ` stroke-dasharray="${this.#dash.map(short).join(" ")}"` : "";
    this.#parts.push(`<path d="${path.text}" fill="none" ${this.#pen()}${dash}${this.#opacity()}/>`);
  }

  fill(path = this.#path) {
    if (path.text) this.#parts.push(`<path d="${path.text}" fill="${this.fillStyle}"${this.#opacity()}/>`);
  }

  fillRect(x, y, width, height) {
    const path = new Path();
    path.rect(x, y, width, height);
    this.fill(path);
  }

  fillText(text, x, y) {
    this.#text(text, x, y, `fill="${this.fillStyle}"`);
  }

  strokeText(text, x, y) {
    this.#text(text, x, y, `fill="none" ${this.#pen()}`);
  }

  measureText(text) {
    ruler.font = this.font;
    return ruler.measureText(text);
  }

  save() {
    this.#open.push(0);
  }

  clip() {
    this.#clips += 1;
    const id = `clip${this.#clips}`;
    this.#group(`<clipPath id="${id}"><path d="${this.#path.text}"/></clipPath><g clip-path="url(#${id})">`);
  }

  translate(x, y) {
    this.#group(`<g transform="translate(${short(x)} ${short(y)})">`);
  }

  restore() {
    this.#parts.push("</g>".repeat(this.#open.pop()));
  }

  /** The file. */
  document(width, height) {
    const size = `width="${short(width)}" height="${short(height)}" viewBox="0 0 ${short(width)} ${short(height)}"`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${this.#parts.join("\n")}</svg>\n`;
  }

  #group(opening) {
    this.#parts.push(opening);
    this.#open[this.#open.length - 1] += 1;
  }

  #pen() {
    return `stroke="${this.strokeStyle}" stroke-width="${short(this.lineWidth)}" stroke-linejoin="round"`;
  }

  #opacity() {
    return this.globalAlpha < 1 ? ` opacity="${short(this.globalAlpha)}"` : "";
  }

  #text(text, x, y, paint) {
    const anchor = { left: "start", center: "middle", right: "end" }[this.textAlign];
    const baseline = this.textBaseline === "middle" ? ' dominant-baseline="central"' : "";
    const style = `style="font:${escaped(this.font)}" text-anchor="${anchor}"${baseline}`;
    this.#parts.push(`<text x="${short(x)}" y="${short(y)}" ${style} ${paint}${this.#opacity()}>${escaped(text)}</text>`);
  }
}

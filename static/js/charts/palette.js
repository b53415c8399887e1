// The colours of a page as a canvas needs them: resolved from the style sheet, and read again when the theme changes.

export const PALETTE_SIZE = 20;

/** Line patterns in CSS pixels: the second channel beside colour. Neighbouring colours of one pattern differ well. */
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]];
const COLORS_PER_DASH = 7;

export function dash(index) {
  return DASHES[Math.floor(index / COLORS_PER_DASH) % DASHES.length];
}

/**
 * The colours that hold for `element` now, as rgb() texts. A probe element resolves them, because a custom property
 * read as text may still be a function such as light-dark(), which a canvas does not take.
 */
export function colorsFor(element) {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const resolve = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colors = Object.fromEntries(["bg", "text", "muted", "line", "accent"].map((n) => [n, resolve(n)]));
  colors.runs = Array.from({ length: PALETTE_SIZE }, (_, index) => resolve(`run-${index}`));
  colors.ramp = Array.from({ length: 5 }, (_, index) => rgb(resolve(`ramp-${index}`)));
  colors.font = getComputedStyle(element).fontFamily;
  probe.remove();
  return colors;
}

export function runColor(colors, index) {
  return colors.runs[((index % PALETTE_SIZE) + PALETTE_SIZE) % PALETTE_SIZE];
}

/** The colour at `share` (0 to 1) of the sequential ramp that shows a number. */
export function rampColor(colors, share) {
  const place = Math.min(1, Math.max(0, share)) * (colors.ramp.length - 1);
  const index = Math.min(colors.ramp.length - 2, Math.floor(place));
  const [from, to] = [colors.ramp[index], colors.ramp[index + 1]];
  const mixed = from.map((part, i) => Math.round(part + (to[i] - part) * (place - index)));
  return `rgb(${mixed.join(" ")})`;
}

function rgb(text) {
  return text.match(/[\d.]+/g).slice(0, 3).map(Number);
}

/** Calls back when the page's theme changes, by the system's setting or by the page's own switch. */
export function watchTheme(callback) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback);
  new MutationObserver(callback).observe(document.documentElement, {
    attributeFilter: ["class", "data-theme", "style"],
  });
}

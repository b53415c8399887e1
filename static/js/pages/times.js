// Keeps relative times true while the page stays open, and says absolute ones in the reader's own time zone.
import { onContent } from "./swapped.js";

const TICK_MS = 30_000;
const UNITS = [
  ["y", 365 * 86_400],
  ["mo", 30 * 86_400],
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
];
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

/** `4 min ago`, as the server writes it. */
export function relative(ms, now) {
  const seconds = Math.floor(Math.abs(now - ms) / 1000);
  if (seconds < 10) return "just now";
  const [unit, size] = UNITS.find(([, size]) => seconds >= size);
  const amount = `${Math.floor(seconds / size).toLocaleString("en")} ${unit}`;
  return ms <= now ? `${amount} ago` : `in ${amount}`;
}

function each(change) {
  for (const element of document.querySelectorAll("time[datetime]")) {
    const at = Date.parse(element.dateTime);
    if (!Number.isNaN(at)) change(element, at);
  }
}

export function startTimes() {
  onContent(() =>
    each((element, at) => {
      element.title = local.format(at);
    }),
  );
  setInterval(() => each((element, at) => (element.textContent = relative(at, Date.now()))), TICK_MS);
}

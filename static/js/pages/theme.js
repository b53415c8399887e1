// The switch between the system's theme, light and dark. A cookie remembers it, so that the server writes the page in the
// right theme at once.
import { onContent } from "./swapped.js";

const COOKIE = "minleaf_theme";
const YEAR_SECONDS = 365 * 24 * 3600;
const ORDER = ["", "light", "dark"];
const NAMES = { "": "system", light: "light", dark: "dark" };

function current() {
  return document.documentElement.dataset.theme ?? "";
}

function choose(theme) {
  const page = document.documentElement;
  if (theme) page.dataset.theme = theme;
  else delete page.dataset.theme;
  document.querySelector('meta[name="color-scheme"]').content = theme || "light dark";
  const age = theme ? YEAR_SECONDS : 0;
  document.cookie = `${COOKIE}=${theme}; path=${page.dataset.root || "/"}; max-age=${age}; samesite=lax`;
}

function describe(button) {
  const next = ORDER[(ORDER.indexOf(current()) + 1) % ORDER.length];
  const label = `Theme: ${NAMES[current()]}. Change to ${NAMES[next]}.`;
  button.setAttribute("aria-label", label);
  button.title = label;
  return next;
}

export function startTheme() {
  onContent(() => {
    const button = document.querySelector("[data-theme-button]");
    if (!button || !button.hidden) return;
    button.hidden = false;
    describe(button);
    button.addEventListener("click", () => {
      choose(describe(button));
      describe(button);
    });
  });
}

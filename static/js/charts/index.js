// Finds the figures of a page and builds each one's chart when it comes near the screen.
import { CurvesChart } from "./curves.js";
import { ParallelChart } from "./parallel.js";
import { watchTheme } from "./palette.js";
import { ScatterChart } from "./scatter.js";

const KINDS = { curves: CurvesChart, parallel: ParallelChart, scatter: ScatterChart };
const NEAR = "300px";

const charts = new Map();

function build(figure) {
  const Kind = KINDS[figure.dataset.chart];
  if (Kind && !charts.has(figure)) charts.set(figure, new Kind(figure));
}

const observer = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      build(target);
    }
  },
  { rootMargin: NEAR },
);

/** A swap may take a figure out of the page, or put the server's content back into it. */
function stands(figure) {
  return figure.isConnected && figure.querySelector(":scope > .chart-body") !== null;
}

/** Lets go of charts that no longer stand and watches the figures that have none. */
function scan() {
  for (const [figure, chart] of charts) {
    if (stands(figure)) continue;
    chart.destroy();
    charts.delete(figure);
  }
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    if (!charts.has(figure)) observer.observe(figure);
  }
}

/** Starts the charts of this page, and of every part that htmx swaps in later. */
export function startCharts() {
  scan();
  document.addEventListener("htmx:after:swap", scan);
  watchTheme(() => {
    for (const chart of charts.values()) chart.render();
  });
}

// The entry of the bundle: everything a page of Minleaf runs. Every page works without it.
import "uplot/dist/uPlot.min.css";
import "../charts.css";
import "./htmx.js";
import { startCharts } from "./charts/index.js";
import "./pages/index.js";

startCharts();

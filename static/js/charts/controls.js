// The controls above a curve chart. They write the address (state.js); the chart listens to that.
import { button, element } from "./dom.js";
import { downloads } from "./export.js";
import { change, toggle } from "./state.js";

const AXIS_NAMES = [["step", "Step", "Step"], ["time", "Time", "Wall time"], ["relative", "Relative", "Time since the first point"]];

function pressed(control, on) {
  control.setAttribute("aria-pressed", String(on));
}

export class Controls {
  /** `on` holds `csv()`, the address of the file, and `picture()`, as export.js takes it. */
  constructor(host, metric, on) {
    this.metric = metric;
    this.axes = AXIS_NAMES.map(([axis, label, title]) => {
      const control = button(label, () => change("axis", axis, "step"), { title });
      control.dataset.axis = axis;
      return control;
    });
    this.log = button("Log", () => toggle("log", metric, this.log.getAttribute("aria-pressed") !== "true"), {
      title: "Logarithmic y axis",
    });
    this.slider = element("input", { type: "range", min: "0", max: "0.99", step: "0.01", title: "Smoothing" });
    this.slider.setAttribute("aria-label", `Smoothing of ${metric}`);
    this.slider.addEventListener("input", () => change("smooth", this.slider.value, "0"));
    this.weight = element("span", { className: "chart-weight" });
    host.append(this.#bar(on));
  }

  #bar(on) {
    const group = element("div", { className: "chart-segments", role: "group" }, ...this.axes);
    group.setAttribute("aria-label", "Horizontal axis");
    const file = { className: "chart-quiet", href: on.csv(), download: "", title: "Every point as CSV" };
    return element(
      "div",
      { className: "chart-tools" },
      group,
      this.log,
      element("label", { className: "chart-smoothing" }, element("span", {}, "Smooth"), this.slider, this.weight),
      downloads(on.picture, element("a", file, "CSV")),
    );
  }

  show({ axis, log, smoothing }) {
    for (const control of this.axes) pressed(control, control.dataset.axis === axis);
    pressed(this.log, log);
    if (Number(this.slider.value) !== smoothing) this.slider.value = String(smoothing);
    this.weight.textContent = smoothing ? smoothing.toFixed(2) : "off";
  }
}

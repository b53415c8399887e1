// The small table that names the run under the pointer.
import { element } from "./dom.js";

const OFFSET_PX = 14;

export class Tooltip {
  constructor(host) {
    this.host = host;
    this.box = element("div", { className: "chart-tooltip", hidden: true });
    host.append(this.box);
  }

  /** Shows a heading and [name, value] lines beside a place in the host, in CSS pixels, inside its edges. */
  show(heading, lines, x, y) {
    const rows = lines.map(([name, value]) =>
      element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value)),
    );
    this.box.replaceChildren(element("strong", {}, element("bdi", {}, heading)), element("table", {}, ...rows));
    this.box.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = this.box;
    const left = x + OFFSET_PX + width > this.host.clientWidth ? x - OFFSET_PX - width : x + OFFSET_PX;
    this.box.style.left = `${Math.max(0, left)}px`;
    this.box.style.top = `${Math.max(0, Math.min(y - height / 2, this.host.clientHeight - height))}px`;
  }

  hide() {
    this.box.hidden = true;
  }
}

// A sparkline: an SVG of one line over its area, from zero up, a point for each of the last seconds.

const NS = "http://www.w3.org/2000/svg", HEIGHT = 40;

export class Spark {
  constructor() {
    this.node = this.#part("svg", { preserveAspectRatio: "none", role: "img" });
    this.area = this.node.appendChild(this.#part("path", { class: "area" }));
    this.line = this.node.appendChild(this.#part("path", { class: "line" }));
    this.at = this.node.appendChild(this.#part("path", { class: "at" }));
  }

  #part(tag, attributes) {
    const node = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  }

  // The newest of the values is at the right edge, and there is room for `count` of them. They are numbers, or null and
  // undefined where there is none: the line has a gap there. A line from top to bottom stands at the one marked.
  draw(values, count, top, marked) {
    this.node.setAttribute("viewBox", `0 0 ${count - 1} ${HEIGHT}`);
    const first = count - values.length, y = value => (HEIGHT - 1 - value / (top || 1) * (HEIGHT - 4)).toFixed(1);
    const runs = [];
    values.forEach((value, index) => {
      if (value === null || value === undefined) return;
      if (runs.at(-1)?.end === index - 1) { runs.at(-1).points.push([first + index, y(value)]); runs.at(-1).end = index; }
      else runs.push({ end: index, points: [[first + index, y(value)]] });
    });
    this.line.setAttribute("d", runs.map(run => `M${run.points.length === 1 ? [run.points[0], run.points[0]].join("L") : run.points.join("L")}`).join(""));
    this.area.setAttribute("d", runs.map(({ points }) => `M${points[0][0]},${HEIGHT}L${points.join("L")}L${points.at(-1)[0]},${HEIGHT}Z`).join(""));
    this.at.setAttribute("d", marked === null ? "" : `M${first + marked},0V${HEIGHT}`);
  }
}

// Charts in SVG: panels side by side, each with its own units. Colours are those of the theme, and follow it.

export const WIDE = 400; // page units across
const GAP = 26; // between panels
const EDGE = 12;
const LINE = 19; // a line of words
const COLOURS = { ink: "var(--gl-text)", faint: "var(--gl-soft)", x: "var(--gl-x)", z: "var(--gl-z)", pink: "#cc79a7" };
Object.assign(COLOURS, { amber: "#e69f00", sky: "#56b4e9" });
const ANCHORS = { top: "text-before-edge", middle: "central", bottom: "text-after-edge" };

function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Where a chart is shown: `element` on the page; show(chart).
export class Board {
  constructor() {
    this.element = document.createElement("div");
    this.element.className = "gl-chart gl-board";
    this.page = document.createElement("div");
    this.page.className = "gl-board-page";
    this.element.append(this.page);
  }

  // chart: {words, height, panels}; words describe it to those who do not see it
  show({ words, height, panels }) {
    const look = { viewBox: `0 0 ${WIDE} ${height}`, role: "img", "aria-label": words, width: "100%" };
    const whole = svg("svg", look);
    const weights = panels.reduce((sum, panel) => sum + panel.weight, 0);
    let left = 0;
    for (const panel of panels) {
      const width = ((WIDE - GAP * (panels.length - 1)) * panel.weight) / weights;
      panel.place(left, width, height);
      panel.drawAxes(whole);
      for (const part of panel.parts) part(whole);
      left += width + GAP;
    }
    this.page.replaceChildren(whole);
  }
}

// A part of a chart that shows x and y in these ranges. xticks, yticks: numbers, or [number, words]; none are round ones.
// equal: one unit is as long across as up; weight: its share of the width; frame: whether axes are drawn.
export class Panel {
  constructor(x, y, { xlabel = "", ylabel = "", xticks, yticks, equal = false, weight = 1, frame = true } = {}) {
    Object.assign(this, { x, y, xlabel, ylabel, equal, weight, frame, parts: [] });
    this.xticks = frame ? listTicks(x, xticks) : [];
    this.yticks = frame ? listTicks(y, yticks) : [];
  }

  // Fit the plot into the chart, from `left` on.
  place(left, width, height) {
    const longest = Math.max(0, ...this.yticks.map(([, words]) => words.length));
    this.before = longest ? 8 + 7 * longest : 0; // room for the words of ticks
    const before = EDGE + this.before + (this.ylabel ? LINE : 0);
    const below = EDGE + (this.xticks.length ? LINE : 0) + (this.xlabel ? LINE : 0);
    let plot = { left: left + before, top: EDGE, width: width - before - EDGE, height: height - EDGE - below };
    if (this.equal) {
      const [across, up] = [this.x, this.y].map(([low, high]) => high - low);
      const unit = Math.min(plot.width / across, plot.height / up);
      const [spareX, spareY] = [plot.width - unit * across, plot.height - unit * up];
      plot = { left: plot.left + spareX / 2, top: plot.top + spareY / 2, width: unit * across, height: unit * up };
    }
    this.plot = plot;
  }

  // A point in page units, to a tenth; what is not finite lies at the edge.
  toPage(x, y) {
    const { left, top, width, height } = this.plot;
    const across = left + ((x - this.x[0]) / (this.x[1] - this.x[0])) * width;
    const down = top + ((this.y[1] - y) / (this.y[1] - this.y[0])) * height;
    return [across, down].map((at) => Math.round(10 * Math.min(Math.max(at || 0, -9999), 9999)) / 10);
  }

  // ---- shapes, in the panel's units ----

  // A line through the points [x, y].
  line(points, colour = "x", { width = 2.5, alpha = 1, dash = false } = {}) {
    const look = { fill: "none", stroke: COLOURS[colour], "stroke-width": width, "stroke-opacity": alpha };
    Object.assign(look, { "stroke-linecap": "round", "stroke-linejoin": "round" });
    if (dash) look["stroke-dasharray"] = `${3 * width} ${2.2 * width}`;
    return this.add(() => svg("polyline", { points: this.join(points), ...look }));
  }

  // The area that the points go around.
  area(points, colour = "x", alpha = 0.3) {
    const look = { fill: COLOURS[colour], "fill-opacity": alpha };
    return this.add(() => svg("polygon", { points: this.join(points), ...look }));
  }

  // A histogram: N + 1 edges, N heights.
  bars(edges, heights, colour = "z", alpha = 0.55) {
    const steps = heights.flatMap((height, i) => [[edges[i], height], [edges[i + 1], height]]);
    return this.area([[edges[0], 0], ...steps, [edges.at(-1), 0]], colour, alpha);
  }

  // Discs; size is their radius in page units.
  dots(points, colour = "x", size = 3, alpha = 1) {
    const disc = (x, y) => `M${x - size} ${y}a${size} ${size} 0 1 0 ${2 * size} 0a${size} ${size} 0 1 0 ${-2 * size} 0`;
    const path = () => points.map(([x, y]) => disc(...this.toPage(x, y))).join("");
    return this.add(() => svg("path", { d: path(), fill: COLOURS[colour], "fill-opacity": alpha }));
  }

  // ImageData, row 0 at the top, over the whole panel.
  image(pixels) {
    const canvas = Object.assign(document.createElement("canvas"), { width: pixels.width, height: pixels.height });
    canvas.getContext("2d").putImageData(pixels, 0, 0);
    const look = { href: canvas.toDataURL(), preserveAspectRatio: "none", style: "image-rendering: pixelated" };
    return this.add(() => {
      const { left: x, top: y, width, height } = this.plot;
      return svg("image", { x, y, width, height, ...look });
    });
  }

  text(x, y, words, colour = "ink", { size = 12, anchor = "middle", baseline = "middle" } = {}) {
    return this.add(() => writeText(...this.toPage(x, y), words, { size, anchor, baseline, colour }), false);
  }

  arrow([x0, y0], [x1, y1], colour = "ink", width = 1.5) {
    return this.add(() => {
      const [from, to] = [this.toPage(x0, y0), this.toPage(x1, y1)];
      const turn = Math.atan2(to[1] - from[1], to[0] - from[0]);
      const back = (length, side) => {
        return [to[0] - length * Math.cos(turn + side), to[1] - length * Math.sin(turn + side)];
      };
      const shaft = svg("polyline", { points: [from, back(6, 0)].join(" "), stroke: COLOURS[colour], "stroke-width": width });
      const tip = svg("polygon", { points: [to, back(9, 0.4), back(9, -0.4)].join(" "), fill: COLOURS[colour] });
      return svg("g", {}, shaft, tip);
    }, false);
  }

  // ---- drawing ----

  join(points) {
    return points.map(([x, y]) => this.toPage(x, y)).join(" ");
  }

  // make(): an element, drawn inside the plot alone where `clip`.
  add(make, clip = true) {
    this.parts.push((whole) => {
      const { left: x, top: y, width, height } = this.plot;
      const place = { x, y, width, height, viewBox: `${x} ${y} ${width} ${height}`, "aria-hidden": "true" };
      whole.append(clip ? svg("svg", place, make()) : make());
    });
    return this;
  }

  drawAxes(whole) {
    const { left, top, width, height } = this.plot;
    const bottom = top + height;
    const rule = (...points) => {
      const look = { stroke: COLOURS.ink, "stroke-opacity": 0.7, "stroke-linecap": "round" };
      whole.append(svg("polyline", { points: points.join(" "), ...look }));
    };
    const write = (x, y, words, look) => whole.append(writeText(x, y, words, { baseline: "top", ...look }));
    if (this.frame) rule([left, bottom], [left + width, bottom]);
    if (this.yticks.length) rule([left, top], [left, bottom]);
    for (const [value, words] of this.xticks) {
      const [across] = this.toPage(value, this.y[0]);
      rule([across, bottom], [across, bottom + 4]);
      write(across, bottom + 6, words);
    }
    for (const [value, words] of this.yticks) {
      const [, down] = this.toPage(this.x[0], value);
      rule([left - 4, down], [left, down]);
      write(left - 8, down, words, { anchor: "end", baseline: "middle" });
    }
    const below = bottom + (this.xticks.length ? 6 + LINE : 6);
    if (this.xlabel) write(left + width / 2, below, this.xlabel, { size: 13 });
    const beside = left - this.before - LINE / 2;
    if (this.ylabel) write(beside, top + height / 2, this.ylabel, { size: 13, baseline: "middle", turned: true });
  }
}

function writeText(x, y, words, { size = 12, anchor = "middle", baseline = "middle", colour = "ink", turned = false }) {
  const look = { x, y, "font-size": size, "text-anchor": anchor, "dominant-baseline": ANCHORS[baseline] };
  const turn = turned ? { transform: `rotate(-90 ${x} ${y})` } : {};
  return svg("text", { ...look, ...turn, fill: COLOURS[colour] }, words);
}

// [number, words] for each tick within a range: those that are wanted, else round ones.
function listTicks([low, high], wanted = roundTicks(low, high)) {
  const slack = 1e-9 * (high - low);
  const pairs = wanted.map((tick) => (Array.isArray(tick) ? tick : [tick, String(tick).replace("-", "\u2212")]));
  return pairs.filter(([value]) => low - slack <= value && value <= high + slack);
}

// Round numbers: the smallest step of 1, 2 or 5 times a power of ten that makes at most five; else the next smaller one.
function roundTicks(low, high) {
  const slack = 1e-9 * (high - low);
  const ten = 10 ** Math.floor(Math.log10((high - low) / 5));
  const steps = [0.2, 0.5, 1, 2, 5, 10].map((factor) => factor * ten);
  const fits = steps.findIndex((step) => 5 * step >= high - low - slack);
  const list = (step) => {
    const [first, last] = [Math.ceil((low - slack) / step), Math.floor((high + slack) / step)];
    return Array.from({ length: last - first + 1 }, (_, i) => Number((step * (first + i)).toPrecision(10)));
  };
  const found = list(steps[fits]);
  return found.length > 1 ? found : list(steps[fits - 1]);
}

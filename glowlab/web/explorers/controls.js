// What explorers are made of: native inputs with our style, so that they work by keyboard, touch and screen reader. Each
// has an `element`, calls a function when a person uses it, and shows what it is told to.

let made = 0; // elements that needed an id

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// A box of the classes gl-<name>, for each of the names.
export function box(names, ...children) {
  return make("div", { className: names.replace(/\S+/g, "gl-$&") }, ...children);
}

export function heading(title, note) {
  const parts = [title && make("h2", { textContent: title }), note && make("p", { textContent: note })];
  return box("heading", ...parts.filter(Boolean));
}

// Change an element's text only where it is another: screen readers read every change aloud.
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A slider with a name at each end; the bar is filled from `rest`, to which a double click returns.
export class Slider {
  constructor({ label, low = "", high = "", min, max, step, rest, signed = false, digits = 2 }, use) {
    Object.assign(this, { low, high, min, max, rest, signed, digits });
    const id = `gl-slider-${++made}`;
    this.input = make("input", { type: "range", id, min, max, step });
    this.output = make("output", { htmlFor: id, "aria-hidden": "true" });
    this.element = box(
      "slider",
      make("label", { htmlFor: id, textContent: label }),
      this.output,
      make("span", { className: "gl-low", textContent: low, "aria-hidden": "true" }),
      this.input,
      make("span", { className: "gl-high", textContent: high, "aria-hidden": "true" }),
    );
    this.element.dataset.tone = "z";
    this.input.addEventListener("input", () => use(Number(this.input.value)));
    this.element.addEventListener("dblclick", () => this.input.disabled || use(this.rest));
  }

  show(value) {
    const { input, output, min, max, rest, element } = this;
    if (Number(input.value) !== value) input.value = value;
    const place = (at) => `${((100 * (Math.min(Math.max(at, min), max) - min)) / (max - min)).toFixed(2)}%`;
    input.style.setProperty("--from", place(Math.min(value, rest)));
    input.style.setProperty("--to", place(Math.max(value, rest)));
    input.style.setProperty("--rest", place(rest));
    output.textContent = this.words(value);
    const end = value === rest ? "" : value > rest ? this.high : this.low;
    input.setAttribute("aria-valuetext", this.words(value).replace("\u2212", "minus ") + (end && `, toward ${end}`));
    element.classList.toggle("gl-moved", value !== rest);
  }

  words(value) {
    const text = value.toFixed(this.digits);
    if (!this.signed) return text;
    return Number(text) === 0 ? "0" : value > 0 ? `+${text}` : `\u2212${text.slice(1)}`;
  }
}

// A slider for each number of a list, with a label each, and where each of them rests.
export class Sliders {
  constructor(row, labels, rest, use) {
    this.sliders = labels.map((label, i) => {
      return new Slider({ ...row, label, rest }, (value) => use(this.values.map((old, j) => (i === j ? value : old))));
    });
    this.element = box("levels", heading("", row.note), ...this.sliders.map((slider) => slider.element));
  }

  show(values) {
    this.values = values;
    values.forEach((value, i) => this.sliders[i].show(value));
  }
}

// One among a few options: native radio buttons, painted as one pill.
export class Choice {
  constructor({ label, options }, use) {
    const name = `gl-choice-${++made}`;
    this.inputs = options.map(([value]) => make("input", { type: "radio", name, value }));
    const labels = options.map(([, text], i) => make("label", {}, this.inputs[i], make("span", { textContent: text })));
    this.group = make("fieldset", {}, make("legend", { textContent: label }), ...labels);
    this.element = box("choice", this.group);
    this.group.addEventListener("change", (event) => use(event.target.value));
  }

  show(value) {
    for (const input of this.inputs) input.checked = input.value === value;
  }
}

export class Tick {
  constructor({ label }, use) {
    const id = `gl-tick-${++made}`;
    this.input = make("input", { type: "checkbox", id });
    this.element = box("toggle", this.input, make("label", { htmlFor: id, textContent: label }));
    this.input.addEventListener("change", () => use(this.input.checked));
  }

  show(value) {
    this.input.checked = value;
  }
}

// The numbers of the levels that are ticked, as text: "134", "none" or "all".
export class Levels {
  constructor({ note, count }, use) {
    this.ticks = Array.from({ length: count }, (_, i) => {
      return new Tick({ label: `level ${i + 1}` }, () => use(joinLevels(this.ticks.map(({ input }) => input.checked))));
    });
    this.element = box("ticks", heading("", note), ...this.ticks.map(({ element }) => element));
  }

  show(value) {
    this.ticks.forEach((tick, i) => tick.show(value === "all" || value.includes(String(i + 1))));
  }
}

function joinLevels(moves) {
  if (!moves.includes(false)) return "all";
  return moves.flatMap((isMoving, level) => (isMoving ? [level + 1] : [])).join("") || "none";
}

export class Button {
  constructor({ label, note = "" }, use, kind = "plain") {
    this.button = make("button", { type: "button", textContent: label, title: note, className: `gl-${kind}` });
    this.element = box("button", this.button);
    this.button.addEventListener("click", () => use());
  }
}

// A button that folds part of a page away and brings it back.
export class Fold {
  constructor(label, content) {
    this.content = content;
    this.button = make("button", { type: "button", textContent: label });
    this.element = box("fold", this.button);
    this.button.addEventListener("click", () => this.show(content.hidden));
    this.show(false);
  }

  show(open) {
    this.content.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
  }
}

function paint(canvas, image) {
  if (canvas.width !== image.width || canvas.height !== image.height) {
    Object.assign(canvas, { width: image.width, height: image.height });
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  canvas.dataset.frame = Number(canvas.dataset.frame || 0) + 1;
}

const isPress = (event) => event.key === " " || event.key === "Enter";

// One picture, enlarged by CSS; while it is pressed it shows `other`, where there is one. compared(): it was pressed.
export class Picture {
  constructor({ tone = "x", sharp = false } = {}, compared = () => {}) {
    Object.assign(this, { tone, compared, held: false, now: {}, other: null });
    this.canvas = make("canvas", { role: "img" });
    this.canvas.style.imageRendering = sharp ? "pixelated" : "auto";
    this.hold = make("button", { type: "button", className: "gl-hold", textContent: "Hold to compare", hidden: true });
    this.frame = box("picture-frame", this.canvas, this.hold);
    this.caption = make("figcaption");
    this.element = box("picture", make("figure", {}, this.frame, this.caption));
    this.element.dataset.tone = tone;
    const release = () => this.press(false);
    this.frame.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.other) return;
      this.frame.setPointerCapture(event.pointerId); // so that the release is heard wherever it happens
      this.press(true);
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) this.frame.addEventListener(name, release);
    this.frame.addEventListener("contextmenu", (event) => this.held && event.preventDefault());
    this.hold.addEventListener("keydown", (event) => {
      if (!isPress(event)) return;
      event.preventDefault();
      this.press(true);
    });
    this.hold.addEventListener("keyup", (event) => isPress(event) && release());
    this.hold.addEventListener("blur", release);
  }

  // now, other: {image: ImageData, label, caption}
  show(now, other = this.other) {
    Object.assign(this, { now, other });
    this.hold.hidden = !other;
    if (other) this.hold.setAttribute("aria-label", `Hold to compare with ${other.caption}`);
    this.frame.classList.toggle("gl-comparable", Boolean(other));
    this.draw();
  }

  draw() {
    const { image, label, caption } = this.held ? this.other : this.now;
    paint(this.canvas, image);
    this.canvas.classList.add("gl-drawn");
    this.canvas.setAttribute("aria-label", label);
    say(this.caption, caption);
  }

  press(held) {
    if (held === this.held || !this.other) return;
    this.held = held;
    this.element.classList.toggle("gl-held", held);
    this.hold.setAttribute("aria-pressed", String(held));
    this.draw();
    if (held) this.compared();
  }
}

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

// A row of small pictures to choose one from, by number: a radio group for the arrow keys.
export class Tiles {
  constructor(label, use) {
    this.use = use;
    this.group = make("div", { role: "radiogroup", "aria-label": label });
    this.element = box("tiles", this.group);
    this.group.addEventListener("keydown", (event) => this.press(event));
  }

  get tiles() {
    return [...this.group.children];
  }

  // As many tiles as names; captions: short words under each.
  name(names, captions = []) {
    while (this.tiles.length > names.length) this.group.lastChild.remove();
    while (this.tiles.length < names.length) this.group.append(this.makeTile(this.tiles.length));
    this.tiles.forEach((tile, i) => {
      tile.title = names[i];
      tile.setAttribute("aria-label", names[i]);
      tile.lastChild.hidden = !captions[i];
      say(tile.lastChild, captions[i] ?? "");
    });
    return this;
  }

  makeTile(number) {
    const caption = make("span", { className: "gl-caption", "aria-hidden": "true" }); // the tile's name says it
    const properties = { type: "button", className: "gl-tile", role: "radio", "aria-checked": "false", tabIndex: -1 };
    const tile = make("button", properties, make("canvas"), caption);
    tile.addEventListener("click", () => this.use(number));
    return tile;
  }

  draw(number, image) {
    paint(this.tiles[number].firstChild, image);
  }

  // The chosen one; -1: none
  show(number) {
    this.tiles.forEach((tile, i) => {
      tile.setAttribute("aria-checked", String(i === number));
      tile.tabIndex = i === Math.max(number, 0) ? 0 : -1;
    });
  }

  press(event) {
    const { tiles } = this;
    const now = tiles.indexOf(document.activeElement);
    const ends = { Home: 0, End: tiles.length - 1 };
    const next = ends[event.key] ?? (now + STEPS[event.key] + tiles.length) % tiles.length;
    if (now < 0 || !tiles[next]) return;
    event.preventDefault();
    tiles[next].focus();
    this.use(next);
  }
}

// Save a picture, ImageData, as a PNG file; each pixel becomes a square.
export function savePicture(image, name) {
  const scale = Math.max(1, Math.floor(512 / image.width));
  const [small, large] = [make("canvas"), make("canvas", { width: scale * image.width, height: scale * image.height })];
  paint(small, image);
  const pen = large.getContext("2d");
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, 0, 0, large.width, large.height);
  large.toBlob((content) => {
    const link = make("a", { href: URL.createObjectURL(content), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  });
}

// A strip of numbers: {name, value, note}; optional: unit, tone (as in figures/colours.py), flag, stale.
export class Readout {
  constructor() {
    this.list = make("dl");
    this.element = box("readout", this.list);
  }

  show(entries) {
    while (this.list.children.length < entries.length) {
      const parts = [make("dt"), make("dd", { className: "gl-number" }), make("dd", { className: "gl-note" })];
      this.list.append(make("div", {}, ...parts));
    }
    entries.forEach(({ name, value, unit, note, tone = "", flag, stale }, i) => {
      const entry = this.list.children[i];
      const [title, number, remark] = entry.children;
      entry.dataset.tone = tone;
      entry.classList.toggle("gl-flag", Boolean(flag));
      entry.classList.toggle("gl-stale", Boolean(stale));
      say(title, name);
      say(number, unit ? `${value}\u2009${unit}` : value);
      say(remark, note);
    });
  }
}

// A description of the picture, which screen readers read aloud, and a hint.
export class Words {
  constructor() {
    this.says = make("p", { className: "gl-says", role: "status", "aria-live": "polite" });
    this.hint = make("p", { className: "gl-hint", hidden: true });
    this.element = box("words", this.says, this.hint);
  }

  say(text) {
    say(this.says, text);
  }

  advise(hint) {
    say(this.hint, hint);
    this.hint.hidden = !hint;
  }
}

// A sentence above everything, to be closed.
export class Notice {
  count = 0; // of sentences so far

  constructor() {
    this.text = make("span");
    const close = make("button", { type: "button", textContent: "\u00d7", "aria-label": "Close this message" });
    this.element = make("div", { className: "gl-notice", role: "alert", hidden: true }, this.text, close);
    close.addEventListener("click", () => this.show(""));
  }

  get isBad() {
    return !this.element.hidden && this.element.classList.contains("gl-bad");
  }

  show(text, kind = "info") {
    this.count++;
    this.element.hidden = !text;
    this.element.classList.toggle("gl-bad", kind === "bad");
    say(this.text, text);
  }
}

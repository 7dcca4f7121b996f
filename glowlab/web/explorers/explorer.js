// Base of all explorers, a custom element each: title and promise, notices, actions, words and numbers, the address,
// hidden controls, updates. Its settings are one table, settings/NAME.json.

import { GlowError } from "../js/checkpoint.js";
import { openModel } from "../js/engine.js";
import { toImageData } from "../js/pixels.js";
import { Address, isSetting, writeQuery } from "./address.js";
import { Button, Choice, Levels, Notice, Readout, Slider, Sliders, Tick, Words, box, heading, make } from "./controls.js";
import { Updater } from "./updater.js";
import { hasPicture } from "./upload.js";
import { nameFaces, wording } from "./words.js";

const SORRY = "That did not work, and the fault is ours. The picture stays as it was; Reset starts again.";
const NO_UPLOAD = "This page takes no picture of your own; the studio does.";
const SATURATED = 0.03; // share of clamped values above which a hint warns
const CONTROLS = { slider: Slider, choice: Choice, tick: Tick, levels: Levels };

// Attributes: `models`, addresses of NAME.bin, of which ?model=NAME chooses one, else the first; `address`: the page's
// address holds this explorer's settings. A subclass has a static `table` and defines
//
//   build()     makes its parts, names in `this.parts` those that ?controls= can hide, and gives the elements
//   show()      an asynchronous generator: shows the newest settings; at each `yield` a newer state may take over
//   settle()    another, for slower work while nothing moves
//   complete(changes, values)    changes of settings, and what follows from them
//
// What a person sets is in `this.values`, by name. Each change of it is told by an event: glow-change, {name, value}.
// Pictures come from `this.engine`, as of js/engine.js: {head, directions, measured, notes}, and encode, decode, draw
// and bitsPerDim, which answer with promises.
export class Explorer extends HTMLElement {
  connectedCallback() {
    if (this.opened) return;
    this.classList.add("gl", "gl-explorer");
    this.notice = new Notice();
    this.opened = this.open().catch((error) => {
      this.loading?.remove();
      this.fail(error);
    });
  }

  // ---- opening -----------------------------------------------------------------------------------------------------

  // What stands here already, a poster, stays until the first pictures are drawn.
  async open() {
    if (!this.childElementCount) this.append(box("head", ...this.titles()));
    this.prepend(this.notice.element);
    const asked = new Address(this.hasAttribute("address") ? location.search : "");
    this.engine = await this.startEngine(asked);
    this.head = this.engine.head;
    this.rows = this.makeRows();
    this.values = this.rests;
    Object.assign(this, { parts: {}, controls: {}, learned: new Set(), clamped: 0 });
    Object.assign(this, { paints: new Map(), onTiles: new WeakMap() }); // what is drawn next; pixels of each tile
    this.words = new Words();
    this.readout = new Readout();
    const children = this.build();
    this.updater = new Updater(() => this.showNow(), () => this.settleNow(), (error) => this.fail(error));
    this.addEventListener("keydown", (event) => event.stopPropagation()); // keys are for this, not for JupyterLab
    this.listen();
    this.take(asked);
    await this.updater.finish(() => this.show(), () => true);
    this.replaceChildren(box("head", ...this.titles(), this.notice.element), ...children);
    if (this.hasAttribute("address")) document.documentElement.classList.add("gl-ready");
    this.updater.request();
  }

  titles() {
    const { title, promise } = this.constructor.table;
    const dims = this.head ? `${this.dims.toLocaleString("en")} ` : "";
    const words = promise.replace("{dims} ", dims);
    const [name, text] = [title, words].map((each) => (this.head ? this.speak(each) : each));
    return [make("h1", { textContent: name }), make("p", { className: "gl-promise", textContent: text })];
  }

  // Numbers of a picture.
  get dims() {
    return this.head.config.shape.reduce((a, b) => a * b);
  }

  // The engine that computes; a host without addresses of models puts its own function here.
  async startEngine(asked) {
    const models = (this.getAttribute("models") ?? "").split(/\s+/).filter(Boolean);
    const wanted = asked.asked.model;
    const found = models.find((address) => address.split("/").at(-1) === `${wanted}.bin`);
    if (wanted && !found) {
      asked.leaveOut("model", wanted);
      delete asked.asked.model;
    }
    const address = found ?? models[0];
    const progress = this.showProgress();
    return shareEngine(address, () => openModel(address, { progress }));
  }

  // A bar that tells how much of the model has come; the function to tell it.
  showProgress() {
    const bar = make("progress", { "aria-label": "The model is on its way", max: 1, value: 0 });
    this.loading = box("loading", bar);
    this.querySelector(".gl-head").after(this.loading);
    return (bytes, of) => (of ? (bar.value = bytes / of) : bar.removeAttribute("value"));
  }

  // Settings and hidden controls, as an address asks for; a part stays with those around it and in it. An address that
  // tells no settings opens on those of the host, or on the table's example.
  take(asked) {
    const shown = asked.readControls([...Object.keys(this.parts), "model"]);
    const kept = shown.flatMap((name) => this.parts[name] ?? []);
    for (const part of Object.values(this.parts).flat()) {
      part.hidden = shown.length > 0 && !kept.some((other) => other.contains(part) || part.contains(other));
    }
    const { model, size, token } = asked.asked;
    this.about = { model, controls: shown.join(","), size, token };
    const found = asked.read(this.rows);
    const opening = this.initial?.() ?? this.opening;
    this.values = this.complete(Object.keys(found).length || asked.isLost ? found : opening, this.rests);
    this.follow();
    this.notify([...this.engine.notes, asked.sentence()].filter(Boolean).join(" "));
  }

  // Pictures that are dropped or pasted beside a field, on a page of its own anywhere there, come here, too: a browser
  // would show them in place of the page.
  listen() {
    const area = this.hasAttribute("address") ? document : this;
    area.addEventListener("dragover", (event) => event.preventDefault());
    for (const name of ["drop", "paste"]) {
      area.addEventListener(name, (event) => {
        if (event.defaultPrevented || !this.isConnected) return;
        if (this.receive(event.dataTransfer ?? event.clipboardData) || name === "drop") event.preventDefault();
      });
    }
  }

  // Use what was dropped or pasted; whether there was anything to use.
  receive(transfer) {
    const isPicture = hasPicture(transfer);
    if (isPicture) this.notify(NO_UPLOAD, "bad");
    return isPicture;
  }

  // ---- settings ----------------------------------------------------------------------------------------------------

  // The table's rows for this model.
  makeRows() {
    return adaptRows(this.constructor.table.rows, this.head);
  }

  // Settings of the example that it opens on.
  get opening() {
    return adapt(this.constructor.table, this.head).opening ?? {};
  }

  row(name) {
    return this.rows.find((row) => row.name === name);
  }

  get rests() {
    return Object.fromEntries(this.rows.filter(isSetting).map(({ name, rest }) => [name, rest]));
  }

  complete(changes, values) {
    return { ...values, ...changes };
  }

  // A person used a control: the lesson is learned, and settings change.
  use(lesson, changes) {
    this.learned.add(lesson);
    this.change(changes);
  }

  change(changes) {
    const before = this.values;
    this.mistake = this.notice.isBad && this.notice.count; // goes with the next picture; one that comes meanwhile stays
    this.values = this.complete(changes, before);
    this.follow();
    for (const [name, value] of Object.entries(this.values)) {
      if (String(value) === String(before[name])) continue;
      this.dispatchEvent(new CustomEvent("glow-change", { bubbles: true, detail: { name, value } }));
    }
    this.updater.request();
  }

  // All settings where they rest, but those to keep.
  reset() {
    this.notify("");
    const rows = this.rows.filter((row) => isSetting(row) && !row.keep);
    this.use("reset", Object.fromEntries(rows.map(({ name, rest }) => [name, rest])));
  }

  // Controls show the settings.
  follow() {
    for (const [name, control] of Object.entries(this.controls)) control.show(this.values[name]);
  }

  // ---- parts -------------------------------------------------------------------------------------------------------

  // The control of a setting.
  control(name) {
    const row = this.row(name);
    const control = new CONTROLS[row.kind](row, this.guard((value) => this.use(row.lesson ?? name, { [name]: value })));
    this.controls[name] = control;
    this.parts[name] = control.element;
    return control.element;
  }

  // A slider for each number of a list, for instance for each level of the model.
  controlEach(name, labels, rest) {
    const use = this.guard((values) => this.use(name, { [name]: values }));
    const control = new Sliders(this.row(name), labels, rest, use);
    this.controls[name] = control;
    return control.element;
  }

  button(name, action, kind) {
    const button = new Button(this.row(name), this.guard(action), kind);
    this.parts[name] = button.element;
    return button.element;
  }

  // The row of buttons: Surprise me, Reset, and more.
  actions(surprise, ...more) {
    const buttons = [this.button("surprise", surprise, "primary"), this.button("reset", () => this.reset())];
    return box("actions", ...buttons, ...more);
  }

  // A part of the page with its own heading. One named as a control in it hides and shows both.
  card(name, ...children) {
    const { title, label, note } = this.row(name);
    this.parts[name] = box("card", heading(title ?? label, note), ...children);
    return this.parts[name];
  }

  numbers() {
    this.parts.numbers = box("numbers", this.readout.element);
    return this.parts.numbers;
  }

  // ---- what is said ------------------------------------------------------------------------------------------------

  // A sentence on faces, for this model.
  speak(text) {
    return nameFaces(text, this.head.people);
  }

  // A sentence above the picture until something changes; kind "info" or "bad". Gives its number.
  notify(text, kind) {
    this.notice.show(text, kind);
    return this.notice.count;
  }

  // The sentence of this number goes, if no other took its place.
  retract(number) {
    if (number === this.notice.count) this.notify("");
  }

  fail(error) {
    if (!(error instanceof GlowError)) console.error(error);
    this.notify(error instanceof GlowError ? error.message : SORRY, "bad");
  }

  // An action whose mistakes become a sentence.
  guard(action) {
    return async (...given) => {
      try {
        return await action(...given);
      } catch (error) {
        return this.fail(error);
      }
    };
  }

  // A lesson that changes no setting is learned: the next hint.
  learn(lesson) {
    this.learned.add(lesson);
    this.words.advise(this.hint());
  }

  // The first hint whose lesson was not learned yet; or a warning of many clamped values, `this.clamped` of all.
  hint() {
    const share = (100 * this.clamped).toFixed(0);
    if (this.clamped > SATURATED) return `${share}% of the values are at full dark or full light: ${this.calmer}.`;
    return this.hints.find(([lesson]) => !this.learned.has(lesson))?.[1] ?? "";
  }

  get calmer() {
    return "a smaller move looks better";
  }

  get hints() {
    return this.constructor.table.hints.map(([lesson, text]) => [lesson, this.speak(text)]);
  }

  // ---- updates -----------------------------------------------------------------------------------------------------

  // Draw with the next frame of the screen; of several with one key, the last.
  paint(key, draw) {
    if (!this.paints.size) {
      requestAnimationFrame(() => {
        const draws = [...this.paints.values()];
        this.paints.clear();
        for (const each of draws) this.guard(each)();
      });
    }
    this.paints.set(key, draw);
  }

  // Pixels on a tile with the next frame.
  drawTile(tiles, number, pixels) {
    const tile = tiles.tiles[number];
    if (this.onTiles.get(tile) === pixels) return;
    this.onTiles.set(tile, pixels);
    this.paint(tile, () => tiles.draw(number, toImageData(pixels, this.head.config.shape)));
  }

  async *showNow() {
    this.dataset.state = "moving";
    yield* this.show();
    this.retract(this.mistake);
  }

  async *settleNow() {
    this.dataset.state = "settling";
    if (this.hasAttribute("address")) this.remember();
    yield* this.settle();
    this.dataset.state = "resting";
  }

  // Put the settings into the page's address.
  remember() {
    const size = new URLSearchParams(location.search).get("size"); // which a button of the page may have changed
    const query = writeQuery(this.rows, this.values, { ...this.about, size });
    history.replaceState(history.state, "", query ? `?${query}` : location.pathname);
  }
}

// The engine of a model, one for all explorers of a page, also of those that come with scripts of their own.
export function shareEngine(model, start) {
  const engines = (globalThis.glowEngines ??= new Map());
  if (!engines.has(model)) engines.set(model, start());
  const engine = engines.get(model);
  engine.catch(() => engines.delete(model)); // the next one tries again
  return engine;
}

// A row, or a table, for a model: `real` holds for all but drawn faces.
function adapt(row, { people }) {
  return people === "drawn faces" ? row : { ...row, ...row.real };
}

// A table's rows for a model: one for each of its attributes, and words that name what it learned from.
function adaptRows(rows, head) {
  const attributes = (row) => head.directions.map(({ name }) => ({ ...row, ...wording(name), name, kind: "slider" }));
  return rows.flatMap((row) => (row.kind === "attributes" ? attributes(row) : row)).map((row) => {
    const all = adapt(row, head);
    const spoken = ["title", "note", row.kind === "slider" ? "" : "label"].filter((name) => all[name]);
    const words = Object.fromEntries(spoken.map((name) => [name, nameFaces(all[name], head.people)]));
    const count = ["sliders", "levels"].includes(row.kind) ? head.latent_shapes.length : undefined;
    return { ...all, ...words, count, keys: head.gallery.map(({ key }) => key) };
  });
}

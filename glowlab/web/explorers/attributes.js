// Attributes: directions in latent space, the change that each makes, labels, and how directions overlap.

import { effectiveTemperature, scale } from "../js/latents.js";
import { blank, overlap, positions } from "./charts.js";
import { Picture, Words, box } from "./controls.js";
import { EditExplorer } from "./edits.js";
import { Labelled, cosine, project } from "./labelled.js";
import { STRONG, findChange, locateChange, paintChange } from "./measures.js";
import { Board } from "./panel.js";
import attributesTable from "./settings/attributes.json" with { type: "json" };
import { wording } from "./words.js";

const LIMIT = 1.3; // effective temperature up to which the model's pictures stay free of black and white spots
const HELD = "Several long steps at once: the latents are held at an effective temperature of 1.3.";
const UNPLACED = "No labelled faces were measured for this model.";
const TEN = 10;

export class AttributesExplorer extends EditExplorer {
  static table = attributesTable;

  // Of the numbers of labels, those that this model has; of attributes to look at, its own.
  makeRows() {
    this.labelled = new Labelled(this.engine);
    const names = this.head.directions.map(({ name }) => name);
    const opening = Object.keys(this.opening).find((name) => names.includes(name)) ?? names[0];
    return super.makeRows().map((row) => {
      const isPossible = ([value]) => value === "own" || this.labelled.isPossible(Number(value));
      if (row.name === "labels") return { ...row, options: row.options.filter(isPossible) };
      if (row.name === "ten") return { ...row, max: this.hasOthers ? row.max : 1 };
      if (row.name !== "look") return row;
      return { ...row, rest: opening, options: names.map((name) => [name, wording(name).label]) };
    });
  }

  get hasOthers() {
    return this.labelled.isPossible(TEN, 1);
  }

  // ---- parts -------------------------------------------------------------------------------------------------------

  buildParts() {
    this.steps = this.engine.directions; // those that the sliders move along
    this.changed = new Picture({ tone: "z" });
    this.note = new Words();
    [this.placesChart, this.overlapChart] = [new Board(), new Board()];
    this.placesChart.show(blank(UNPLACED));
    const sliders = this.buildSliders();
    const pictures = box("trio same", ...[this.original, this.edited, this.changed].map(({ element }) => element));
    const actions = this.actions(() => this.surprise());
    const show = box("show", pictures, actions, this.words.element, this.numbers());
    const look = this.control("look");
    look.classList.add("gl-wrap");
    const cards = [this.buildGallery(), this.buildLabels(), this.card("places", look, this.placesChart.element)];
    cards.push(this.card("overlap", this.overlapChart.element));
    return [box("stage", show, sliders), box("cards", ...cards)];
  }

  buildLabels() {
    const row = box("row", this.control("labels"));
    if (this.hasOthers) row.append(this.button("others", () => this.use("others", { ten: (this.values.ten % TEN) + 1 })));
    return this.card("labels", row, this.note.element);
  }

  // ---- settings ----------------------------------------------------------------------------------------------------

  // The attribute that a person moves is the one to look at; of several at once, the one moved most.
  complete(changes, values) {
    const next = super.complete(changes, values);
    for (const name of ["labels", "look"]) {
      if (!this.row(name).options.some(([value]) => value === next[name])) next[name] = values[name];
    }
    if (changes.look === next.look) return next;
    const moved = this.edits.filter((name) => name in changes && changes[name] && changes[name] !== values[name]);
    if (moved.length) next.look = moved.reduce((a, b) => (Math.abs(next[b]) > Math.abs(next[a]) ? b : a));
    return next;
  }

  follow() {
    super.follow();
    if (this.hasOthers) this.parts.others.firstChild.disabled = this.count !== TEN;
  }

  reset() {
    this.learned.add("back");
    super.reset();
  }

  get hints() {
    return super.hints.filter(([lesson]) => lesson !== "others" || this.hasOthers);
  }

  surprise() {
    this.use("surprise", this.surpriseEdits());
  }

  // The number of labels, 0 for the model's own directions; and which ten.
  get count() {
    return this.values.labels === "own" ? 0 : Number(this.values.labels);
  }

  get batch() {
    return this.count === TEN ? this.values.ten - 1 : 0;
  }

  // ---- updates -----------------------------------------------------------------------------------------------------

  // Latents to decode, never beyond LIMIT: directions from few labels are mostly chance, and so long that several would
  // lead away from all faces.
  latents(start) {
    const now = this.edit(start.latents, this.steps);
    const reached = effectiveTemperature(now);
    const most = Math.max(LIMIT, effectiveTemperature(start.latents));
    this.isHeld = reached > most * (1 + 1e-4);
    return this.isHeld ? scale(now, most / reached) : now;
  }

  // Use the chosen directions; those that need labelled faces are found at rest. Whether they are used.
  async takeDirections() {
    const { count, batch } = this;
    if (count && !this.labelled.isReady(count, batch)) return false;
    const found = count ? (await this.labelled.find(count, batch).next()).value : {};
    this.steps = { ...this.engine.directions, ...found };
    this.made = `${count} ${batch}`;
    return true;
  }

  get key() {
    return JSON.stringify([this.values.face, this.amounts, Object.keys(this.amounts).length && this.made]);
  }

  async *show() {
    await this.takeDirections();
    const start = await this.gallery.open(this.values.face);
    const latents = this.latents(start);
    const drawn = await this.pictures.get(this.key, () => this.decode(latents));
    this.now = { latents };
    const { shape } = this.head.config;
    const change = findChange(start.pixels, drawn.pixels, shape);
    const label = `Where it changed: ${locateChange(change, shape)}. ${STRONG} grey levels are brightest.`;
    const changed = { image: paintChange(change, shape), caption: "the change", label };
    this.showPair(start, drawn, () => this.changed.show(changed));
    this.showPlace();
    this.showOverlap();
    yield;
    yield* this.showGalleries();
  }

  async *settle() {
    const { count, batch } = this;
    if (!this.labelled.isReady(count, batch) && count) {
      for (const finding = this.labelled.find(count, batch); ; ) {
        const { value, done } = await finding.next();
        if (done) break;
        this.note.say(`${Math.floor((4 * value) / count) * 25} % of ${count} labelled faces encoded.`);
        yield;
      }
      yield* this.show();
    }
    this.describe();
    const { key } = this;
    this.bits = await this.measured.get(key, () => this.engine.bitsPerDim(this.now.drawn.pixels));
    yield;
    this.paint("numbers", () => this.showNumbers(false));
  }

  describe() {
    const { count, says } = this;
    const labels = count.toLocaleString("en");
    const isUnsure = count && Object.keys(this.amounts).length;
    this.words.say(isUnsure ? `${says.slice(0, -1)}, as far as ${labels} labels know it.` : says);
    this.words.advise(this.isHeld ? HELD : this.hint());
    const { look } = this.values;
    const alike = cosine(this.steps[look], this.engine.directions[look]).toFixed(2);
    const title = wording(look).label.toLowerCase();
    const few = `From ${labels} labels: the direction of ${title} has cosine ${alike} with the model's own.`;
    this.note.say(count ? few : describeDirections(this.head.made));
  }

  showPlace() {
    const { look } = this.values;
    const found = this.labelled.numbers("places", look);
    const step = this.engine.directions[look];
    const [before, after] = [this.now.start.latents, this.now.latents].map((latents) => project(latents, step));
    this.paint("places", () => {
      if (!found.length) this.placesChart.show(blank(UNPLACED));
      else this.placesChart.show(positions(wording(look), found, this.labelled.numbers("labels", look), before, after));
    });
  }

  showOverlap() {
    const { look } = this.values;
    const shown = `${this.made} ${look}`;
    if (shown === this.overlapping) return;
    this.overlapping = shown;
    const steps = this.edits.map((name) => this.steps[name]);
    const cosines = steps.map((a) => steps.map((b) => cosine(a, b)));
    const titles = this.edits.map((name) => wording(name).label);
    this.paint("overlap", () => this.overlapChart.show(overlap(titles, cosines, this.edits.indexOf(look))));
  }
}

// One sentence on how a model's own directions were made.
function describeDirections({ count, parted }) {
  const labels = count ? `, from ${count.toLocaleString("en")} labels` : "";
  return `These are the model's own${labels}${parted ? ", parted by measuring what each of them moves" : ""}.`;
}

// Base of the explorers that edit a face: a slider for each attribute, and the sum of their directions.

import { GlowError } from "../js/checkpoint.js";
import { add } from "../js/latents.js";
import { Picture, box, heading } from "./controls.js";
import { FaceExplorer } from "./faces.js";
import { difference } from "./measures.js";
import { describe } from "./words.js";

const NO_DIRECTIONS = "This model has no directions yet; make them with: glowlite directions";

export class EditExplorer extends FaceExplorer {
  build() {
    this.edits = this.head.directions.map(({ name }) => name);
    if (!this.edits.length) throw new GlowError(NO_DIRECTIONS);
    this.original = new Picture({ tone: "x" });
    this.edited = new Picture({ tone: "z" }, () => this.learn("compare"));
    return super.build();
  }

  buildSliders() {
    const { label } = this.constructor.table.rows.find(({ kind }) => kind === "attributes");
    return box("sliders", heading(label), ...this.edits.map((name) => this.control(name)));
  }

  buildGallery() {
    const tiles = this.makeGallery("face", "Faces to start from");
    this.parts.upload = this.upload(this.row("upload"), [this], (face) => this.start(face));
    return this.card("gallery", box(this.galleryRow, tiles, this.parts.upload));
  }

  // ---- settings ----------------------------------------------------------------------------------------------------

  // Amounts of the attributes that are moved, by name.
  get amounts() {
    return Object.fromEntries(this.edits.map((name) => [name, this.values[name]]).filter(([, amount]) => amount));
  }

  // The settings of a face as it is.
  get unedited() {
    const rows = this.rows.filter(({ kind, keep }) => kind === "slider" && !keep);
    return Object.fromEntries(rows.map(({ name }) => [name, 0]));
  }

  // Two to four attributes, moved at random.
  surpriseEdits() {
    const [names, changes] = [[...this.edits], this.unedited];
    for (let count = Math.floor(between(2, 5)); count && names.length; count--) {
      changes[pick(names)] = (pick([-1, 1]) * Math.round(50 * between(0.4, 1))) / 50;
    }
    return changes;
  }

  // A person's own picture, without edits, to show first that it comes back exactly.
  async start(face) {
    const { pixels } = await this.decode(face.latents);
    this.use("upload", { ...this.unedited, face: face.key });
    const same = difference(pixels, face.pixels) === 0 ? ", and every pixel is the same" : "";
    return `Your picture went through the flow and back${same}.`;
  }

  // ---- pictures ----------------------------------------------------------------------------------------------------

  // Latents + sum of amount * direction; without edits, the latents bit for bit.
  edit(latents, directions = this.engine.directions) {
    const steps = Object.entries(this.amounts);
    return steps.reduce((now, [name, amount]) => add(now, directions[name], amount), latents);
  }

  // Both pictures and the numbers, with the next frame.
  showPair(start, drawn, more = () => {}) {
    this.clamped = drawn.clamped;
    this.now = { ...this.now, start, drawn, change: difference(drawn.pixels, start.pixels) };
    const before = this.frame(start.pixels, "before", `Before: ${start.name}.`);
    const after = this.frame(drawn.pixels, "after", `After: ${this.says}`);
    this.paint("pictures", () => {
      this.original.show(before);
      this.edited.show(after, before);
      this.showNumbers(true);
      more();
    });
  }

  describeEdits(more = {}) {
    const { face } = this.values;
    const unlike = this.gallery.find(face)?.foreign ? this.head.people : "";
    return describe(this.gallery.name(face), this.amounts, { ...more, unlike });
  }

  get says() {
    return this.describeEdits();
  }

  showNumbers(stale) {
    this.readout.show(this.entries(this.now.drawn, this.now.change, stale));
  }
}

export const between = (low, high) => low + (high - low) * Math.random();

// One of a list at random, taken out of it.
export const pick = (list) => list.splice(Math.floor(list.length * Math.random()), 1)[0];

// The studio: a face, a slider for each attribute, a second face to blend with, fresh faces, numbers.

import { GlowError } from "../js/checkpoint.js";
import { add, lerp, slerp } from "../js/latents.js";
import { toImageData } from "../js/pixels.js";
import { FRESH, readFresh, writeFresh } from "./address.js";
import { Picture, Tiles, box, heading, savePicture } from "./controls.js";
import { FaceExplorer } from "./faces.js";
import { difference } from "./measures.js";
import studioTable from "./settings/studio.json" with { type: "json" };
import { describe } from "./words.js";

const PATHS = { linear: lerp, spherical: slerp };
const NUMBERS = Array.from({ length: FRESH }, (_, i) => i + 1);
const NO_DIRECTIONS = "This model has no directions yet; make them with: glowlite directions";

export class StudioExplorer extends FaceExplorer {
  static table = studioTable;

  // ---- parts -------------------------------------------------------------------------------------------------------

  buildParts() {
    this.attributes = this.head.directions.map(({ name }) => name);
    if (!this.attributes.length) throw new GlowError(NO_DIRECTIONS);
    this.original = new Picture({ tone: "x" });
    this.edited = new Picture({ tone: "z" }, () => this.learn("compare"));
    const title = heading(studioTable.rows.find(({ kind }) => kind === "attributes").label);
    const sliders = box("sliders", title, ...this.attributes.map((name) => this.control(name)));
    const actions = this.actions(() => this.surprise(), this.button("download", () => this.download()));
    const pictures = box("pair", this.original.element, this.edited.element);
    const show = box("show", pictures, actions, this.words.element, box("numbers", this.readout.element));
    const cards = [this.buildGallery(), this.buildBlend(), this.buildFresh()];
    return [box("stage", show, sliders), box("cards", ...cards)];
  }

  buildGallery() {
    const { faces } = this.gallery;
    this.galleryTiles = new Tiles("Faces to start from", (number) => this.choose({ face: faces[number].key }));
    this.galleryTiles.name(faces.map(({ name }) => name));
    faces.forEach(({ pixels }, number) => this.drawTile(this.galleryTiles, number, pixels));
    this.parts.upload = this.upload(this.row("upload").label, this, (face) => this.start(face));
    return this.card("gallery", box(this.galleryRow, this.galleryTiles.element, this.parts.upload));
  }

  buildBlend() {
    this.partnerTiles = new Tiles("Faces to blend with", (number) => this.choosePartner(this.known[number]));
    const way = box("row", this.control("blend"), this.control("way"));
    return this.card("blend", box(this.galleryRow, this.partnerTiles.element), way);
  }

  buildFresh() {
    this.freshTiles = new Tiles("Fresh faces", (number) => this.choose({ face: this.freshKeys[number] }, "fresh"));
    this.freshTiles.name(NUMBERS.map((number) => `fresh face ${number}`));
    const more = this.button("new", () => this.use("fresh", { seed: this.values.seed + 1 }));
    const card = this.card("fresh", this.freshTiles.element, box("row", this.control("temperature"), more));
    card.classList.add("gl-wide");
    return card;
  }

  // ---- settings ----------------------------------------------------------------------------------------------------

  // A start that is one of the fresh faces shown follows their temperature.
  complete(changes, values) {
    const next = super.complete(changes, values);
    const fresh = readFresh(next.face);
    const isShown = fresh && fresh.seed === values.seed && fresh.temperature === Number(values.temperature.toFixed(2));
    if (isShown && next.face === values.face && next.seed === values.seed) {
      next.face = writeFresh({ ...fresh, temperature: next.temperature });
    }
    return next;
  }

  follow() {
    super.follow();
    const { face, partner, seed, temperature } = this.values;
    this.freshKeys = NUMBERS.map((number) => writeFresh({ seed, temperature, number }));
    this.partnerTiles.name(this.known.map((key) => this.gallery.name(key)));
    this.galleryTiles.show(this.gallery.faces.findIndex(({ key }) => key === face));
    this.freshTiles.show(this.freshKeys.indexOf(face));
    this.partnerTiles.show(this.known.indexOf(partner));
  }

  // The choice of a second face changes the picture.
  choosePartner(partner) {
    this.use("blend", { partner, blend: this.values.blend || 0.5 });
  }

  // Without edits and blend, the face as it is.
  get unedited() {
    return { ...Object.fromEntries(this.attributes.map((name) => [name, 0])), blend: 0 };
  }

  // Two to four attributes move and, one time in three, another face is blended in.
  surprise() {
    const between = (low, high) => low + (high - low) * Math.random();
    const pick = (list) => list.splice(Math.floor(list.length * Math.random()), 1)[0];
    const [names, changes] = [[...this.attributes], this.unedited];
    for (let count = Math.floor(between(2, 5)); count && names.length; count--) {
      changes[pick(names)] = (pick([-1, 1]) * Math.round(50 * between(0.4, 1))) / 50;
    }
    const others = this.gallery.faces.map(({ key }) => key).filter((key) => key !== this.values.face);
    if (Math.random() < 1 / 3) {
      Object.assign(changes, { partner: pick(others), blend: Number(between(0.2, 0.6).toFixed(2)) });
    }
    this.use("surprise", changes);
  }

  download() {
    savePicture(toImageData(this.now.drawn.pixels, this.head.config.shape), "glow-studio.png");
  }

  // A person's own picture, without edits, to show first that it comes back exactly.
  async start(face) {
    const { pixels } = await this.decode(face.latents);
    this.use("upload", { ...this.unedited, face: face.key });
    const same = difference(pixels, face.pixels) === 0 ? ", and every pixel is the same" : "";
    return `Your picture went through the flow and back${same}.`;
  }

  // ---- updates -----------------------------------------------------------------------------------------------------

  // Amounts of the attributes that are moved, by name.
  get amounts() {
    return Object.fromEntries(this.attributes.map((name) => [name, this.values[name]]).filter(([, amount]) => amount));
  }

  // (Blend of start and partner) + sum of amount * direction; without edits, the start's latents bit for bit.
  async latents(start) {
    const { partner, blend, way } = this.values;
    let now = start.latents;
    if (blend) now = PATHS[way](now, (await this.gallery.open(partner)).latents, blend);
    for (const [name, amount] of Object.entries(this.amounts)) now = add(now, this.engine.directions[name], amount);
    return now;
  }

  // Of all that the picture depends on.
  get key() {
    const { face, partner, blend, way } = this.values;
    return JSON.stringify([face, blend && [partner, blend, way], this.amounts]);
  }

  async *show() {
    const { key, says } = this;
    const start = await this.gallery.open(this.values.face);
    const drawn = await this.pictures.get(key, async () => this.decode(await this.latents(start)));
    this.clamped = drawn.clamped;
    this.now = { drawn, change: difference(drawn.pixels, start.pixels) };
    const before = this.frame(start.pixels, "before", `Before: ${start.name}.`);
    const after = this.frame(drawn.pixels, "after", `After: ${says}`);
    this.paint("pictures", () => {
      this.original.show(before);
      this.edited.show(after, before);
      this.showNumbers(true);
    });
    yield;
    yield* this.showTiles(this.partnerTiles, this.known);
    yield* this.showTiles(this.freshTiles, this.freshKeys);
  }

  get says() {
    const { face, partner, blend } = this.values;
    const unlike = this.gallery.find(face)?.foreign ? this.head.people : "";
    return describe(this.gallery.name(face), this.amounts, { partner: this.gallery.name(partner), blend, unlike });
  }

  // Bits per dimension, then words.
  async *settle() {
    const { key, says } = this;
    this.bits = await this.measured.get(key, () => this.engine.bitsPerDim(this.now.drawn.pixels));
    yield;
    this.paint("numbers", () => this.showNumbers(false));
    this.words.say(says);
    this.words.advise(this.hint());
  }

  showNumbers(stale) {
    this.readout.show(this.entries(this.now.drawn, this.now.change, stale));
  }
}

// The studio: a face, a slider for each attribute, a second face to blend with, fresh faces, numbers.

import { GlowError } from "../js/checkpoint.js";
import { add, effectiveTemperature, lerp, slerp } from "../js/latents.js";
import { toImageData } from "../js/pixels.js";
import { FRESH, readFresh, writeFresh } from "./address.js";
import { Picture, Tiles, Upload, box, heading, savePicture } from "./controls.js";
import { Explorer } from "./explorer.js";
import { Gallery } from "./gallery.js";
import { difference } from "./measures.js";
import studioTable from "./settings/studio.json" with { type: "json" };
import { Cache } from "./updater.js";
import { describe, numberEntries, remarkBits } from "./words.js";

const PATHS = { linear: lerp, spherical: slerp };
const NUMBERS = Array.from({ length: FRESH }, (_, i) => i + 1);
const NO_DIRECTIONS = "This model has no directions yet; make them with: glowlite directions";
const TOO_FAR = "These settings lead out of what the model can draw. Move the last slider back a little.";

export class StudioExplorer extends Explorer {
  static table = studioTable;

  // ---- parts ---------------------------------------------------------------------------------------------------------

  build() {
    this.attributes = this.head.directions.map(({ name }) => name);
    if (!this.attributes.length) throw new GlowError(NO_DIRECTIONS);
    this.gallery = new Gallery(this.engine);
    this.pictures = new Cache(256);
    this.measured = new Cache(1024); // bits per dimension
    this.bits = NaN; // at the last rest
    this.before = new Picture({ tone: "x" });
    this.after = new Picture({ tone: "z" }, () => this.learn("compare"));
    const title = heading(studioTable.rows.find(({ kind }) => kind === "attributes").label);
    const sliders = box("sliders", title, ...this.attributes.map((name) => this.control(name)));
    const download = this.button("download", () => this.download());
    const actions = this.actions(() => this.surprise(), download);
    const pictures = box("pair", this.before.element, this.after.element);
    const show = box("show", pictures, actions, this.words.element, box("numbers", this.readout.element));
    const cards = [this.buildGallery(), this.buildBlend(), this.buildFresh()];
    return [box("stage", show, sliders), box("cards", ...cards)];
  }

  // Thirteen portraits are set seven abreast, drawn faces in rows of six.
  get abreast() {
    return this.head.people === "drawn faces" ? "" : " portraits";
  }

  buildGallery() {
    const { faces } = this.gallery;
    this.galleryTiles = new Tiles("Faces to start from", (number) => this.choose(faces[number].key));
    this.galleryTiles.name(faces.map(({ name }) => name));
    faces.forEach(({ pixels }, number) => this.drawTile(this.galleryTiles, number, pixels));
    const take = this.guard((bytes) => this.read(bytes));
    const upload = new Upload(this.row("upload"), this, take, (sentence) => this.notify(sentence, "bad"));
    this.parts.upload = upload.element;
    return this.card("gallery", box(`row${this.abreast}`, this.galleryTiles.element, upload.element));
  }

  buildBlend() {
    this.partnerTiles = new Tiles("Faces to blend with", (number) => this.choosePartner(this.partners[number]));
    const way = box("row", this.control("blend"), this.control("way"));
    return this.card("blend", box(`row${this.abreast}`, this.partnerTiles.element), way);
  }

  buildFresh() {
    this.freshTiles = new Tiles("Fresh faces", (number) => this.choose(this.freshKeys[number], "fresh"));
    this.freshTiles.name(NUMBERS.map((number) => `fresh face ${number}`));
    const more = this.button("new", () => this.use("fresh", { seed: this.values.seed + 1 }));
    const card = this.card("fresh", this.freshTiles.element, box("row", this.control("temperature"), more));
    card.classList.add("gl-wide");
    return card;
  }

  // ---- settings ------------------------------------------------------------------------------------------------------

  // A face that is not there stays as it was. A start that is one of the fresh faces shown follows their temperature.
  complete(changes, values) {
    const next = { ...values, ...changes };
    for (const name of ["face", "partner"]) if (!this.gallery.has(next[name])) next[name] = values[name];
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
    for (const key of [partner, face]) if (readFresh(key)) this.lastFresh = key;
    this.freshKeys = NUMBERS.map((number) => writeFresh({ seed, temperature, number }));
    const { faces, own } = this.gallery;
    const more = [...own.keys(), partner, this.lastFresh].filter(Boolean);
    this.partners = [...new Set([...faces.map(({ key }) => key), ...more])];
    this.partnerTiles.name(this.partners.map((key) => this.gallery.name(key)));
    this.galleryTiles.show(faces.findIndex(({ key }) => key === face));
    this.freshTiles.show(this.freshKeys.indexOf(face));
    this.partnerTiles.show(this.partners.indexOf(partner));
  }

  choose(face, lesson = "choose") {
    this.notify("");
    this.use(lesson, { face });
  }

  // The choice of a second face changes the picture.
  choosePartner(partner) {
    this.use("blend", { partner, blend: this.values.blend || 0.5 });
  }

  // Undo edits and blend, and keep the face.
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
    if (others.length && Math.random() < 1 / 3) {
      Object.assign(changes, { partner: pick(others), blend: Number(between(0.2, 0.6).toFixed(2)) });
    }
    this.use("surprise", changes);
  }

  download() {
    savePicture(toImageData(this.shown, this.head.config.shape), "glow-studio.png");
  }

  // A person's own picture, without edits, to show first that it comes back exactly.
  async read(bytes) {
    const face = await this.gallery.add(bytes);
    [this.pictures, this.measured] = [new Cache(256), new Cache(1024)];
    const { pixels } = await this.engine.draw(face.latents);
    this.use("upload", { ...this.unedited, face: face.key });
    const same = difference(pixels, face.pixels) === 0 ? ", and every pixel is the same" : "";
    const stays = "It stays on this device.";
    this.notify(`Your picture went through the flow and back${same}. ${stays}${this.gallery.remark(face)}`);
  }

  // ---- updates -------------------------------------------------------------------------------------------------------

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

  get key() {
    const { face, partner, blend, way } = this.values;
    return JSON.stringify([face, blend && [partner, blend, way], this.amounts]);
  }

  async *show() {
    const { key, says } = this;
    const start = await this.gallery.open(this.values.face);
    const drawn = await this.pictures.get(key, async () => {
      const latents = await this.latents(start);
      const begun = performance.now();
      const { pixels, clamped } = await this.engine.draw(latents);
      if (!Number.isFinite(clamped)) throw new GlowError(TOO_FAR);
      const milliseconds = performance.now() - begun;
      return { pixels, clamped, milliseconds, temperature: effectiveTemperature(latents) };
    });
    this.clamped = drawn.clamped;
    this.shown = drawn.pixels;
    this.now = { drawn, change: difference(drawn.pixels, start.pixels) };
    const before = this.picture(start.pixels, `Before: ${start.name}.`, "before");
    const after = this.picture(drawn.pixels, `After: ${says}`, "after");
    this.paint("pictures", () => {
      this.before.show(before);
      this.after.show(after, before);
      this.showNumbers(true);
    });
    yield;
    yield* this.showTiles(this.partnerTiles, this.partners);
    yield* this.showTiles(this.freshTiles, this.freshKeys);
  }

  picture(pixels, label, caption) {
    return { image: toImageData(pixels, this.head.config.shape), label, caption };
  }

  // Draw the tiles whose faces are others than before.
  async *showTiles(tiles, keys) {
    for (const [number, key] of keys.entries()) {
      const { pixels } = this.gallery.find(key) ?? (await this.gallery.open(key));
      this.drawTile(tiles, number, pixels);
      yield;
    }
  }

  get says() {
    const { face, partner, blend } = this.values;
    const unlike = this.gallery.find(face)?.foreign ? this.head.people : "";
    return describe(this.gallery.name(face), this.amounts, { partner: this.gallery.name(partner), blend, unlike });
  }

  // Bits per dimension, then words.
  async *settle() {
    const { key, says } = this;
    this.bits = await this.measured.get(key, () => this.engine.bitsPerDim(this.shown));
    yield;
    this.paint("numbers", () => this.showNumbers(false));
    this.words.say(says);
    this.words.advise(this.hint());
  }

  showNumbers(stale) {
    const { drawn, change } = this.now;
    const [bits, ...others] = numberEntries({ ...drawn, bits: this.bits, change });
    const { note, flag } = remarkBits(this.bits, this.head.typical);
    this.readout.show([{ ...bits, note, flag: flag && !stale, stale }, ...others]);
  }
}

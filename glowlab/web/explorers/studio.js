// The studio: a face, a slider for each attribute, a second face to blend with, fresh faces, numbers.

import { lerp, slerp } from "../js/latents.js";
import { toImageData } from "../js/pixels.js";
import { FRESH, readFresh, writeFresh } from "./address.js";
import { Tiles, box, savePicture } from "./controls.js";
import { EditExplorer, between, pick } from "./edits.js";
import studioTable from "./settings/studio.json" with { type: "json" };

const PATHS = { linear: lerp, spherical: slerp };
const NUMBERS = Array.from({ length: FRESH }, (_, i) => i + 1);

export class StudioExplorer extends EditExplorer {
  static table = studioTable;

  // ---- parts -------------------------------------------------------------------------------------------------------

  buildParts() {
    const sliders = this.buildSliders();
    const actions = this.actions(() => this.surprise(), this.button("download", () => this.download()));
    const pictures = box("pair", this.original.element, this.edited.element);
    const show = box("show", pictures, actions, this.words.element, box("numbers", this.readout.element));
    const cards = [this.buildGallery(), this.buildBlend(), this.buildFresh()];
    return [box("stage", show, sliders), box("cards", ...cards)];
  }

  // The choice of a second face changes the picture.
  buildBlend() {
    const choose = (partner) => this.use("blend", { partner, blend: this.values.blend || 0.5 });
    const tiles = this.makeGallery("partner", "Faces to blend with", choose);
    const way = box("row", this.control("blend"), this.control("way"));
    return this.card("blend", box(this.galleryRow, tiles), way);
  }

  buildFresh() {
    this.freshTiles = new Tiles(this.speak("Fresh faces"), (number) => this.choose({ face: this.freshKeys[number] }, "fresh"));
    this.freshTiles.name(NUMBERS.map((number) => this.speak(`fresh face ${number}`)));
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
    const { face, seed, temperature } = this.values;
    this.freshKeys = NUMBERS.map((number) => writeFresh({ seed, temperature, number }));
    this.freshTiles.show(this.freshKeys.indexOf(face));
  }

  // A few edits and, one time in three, another face.
  surprise() {
    const changes = this.surpriseEdits();
    const others = this.gallery.faces.map(({ key }) => key).filter((key) => key !== this.values.face);
    if (Math.random() < 1 / 3) {
      Object.assign(changes, { partner: pick(others), blend: Number(between(0.2, 0.6).toFixed(2)) });
    }
    this.use("surprise", changes);
  }

  download() {
    savePicture(toImageData(this.now.drawn.pixels, this.head.config.shape), "glow-studio.png");
  }

  // ---- updates -----------------------------------------------------------------------------------------------------

  // (Blend of start and partner), edited.
  async latents(start) {
    const { partner, blend, way } = this.values;
    if (!blend) return this.edit(start.latents);
    return this.edit(PATHS[way](start.latents, (await this.gallery.open(partner)).latents, blend));
  }

  // Of all that the picture depends on.
  get key() {
    const { face, partner, blend, way } = this.values;
    return JSON.stringify([face, blend && [partner, blend, way], this.amounts]);
  }

  async *show() {
    const { key } = this;
    const start = await this.gallery.open(this.values.face);
    this.showPair(start, await this.pictures.get(key, async () => this.decode(await this.latents(start))));
    yield;
    yield* this.showGalleries();
    yield* this.showTiles(this.freshTiles, this.freshKeys);
  }

  get says() {
    const { partner, blend } = this.values;
    return this.describeEdits({ partner: this.gallery.name(partner), blend });
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
}

// Base of the explorers that start from faces: settings of the kind `face`, tiles to choose from, own pictures.

import { GlowError } from "../js/checkpoint.js";
import { effectiveTemperature } from "../js/latents.js";
import { fromImageData, toImageData } from "../js/pixels.js";
import { readFresh } from "./address.js";
import { Camera } from "./camera.js";
import { Tiles } from "./controls.js";
import { Explorer } from "./explorer.js";
import { cutSquare, readPicture } from "./files.js";
import { Gallery } from "./gallery.js";
import { EyeMarks } from "./marks.js";
import { Cache } from "./updater.js";
import { Upload } from "./upload.js";
import { numberEntries, remarkBits } from "./words.js";

const TOO_FAR = "These settings lead out of what the model can draw. Move the last slider back a little.";

export class FaceExplorer extends Explorer {
  build() {
    this.gallery = new Gallery(this.engine);
    this.galleries = {}; // tiles to choose a face from, by the setting that it is for
    this.uploads = [];
    this.bits = NaN; // of the picture at the last rest
    this.forget();
    return this.buildParts();
  }

  // What was computed goes, as a person's new picture has the key of an older one.
  forget() {
    [this.pictures, this.measured] = [new Cache(256), new Cache(1024)]; // the latter: bits per dimension
  }

  // The names of the settings that are faces.
  get faceNames() {
    return this.rows.filter(({ kind }) => kind === "face").map(({ name }) => name);
  }

  // A face that is not there stays as it was.
  complete(changes, values) {
    const next = { ...values, ...changes };
    for (const name of this.faceNames) if (!this.gallery.has(next[name])) next[name] = values[name];
    return next;
  }

  // The keys to choose from: all faces, own pictures, the chosen ones, and the fresh face that was chosen last.
  follow() {
    super.follow();
    const chosen = this.faceNames.map((name) => this.values[name]);
    this.lastFresh = chosen.find(readFresh) ?? this.lastFresh;
    const more = [...this.gallery.own.keys(), ...chosen, this.lastFresh].filter(Boolean);
    this.known = [...new Set([...this.gallery.faces.map(({ key }) => key), ...more])];
    for (const [name, tiles] of Object.entries(this.galleries)) {
      tiles.name(this.known.map((key) => this.gallery.name(key))).show(this.known.indexOf(this.values[name]));
    }
  }

  // Tiles of all faces, for a setting.
  makeGallery(name, label, choose = (key) => this.choose({ [name]: key })) {
    this.galleries[name] = new Tiles(this.speak(label), (number) => choose(this.known[number]));
    return this.galleries[name].element;
  }

  // Another face for a setting.
  choose(changes, lesson = "choose") {
    this.notify("");
    this.use(lesson, changes);
  }

  // A field for a person's own picture, which may be dropped on `areas`; take(face) shows it and gives a sentence.
  upload(row, areas, take, name, key) {
    const add = async (picture) => {
      const pixels = picture && (await this.crop(picture));
      if (!pixels) return;
      const face = await this.gallery.add(pixels, name, key);
      this.forget();
      this.notify(`${await take(face)} ${this.engine.stays}${this.gallery.remark(face)}`);
    };
    const upload = new Upload(row, this.engine.stays, areas, {
      take: this.guard(async (bytes) => add(await readPicture(bytes))),
      snap: this.guard(async () => add(await (this.camera ??= new Camera(this, this.head.eyes)).ask())),
      refuse: (sentence) => this.notify(sentence, "bad"),
    });
    this.uploads.push(upload);
    return upload.element;
  }

  // The pixels of a picture, an ImageBitmap; null where a person cancels. One of the model's size is used as it is, and
  // of others the eyes are marked, where it is known where the model's faces have theirs.
  async crop(picture) {
    const { eyes, config } = this.head;
    const [channels, size] = config.shape;
    const isReady = !eyes || (picture.width === size && picture.height === size);
    if (!isReady) this.marks ??= new EyeMarks(this, eyes, size, this.engine.stays);
    const image = await (isReady ? cutSquare(picture, size) : this.marks.ask(picture));
    picture.close();
    return image && fromImageData(image, channels);
  }

  // A picture that came to no field is for the first.
  receive(transfer) {
    return this.uploads[0].receive(transfer);
  }

  disconnectedCallback() {
    this.camera?.close(null);
  }

  // Classes of a row of tiles: thirteen portraits are set seven abreast, drawn faces in rows of six.
  get galleryRow() {
    return this.head.people === "drawn faces" ? "row" : "row portraits";
  }

  // Draw the tiles of these faces.
  async *showTiles(tiles, keys) {
    for (const [number, key] of keys.entries()) {
      const { pixels } = this.gallery.find(key) ?? (await this.gallery.open(key));
      this.drawTile(tiles, number, pixels);
      yield;
    }
  }

  async *showGalleries() {
    for (const tiles of Object.values(this.galleries)) yield* this.showTiles(tiles, this.known);
  }

  // {image, label, caption} for a Picture
  frame(pixels, caption, label) {
    return { image: toImageData(pixels, this.head.config.shape), caption, label };
  }

  // The picture of latents: {pixels, clamped, temperature, milliseconds}.
  async decode(latents) {
    const start = performance.now();
    const { pixels, clamped } = await this.engine.draw(latents);
    if (!Number.isFinite(clamped)) throw new GlowError(TOO_FAR);
    return { pixels, clamped, temperature: effectiveTemperature(latents), milliseconds: performance.now() - start };
  }

  // Entries of the readout for the picture shown, `drawn`; stale: its bits are those of an earlier one.
  entries(drawn, change, stale) {
    const { note, flag } = remarkBits(this.bits, this.head);
    const [bits, ...others] = numberEntries({ ...drawn, bits: this.bits, change });
    return [{ ...bits, note, flag: flag && !stale, stale }, ...others];
  }
}

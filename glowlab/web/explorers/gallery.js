// The faces to choose from: those that came with the model, fresh ones, a person's own pictures. Each has a key, which
// stands for it in an address.

import { GlowError } from "../js/checkpoint.js";
import { sampleEps, scale } from "../js/latents.js";
import { Generator } from "../js/random.js";
import { FRESH, OWN, readFresh } from "./address.js";
import { Cache } from "./updater.js";
import { isUnlike, nameFaces, usualBits } from "./words.js";

const NONE = "This model has no pictures to start from: this explorer needs one of square pictures of 16 x 16 or more.";

// A face: {key, name, pixels, latents, foreign}. Its name is for the middle of a sentence; a foreign one is unlike all
// that the model learned from.
export class Gallery {
  constructor(engine) {
    const { head, measured } = engine;
    if (!head.gallery.length) throw new GlowError(NONE);
    const { values } = measured.gallery;
    const dims = values.length / head.gallery.length;
    this.faces = head.gallery.map((face, i) => ({ ...face, pixels: values.subarray(i * dims, (i + 1) * dims) }));
    Object.assign(this, { engine, head, own: new Map(), fresh: new Cache(64), eps: new Cache(2) });
  }

  has(key) {
    return this.own.has(key) || Boolean(this.find(key) || readFresh(key));
  }

  find(key) {
    return this.own.get(key) ?? this.faces.find((face) => face.key === key);
  }

  name(key) {
    return this.find(key)?.name ?? nameFaces(`fresh face ${readFresh(key).number}`, this.head.people);
  }

  // The face of a key, with pixels and latents.
  async open(key) {
    const face = this.find(key);
    if (!face) return this.fresh.get(key, () => this.sample(key));
    face.latents ??= await this.engine.encode(face.pixels);
    return face;
  }

  // A fresh face. For one seed, eps at every temperature is the same up to that factor.
  async sample(key) {
    const { seed, temperature, number } = readFresh(key);
    const shapes = this.head.latent_shapes;
    const eps = await this.eps.get(seed, () => sampleEps(shapes, FRESH, new Generator(seed)));
    const latents = scale(eps[number - 1], temperature);
    const { pixels } = await this.engine.draw(latents);
    return { key, name: this.name(key), pixels, latents };
  }

  // Add a person's own picture.
  async add(pixels, name = "your picture", key = OWN) {
    const [latents, bits] = await Promise.all([this.engine.encode(pixels), this.engine.bitsPerDim(pixels)]);
    const face = { key, name, pixels, latents, bits, foreign: isUnlike(bits, this.head.typical) };
    this.own.set(key, face);
    return face;
  }

  // A sentence on a picture that is unlike all that the model learned from; "" for others.
  remark({ foreign, bits }) {
    if (!foreign) return "";
    const { people, typical } = this.head;
    return (
      ` It is unlike the ${people} the model learned from: ${bits.toFixed(2)} bits per dimension, while they need ` +
      `${usualBits(typical).replaceAll("\u00a0", " ")}. So pictures made from it may look strange.`
    );
  }
}

// Labelled faces: where they lie along the model's directions, and the directions that few of their labels give.

import { combine, dot } from "../js/latents.js";
import { fromImageData } from "../js/pixels.js";

const REACH = 0.72; // the change of an attribute for a slider's unit, as in the model's own directions
const ACROSS = 10; // pictures in a row of the sheet

// What few labels give is fetched when it is asked for: {sheet, few.COUNT.LEVEL, scale.COUNT.LEVEL}.
export class Labelled {
  constructor(engine) {
    Object.assign(this, { engine, ...engine.head.labelled, found: new Map(), latents: [] });
  }

  async read(name) {
    this.fetched ??= await this.engine.readLabels();
    return this.fetched[name].values;
  }

  // Whether directions from so many labels are known, or can be found here: of the pictures of ten times ten.
  isPossible(count, batch = 0) {
    return (batch === 0 && this.counts.includes(count)) || Boolean(this.sheet && count * (batch + 1) <= ACROSS ** 2);
  }

  isReady(count, batch) {
    return this.found.has(`${count} ${batch}`);
  }

  // The numbers of an attribute's labelled faces: their positions along the model's own direction, or their labels.
  numbers(table, name) {
    const values = this.engine.measured[table]?.values ?? [];
    const [row, count] = [this.names.indexOf(name), values.length / this.names.length];
    return row < 0 ? [] : values.subarray(row * count, (row + 1) * count);
  }

  // A direction for each attribute, from labels number count * batch on: an asynchronous generator, which at each `yield`
  // tells how many of these faces are encoded, and returns them by name.
  async *find(count, batch) {
    const key = `${count} ${batch}`;
    if (!this.found.has(key)) {
      if (batch === 0 && this.counts.includes(count)) this.found.set(key, await this.unpack(count));
      else this.found.set(key, yield* this.make(count, batch));
    }
    return this.found.get(key);
  }

  // Those that came along, in 1/127 of their largest number.
  async unpack(count) {
    const steps = Object.fromEntries(this.names.map((name) => [name, []]));
    for (const [level, shape] of this.engine.head.latent_shapes.entries()) {
      const size = shape.reduce((a, b) => a * b);
      const values = await this.read(`few.${count}.${level}`);
      const scale = await this.read(`scale.${count}.${level}`);
      this.names.forEach((name, row) => {
        const own = values.subarray(row * size, (row + 1) * size);
        steps[name].push(Float32Array.from(own, (value) => scale[row] * value));
      });
    }
    return steps;
  }

  async *make(count, batch) {
    const first = count * batch;
    this.pictures ??= await this.readSheet();
    for (let i = first; i < first + count; i++) {
      this.latents[i] ??= await this.engine.encode(this.pictures[i]);
      yield i + 1 - first;
    }
    const latents = this.latents.slice(first, first + count);
    return Object.fromEntries(this.names.map((name) => {
      return [name, findDirection(latents, this.numbers("labels", name).subarray(first, first + count))];
    }));
  }

  // Ten rows of ten pictures in one file -> the pixels of each.
  async readSheet() {
    const [channels, height, width] = this.engine.head.config.shape;
    const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
    const sheet = await createImageBitmap(new Blob([await this.read("sheet")]), options);
    const canvas = Object.assign(document.createElement("canvas"), { width: sheet.width, height: sheet.height });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(sheet, 0, 0);
    return Array.from({ length: ACROSS ** 2 }, (_, i) => {
      const [left, top] = [(i % ACROSS) * width, Math.floor(i / ACROSS) * height];
      return fromImageData(pen.getImageData(left, top, width, height), channels);
    });
  }
}

// Mean with minus mean without, split at the median; a step is REACH long.
function findDirection(latents, labels) {
  const has = splitAtMedian(labels);
  const [more, less] = [labels.filter((_, i) => has[i]), labels.filter((_, i) => !has[i])];
  const middle = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const unit = REACH / (middle(more) - middle(less));
  const zero = latents[0].map((eps) => new Float64Array(eps.length));
  return latents.reduce((sum, eps, i) => {
    return combine(sum, eps, 1, has[i] ? unit / more.length : -unit / less.length);
  }, zero);
}

// Whether each lies above the median: of an even number, the lower of the two in the middle.
export function splitAtMedian(labels) {
  const median = Float64Array.from(labels).sort()[(labels.length - 1) >> 1];
  return Array.from(labels, (label) => label > median);
}

// Where latents lie along a direction, in steps of it.
export const project = (latents, step) => dot(latents, step) / dot(step, step);

export const cosine = (a, b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

// Glow: a list of levels, each squeeze -> steps of flow -> split. `forward` is data to latent.

import { Coupling } from "./coupling.js";
import { plain } from "./kernels.js";
import { sampleEps, scale } from "./latents.js";
import { Mixing } from "./mixing.js";
import { Split, Squeeze } from "./multiscale.js";
import { bitsPerDim, dequantize, logBins, toFloat, toUint8 } from "./pixels.js";
import { Generator } from "./random.js";

const FAR = 10; // standard deviations; latents of pictures like the data stay within
const MARGIN = 0.05 / 256; // a tenth of what may be lost before a pixel changes

// Kernels, with room for what they work on: the picture on its way, and a coupling's network.
class Work {
  constructor(kernels, size) {
    const buffer = () => (kernels.Real === Float32Array ? kernels.alloc(size) : new kernels.Real(size));
    Object.assign(this, kernels, { states: [buffer(), buffer()], hidden: [buffer(), buffer(), buffer()] });
  }

  // The one of two places for the picture that x is not in.
  other(x) {
    return this.states[x === this.states[0] ? 1 : 0];
  }
}

// Squeeze, K steps of flow (ActNorm and mixing, then coupling), then half of the channels leave as white eps.
class Level {
  constructor(flows, split) {
    Object.assign(this, { flows, split });
  }

  // x (H, W, C) -> stays (H/2, W/2, 2C), eps (2C, H/2, W/2), log_det; nothing stays at the last level
  forward(x, work) {
    let total = 0;
    for (const flow of this.flows) {
      const [z, logDet] = flow.forward(x, work);
      x = z;
      total += logDet;
    }
    const [stays, eps, logDet] = this.split.forward(x, work);
    return [stays, eps, total + logDet];
  }

  inverse(stays, eps, work) {
    return this.flows.reduceRight((z, flow) => flow.inverse(z, work), this.split.inverse(stays, eps, work));
  }
}

export class Glow {
  // tensor(name): {values, shape} of an exported tensor
  constructor(config, tensor, kernels) {
    Object.assign(this, { config, levels: [], latentShapes: [] });
    let [channels, height, width] = config.shape;
    this.dims = channels * height * width;
    const convolution = (name) => {
      const { values, shape } = tensor(`${name}.weights`);
      return { weights: values, bias: tensor(`${name}.bias`).values, shape };
    };
    for (let l = 0; l < config.levels; l++) {
      [channels, height, width] = [4 * channels, height / 2, width / 2];
      const shape = { channels, height, width };
      const flows = [new Squeeze(shape)];
      for (let k = 0; k < (config.depth[l] ?? config.depth); k++) {
        const { weights, bias } = convolution(`levels.${l}.steps.${k}.mixing`);
        const network = ["first", "second", "last"].map((part) => convolution(`levels.${l}.steps.${k}.${part}`));
        flows.push(new Mixing(shape, weights, bias), new Coupling(shape, config, network));
      }
      const last = l === config.levels - 1;
      const prior = last ? tensor(`levels.${l}.prior`).values : convolution(`levels.${l}.prior`);
      const stays = last ? 0 : channels / 2;
      this.levels.push(new Level(flows, new Split(shape, stays, prior)));
      this.latentShapes.push([channels - stays, height, width]);
      channels = stays;
    }
    this.size = workSize(config);
    this.work = new Work(kernels, this.size);
    this.exact = kernels === plain ? this.work : null; // made when a picture needs it
  }

  inDouble() {
    return (this.exact ??= new Work(plain, this.size));
  }

  // ---- the bijection ----

  // x (H, W, C) in (-0.5, 0.5), which lies in the first of the work's states -> [eps of every level, log_det in nats]
  forward(x, work = this.work) {
    const latents = [];
    let total = 0;
    for (const level of this.levels) {
      const [stays, eps, logDet] = level.forward(x, work);
      x = stays;
      latents.push(eps);
      total += logDet;
    }
    return [latents, total];
  }

  // eps of every level -> x (H, W, C). Latents in double are decoded in double.
  inverse(latents) {
    const work = latents[0] instanceof Float64Array ? this.inDouble() : this.work;
    const nothing = work.states[0]; // stays at the last level
    const x = this.levels.reduceRight((stays, level, l) => level.inverse(stays, latents[l], work), nothing);
    return x.subarray(0, this.dims);
  }

  // ---- for a person: bytes (H, W, C) in, bytes out ----

  // Bytes -> latents. A picture unlike the data can lie so far out that floats have too few digits for the way back. So
  // one with a latent beyond FAR is decoded at once, and encoded in double where a value is off by more than MARGIN.
  encode(pixels) {
    const encodeBy = (work) => this.forward(toFloat(pixels, work.states[0]), work)[0];
    const latents = encodeBy(this.work);
    return this.isLost(pixels, latents) ? encodeBy(this.inDouble()) : latents;
  }

  isLost(pixels, latents) {
    const far = latents.some((eps) => eps.some((value) => !(Math.abs(value) <= FAR))); // NaN is far, too
    if (!far || this.work === this.exact) return false;
    return this.inverse(latents).some((value, i) => !(Math.abs(value - ((pixels[i] + 0.5) / 256 - 0.5)) <= MARGIN));
  }

  // Latents -> bytes
  decode(latents) {
    return toUint8(this.inverse(latents));
  }

  // Latents -> {pixels, clamped}: bytes, and the share of values beyond black or white, NaN where one is not finite.
  draw(latents) {
    const x = this.inverse(latents);
    const beyond = x.filter((value) => Math.abs(value) > 0.5).length;
    return { pixels: toUint8(x), clamped: x.every(Number.isFinite) ? beyond / x.length : NaN };
  }

  // `count` new pictures: eps ~ N(0, temperature^2) at every level; one temperature, or one per level.
  sample(seed, count, temperature = 0.7) {
    const latents = sampleEps(this.latentShapes, count, new Generator(seed));
    return latents.map((eps) => this.decode(scale(eps, temperature)));
  }

  // log P(picture) in nats, with the same noise for every picture
  logProb(pixels) {
    const { shape, n_bits: bits } = this.config;
    const x = dequantize(pixels, this.work.states[0], shape[0], bits, new Generator(0));
    const [latents, logDet] = this.forward(x);
    return latents.reduce((sum, eps) => sum + standardNormalLogProb(eps), logDet) - logBins(this.dims, bits);
  }

  // -log2 P(picture) / D
  bitsPerDim(pixels) {
    return bitsPerDim(this.logProb(pixels), this.dims);
  }
}

// log N(eps; 0, I) in nats
function standardNormalLogProb(eps) {
  const squares = eps.reduce((sum, value) => sum + value * value, 0);
  return -0.5 * (squares + eps.length * Math.log(2 * Math.PI));
}

// The most floats that a picture on its way, or a coupling's network, takes.
export function workSize({ shape: [channels, height, width], levels, width: hidden }) {
  const sizes = Array.from({ length: levels }, (_, l) => {
    const pixels = (height * width) / 4 ** (l + 1);
    return pixels * Math.max(channels * 2 ** (l + 2), 4 * Math.ceil((hidden[l] ?? hidden) / 4));
  });
  return Math.max(...sizes);
}

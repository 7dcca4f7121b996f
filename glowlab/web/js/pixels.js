// Pixels and bits: from bytes to the numbers of a flow and back, and bits per dimension. A picture is (H, W, C), a
// pixel's colours side by side, as on a canvas.

import { rand } from "./random.js";

// Bytes -> numbers in (-0.5, 0.5): the middle of each pixel's 8-bit bin.
export function toFloat(pixels, x) {
  for (let i = 0; i < pixels.length; i++) x[i] = (pixels[i] + 0.5) / 256 - 0.5;
  return x;
}

// Numbers in [-0.5, 0.5) -> the byte whose bin they lie in; clamped where outside, NaN becomes 0.
export function toUint8(x) {
  return Uint8Array.from(x, (value) => Math.min(Math.max(Math.floor((value + 0.5) * 256), 0), 255));
}

// Bytes (H, W, C) -> numbers: keep n bits, then a random point of each bin. PyTorch draws for (C, H, W), and so the
// noise is found by channel, then place.
export function dequantize(pixels, x, channels, bits, generator) {
  const noise = rand(pixels.length, generator); // (C, H, W)
  const places = pixels.length / channels;
  for (let i = 0; i < pixels.length; i++) {
    const u = noise[(i % channels) * places + Math.floor(i / channels)];
    x[i] = ((pixels[i] >> (8 - bits)) + u) / 2 ** bits - 0.5;
  }
  return x;
}

// -log2 P(picture) per dimension; logProb is in nats.
export function bitsPerDim(logProb, dims) {
  return -logProb / (dims * Math.LN2);
}

// D log 2^n in nats: log P(pixels) = log p(x) - logBins.
export function logBins(dims, bits) {
  return dims * bits * Math.LN2;
}

// Pixels (H, W, C) from a canvas's ImageData; gray is the luma of the colours, as in Pillow.
export function fromImageData({ data, width, height }, channels) {
  const pixels = new Uint8Array(width * height * channels);
  for (let n = 0; n < width * height; n++) {
    const colours = data.subarray(4 * n, 4 * n + 3);
    if (channels === 1) pixels[n] = Math.round(0.299 * colours[0] + 0.587 * colours[1] + 0.114 * colours[2]);
    else pixels.set(colours, 3 * n);
  }
  return pixels;
}

// Pixels (H, W, C) -> ImageData for a canvas.
export function toImageData(pixels, [channels, height, width]) {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let n = 0; n < width * height; n++)
    for (let c = 0; c < 3; c++) data[4 * n + c] = pixels[n * channels + (channels === 1 ? 0 : c)];
  return new ImageData(data, width, height);
}

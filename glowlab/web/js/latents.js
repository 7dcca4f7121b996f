// Operations on latents: temperature, interpolation, attribute directions. The latents of one picture are a list, one
// array of white eps (C_l, H_l, W_l) per level, finest first. Every function works on all levels together.

import { randn } from "./random.js";

// The latents of `count` pictures from N(0, I), for shapes (C_l, H_l, W_l).
export function sampleEps(shapes, count, generator) {
  const levels = shapes.map((shape) => {
    const size = shape.reduce((a, b) => a * b);
    const values = randn(count * size, generator); // (count, C_l, H_l, W_l)
    return (number) => values.slice(number * size, (number + 1) * size);
  });
  return Array.from({ length: count }, (_, number) => levels.map((level) => level(number)));
}

// temperature * eps: one number, or one for each level, finest first.
export function scale(latents, temperature) {
  return latents.map((eps, level) => eps.map((value) => value * (temperature[level] ?? temperature)));
}

// |eps| / sqrt(D): 1 for a typical draw of the model, t for one at temperature t.
export function effectiveTemperature(latents) {
  const dims = latents.reduce((sum, eps) => sum + eps.length, 0);
  return Math.sqrt(dot(latents, latents) / dims);
}

// (1 - t) a + t b: the straight line.
export function lerp(a, b, t) {
  return combine(a, b, 1 - t, t);
}

// The great circle from a to b, over all levels at once: it keeps the norm, and so the temperature. The straight line
// where the angle is tiny or half a turn.
export function slerp(a, b, t) {
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const angle = Math.acos(Math.min(Math.max(cosine, -1), 1));
  if (!(Math.sin(angle) >= 1e-4)) return lerp(a, b, t);
  return combine(a, b, Math.sin((1 - t) * angle) / Math.sin(angle), Math.sin(t * angle) / Math.sin(angle));
}

// eps + amount * direction
export function add(latents, direction, amount) {
  return combine(latents, direction, 1, amount);
}

// weightA a + weightB b, in double where a or b is (those of a picture far out are).
function combine(a, b, weightA, weightB) {
  return a.map((x, level) => {
    const y = b[level];
    const Real = x instanceof Float64Array || y instanceof Float64Array ? Float64Array : Float32Array;
    const sum = new Real(x.length);
    for (let i = 0; i < sum.length; i++) sum[i] = weightA * x[i] + weightB * y[i];
    return sum;
  });
}

function dot(a, b) {
  let sum = 0;
  a.forEach((x, level) => x.forEach((value, i) => (sum += value * b[level][i])));
  return sum;
}

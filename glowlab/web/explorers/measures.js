// Measures of pictures in grey levels: how far they differ, and how unlike a face they are.

const BLOCK = 4; // pixels; grain would hide the rest

// Mean absolute difference of two pictures.
export function difference(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / a.length;
}

// The pixels of two pictures, mixed: all of the first at t = 0. A half is rounded to the even number, as in PyTorch.
export function mix(a, b, t) {
  return a.map((value, i) => {
    const exact = value + t * (b[i] - value);
    const rounded = Math.round(exact);
    return rounded - exact === 0.5 && rounded % 2 ? rounded - 1 : rounded;
  });
}

// Mean difference of two of these pictures, over all pairs.
export function spread(pictures) {
  const count = pictures.length;
  let sum = 0;
  for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) sum += difference(pictures[i], pictures[j]);
  return (2 * sum) / (count * (count - 1));
}

// Means over blocks of pixels: (H, W, C) -> (C, H / 4, W / 4)
function coarse(pixels, [channels, height, width]) {
  const [rows, columns] = [Math.floor(height / BLOCK), Math.floor(width / BLOCK)];
  const means = new Float64Array(channels * rows * columns);
  for (let y = 0; y < rows * BLOCK; y++)
    for (let x = 0; x < columns * BLOCK; x++)
      for (let c = 0; c < channels; c++) {
        const at = (c * rows + Math.floor(y / BLOCK)) * columns + Math.floor(x / BLOCK);
        means[at] += pixels[(y * width + x) * channels + c] / BLOCK ** 2;
      }
  return means;
}

// Root mean square of what the principal components of coarse faces, (D, K), miss of a picture.
export function residual(pixels, shape, mean, components) {
  const away = coarse(pixels, shape).map((value, i) => value - mean[i]);
  const count = components.length / away.length;
  const scores = new Float64Array(count);
  away.forEach((value, i) => {
    for (let k = 0; k < count; k++) scores[k] += value * components[i * count + k];
  });
  let squares = 0;
  away.forEach((value, i) => {
    let missed = value;
    for (let k = 0; k < count; k++) missed -= scores[k] * components[i * count + k];
    squares += missed * missed;
  });
  return Math.sqrt(squares / away.length);
}

export const STRONG = 64; // grey levels of change that are shown brightest
const SHADES = [[21, 23, 27], [122, 47, 22], [213, 94, 0], [245, 166, 80], [255, 246, 230]];

// Mean absolute change of each pixel's colours: (H, W).
export function findChange(before, after, [channels, height, width]) {
  const change = new Float64Array(height * width);
  before.forEach((value, i) => (change[Math.floor(i / channels)] += Math.abs(after[i] - value) / channels));
  return change;
}

// ImageData of such a change: dark where there is none.
export function paintChange(change, [, height, width]) {
  const image = new ImageData(width, height);
  change.forEach((value, n) => {
    const place = Math.min(value / STRONG, 1) * (SHADES.length - 1);
    const low = Math.min(Math.floor(place), SHADES.length - 2);
    for (let c = 0; c < 3; c++) {
      image.data[4 * n + c] = Math.round(SHADES[low][c] + (place - low) * (SHADES[low + 1][c] - SHADES[low][c]));
    }
    image.data[4 * n + 3] = 255;
  });
  return image;
}

// Words for the ninth of the picture that changed most.
export function locateChange(change, [, height, width]) {
  if (change.every((value) => value < 2)) return "nowhere";
  const isIn = (at, third, size) => Math.floor((third * size) / 3) <= at && at < Math.ceil(((third + 1) * size) / 3);
  const means = Array.from({ length: 9 }, (_, ninth) => {
    const part = change.filter((_, n) => {
      return isIn(Math.floor(n / width), Math.floor(ninth / 3), height) && isIn(n % width, ninth % 3, width);
    });
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const most = means.indexOf(Math.max(...means));
  const row = ["at the top", "in the middle", "at the bottom"][Math.floor(most / 3)];
  return `most ${row}${[", left", "", ", right"][most % 3]}`;
}

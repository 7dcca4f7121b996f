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

// ActNorm and the invertible 1x1 convolution, as one: z = W x + b at every pixel.

export class Mixing {
  // W (C, C) and b (C,) are what was exported; both ways come from them, in double, so that they fit together.
  constructor({ height, width, channels }, weights, bias) {
    Object.assign(this, { height, width });
    const [inverse, logAbsDet] = invert(weights, channels);
    const offset = new Float64Array(channels); // x = V z - V b
    for (let i = 0; i < channels; i++)
      for (let o = 0; o < channels; o++) offset[o] -= bias[i] * inverse[i * channels + o];
    const shape = [1, 1, channels, channels];
    this.there = { weights, bias, shape };
    this.back = { weights: inverse, bias: offset, shape };
    this.logDet = height * width * logAbsDet; // H W log |det W|
  }

  // (H, W, C) -> the same shape
  forward(x, work) {
    const z = work.other(x);
    work.convolve(x, this.there, z, this.height, this.width);
    return [z, this.logDet];
  }

  inverse(z, work) {
    const x = work.other(z);
    work.convolve(z, this.back, x, this.height, this.width);
    return x;
  }
}

// [the inverse of a (C, C) matrix, log |det|], by elimination with the largest pivots, in double.
export function invert(matrix, size) {
  const left = Float64Array.from(matrix);
  const right = new Float64Array(size * size);
  for (let i = 0; i < size; i++) right[i * size + i] = 1;
  let logAbsDet = 0;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++)
      if (Math.abs(left[row * size + column]) > Math.abs(left[pivot * size + column])) pivot = row;
    const divisor = left[pivot * size + column];
    logAbsDet += Math.log(Math.abs(divisor));
    for (const part of [left, right]) {
      for (let i = 0; i < size; i++) {
        const value = part[pivot * size + i] / divisor;
        part[pivot * size + i] = part[column * size + i];
        part[column * size + i] = value;
      }
    }
    for (let row = 0; row < size; row++) {
      const factor = left[row * size + column];
      if (row === column || factor === 0) continue;
      for (let i = 0; i < size; i++) {
        left[row * size + i] -= factor * left[column * size + i];
        right[row * size + i] -= factor * right[column * size + i];
      }
    }
  }
  return [right, logAbsDet];
}

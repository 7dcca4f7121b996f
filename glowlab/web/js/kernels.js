// The two slow parts of a flow: `convolve`, and `couple`, the move of a coupling. In plain JavaScript, which computes
// in double and is what to read; and the same in WebAssembly (kernels.c), which computes in float and is ten times as
// fast. Pictures are (H, W, C), a pixel's channels side by side.

export const SCALE_BOUND = 0.7;

export const plain = {
  name: "plain JavaScript",
  Real: Float64Array,
  alloc: (count) => new Float32Array(count), // for weights

  // y (H, W, C_out) = bias + x (H, W, C_in) * weights (k, k, C_in, C_out), with 0 around x; then max(y, 0) for `relu`.
  // C_out is a multiple of 4.
  convolve(x, { weights, bias, shape: [k, , cIn, cOut] }, y, height, width, relu = false) {
    const values = new Float64Array(k * k * cIn); // what a pixel's taps see, without zeros: half are after max(y, 0)
    const rows = new Int32Array(k * k * cIn); // and where its weights begin
    for (let n = 0; n < height * width; n++) {
      let count = 0;
      for (let tap = 0; tap < k * k; tap++) {
        const row = Math.floor(n / width) + Math.floor(tap / k) - (k >> 1);
        const column = (n % width) + (tap % k) - (k >> 1);
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        for (let i = 0; i < cIn; i++) {
          values[count] = x[(row * width + column) * cIn + i];
          rows[count] = (tap * cIn + i) * cOut;
          if (values[count] !== 0) count++;
        }
      }
      for (let o = 0; o < cOut; o += 4) {
        let [a, b, c, d] = [bias[o], bias[o + 1], bias[o + 2], bias[o + 3]];
        for (let j = 0; j < count; j++) {
          const value = values[j];
          const from = rows[j] + o;
          a += value * weights[from];
          b += value * weights[from + 1];
          c += value * weights[from + 2];
          d += value * weights[from + 3];
        }
        const at = n * cOut + o;
        y[at] = relu && a < 0 ? 0 : a;
        y[at + 1] = relu && b < 0 ? 0 : b;
        y[at + 2] = relu && c < 0 ? 0 : c;
        y[at + 3] = relu && d < 0 ? 0 : d;
      }
    }
  },

  // The second half of x's channels moves, in place: z = (x + t) * s, or back x = z / s - t. h (H, W, C_h) holds t,
  // then what log s = SCALE_BOUND tanh(h) is made from; s is 1 unless `affine`. Gives log_det = sum(log s).
  couple(x, h, pixels, half, cH, affine, forward) {
    let logDet = 0;
    for (let n = 0; n < pixels; n++) {
      for (let c = 0; c < half; c++) {
        const at = 2 * half * n + half + c;
        const t = h[n * cH + c];
        const logS = affine ? SCALE_BOUND * Math.tanh(h[n * cH + half + c]) : 0;
        x[at] = forward ? (x[at] + t) * Math.exp(logS) : x[at] / Math.exp(logS) - t;
        logDet += logS;
      }
    }
    return logDet;
  },
};

// The same by kernels.wasm, in a memory of its own with room for so many floats. Rejects where wasm is forbidden.
export async function compile(wasm, floats) {
  const { instance } = await WebAssembly.instantiate(wasm);
  const { convolve, couple, memory, __heap_base: start } = instance.exports;
  memory.grow(Math.ceil((4 * floats) / 65536));
  let free = Math.ceil(start.value / 16) * 16;
  const alloc = (count) => {
    const array = new Float32Array(memory.buffer, free, count);
    free += Math.ceil(count / 4) * 16;
    return array;
  };
  const rounded = new Map(); // arrays of doubles, and their place here as floats
  const place = (array) => {
    if (array.buffer === memory.buffer) return array.byteOffset;
    if (!rounded.has(array)) {
      const copy = alloc(array.length);
      copy.set(array);
      rounded.set(array, copy.byteOffset);
    }
    return rounded.get(array);
  };
  return {
    name: "WebAssembly",
    Real: Float32Array,
    alloc,
    convolve(x, { weights, bias, shape: [k, , cIn, cOut] }, y, height, width, relu = false) {
      convolve(place(x), place(weights), place(bias), place(y), height, width, cIn, cOut, k, relu);
    },
    couple(x, h, pixels, half, cH, affine, forward) {
      return couple(place(x), place(h), pixels, half, cH, forward, affine, SCALE_BOUND);
    },
  };
}

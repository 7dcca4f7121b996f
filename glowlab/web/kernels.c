// The two slow parts of a flow, for the page: convolution, and the move of a coupling. `make wasm` compiles this file
// to kernels.wasm: plain WebAssembly with SIMD, which gives the same bits on every machine. kernels.js has the same in
// JavaScript. Pictures are (H, W, C), floats, a pixel's channels side by side.

typedef float four __attribute__((vector_size(16), aligned(4)));  // four channels at once
typedef int mask __attribute__((vector_size(16)));

enum { PIXELS = 4, TAPS = 9, MAX_CHANNELS = 1024 };

static float zeros[MAX_CHANNELS];  // a pixel outside the picture

// For PIXELS pixels, `fours` times four channels of y: all that these sums need stays in registers.
static inline __attribute__((always_inline)) void sum(int fours, const float *seen[TAPS][PIXELS], int taps, int c_in,
                                                      const float *weights, int c_out, const float *bias, int relu,
                                                      float *y, int count) {
  four total[PIXELS][2];
  for (int p = 0; p < PIXELS; p++)
    for (int f = 0; f < fours; f++) total[p][f] = *(const four *)(bias + 4 * f);
  for (int tap = 0; tap < taps; tap++)
    for (int i = 0; i < c_in; i++, weights += c_out)
      for (int f = 0; f < fours; f++)
        for (int p = 0; p < PIXELS; p++) total[p][f] += seen[tap][p][i] * *(const four *)(weights + 4 * f);
  for (int p = 0; p < count; p++)
    for (int f = 0; f < fours; f++) {
      const four value = total[p][f];
      *(four *)(y + p * c_out + 4 * f) = relu ? (four)((mask)value & (value > 0)) : value;  // max(value, 0)
    }
}

// y (H, W, c_out) = bias + x (H, W, c_in) * weights (k, k, c_in, c_out), k 1 or 3; then max(y, 0) where relu is 1.
// c_in is at most MAX_CHANNELS, c_out a multiple of 4.
void convolve(const float *x, const float *weights, const float *bias, float *y, int height, int width, int c_in,
              int c_out, int k, int relu) {
  const int pixels = height * width, taps = k * k;
  for (int n = 0; n < pixels; n += PIXELS) {
    const float *seen[TAPS][PIXELS];  // where each tap finds the pixel below it
    const int count = pixels - n < PIXELS ? pixels - n : PIXELS;
    for (int p = 0; p < PIXELS; p++) {
      const int at = p < count ? n + p : n, top = at / width - k / 2, left = at % width - k / 2;
      for (int row = top, tap = 0; row < top + k; row++)
        for (int column = left; column < left + k; column++, tap++) {
          const int inside = 0 <= row && row < height && 0 <= column && column < width;
          seen[tap][p] = inside ? x + (row * width + column) * c_in : zeros;
        }
    }
    int o = 0;
    for (; o + 8 <= c_out; o += 8)
      sum(2, seen, taps, c_in, weights + o, c_out, bias + o, relu, y + n * c_out + o, count);
    if (o < c_out) sum(1, seen, taps, c_in, weights + o, c_out, bias + o, relu, y + n * c_out + o, count);
  }
}

// e^x to the last digits of a float, for |x| < 87: 2^n * e^r, with n whole and |r| < 0.35.
static inline float exponential(float x) {
  const float n = __builtin_rintf(x * 1.44269504f);
  const float r = x - n * 0.693359375f + n * 2.12194440e-4f;
  const float series =
      1 + r * (1 + r * (1 / 2.f + r * (1 / 6.f + r * (1 / 24.f + r * (1 / 120.f + r * (1 / 720.f + r / 5040))))));
  union {
    int bits;
    float value;
  } power = {((int)n + 127) << 23};
  return series * power.value;
}

// The second half of x (H, W, 2 half) moves, as h (H, W, c_h) says: t first, then what log s is made from.
// Forward z = (x + t) * s; else x = z / s - t. Gives sum(log s).
double couple(float *x, float *h, int pixels, int half, int c_h, int forward, int affine, float scale_bound) {
  double log_det = 0;
  for (int n = 0; n < pixels; n++, x += 2 * half, h += c_h) {
    float *moved = x + half, *t = h, *log_s = h + half;
    if (!affine) {
      for (int c = 0; c < half; c++) moved[c] += forward ? t[c] : -t[c];
      continue;
    }
    for (int c = 0; c < half; c++) {
      const float bounded = log_s[c] < -15 ? -15 : log_s[c] > 15 ? 15 : log_s[c];
      log_s[c] = scale_bound * (1 - 2 / (1 + exponential(2 * bounded)));  // scale_bound * tanh
    }
    if (forward) {
      for (int c = 0; c < half; c++) moved[c] = (moved[c] + t[c]) * exponential(log_s[c]);
      for (int c = 0; c < half; c++) log_det += log_s[c];
    } else {
      for (int c = 0; c < half; c++) moved[c] = moved[c] / exponential(log_s[c]) - t[c];
    }
  }
  return log_det;
}

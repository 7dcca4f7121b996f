// Many scales: turn pixels into channels (squeeze), and put half of them aside at every level (split).

const STD_BOUND = 2;

// Each 2 x 2 block of pixels becomes 4 channels: (H, W, C) -> (H/2, W/2, 4C).
export class Squeeze {
  // height, width and channels are those after the squeeze
  constructor({ height, width, channels }) {
    this.from = new Int32Array(height * width * channels); // place of each value before the squeeze
    for (let i = 0; i < this.from.length; i++) {
      const [channel, n] = [i % channels, Math.floor(i / channels)];
      const row = 2 * Math.floor(n / width) + ((channel >> 1) & 1);
      const column = 2 * (n % width) + (channel & 1);
      this.from[i] = ((row * 2 * width + column) * channels) / 4 + (channel >> 2);
    }
  }

  forward(x, work) {
    const z = work.other(x);
    this.from.forEach((from, i) => (z[i] = x[from]));
    return [z, 0];
  }

  inverse(z, work) {
    const x = work.other(z);
    this.from.forEach((from, i) => (x[from] = z[i]));
    return x;
  }
}

function bound(logStd) {
  return STD_BOUND * Math.tanh(logStd / STD_BOUND);
}

// Half of the channels leave as white eps: a network predicts their mean and std from the half that stays. At the last
// level, where `stays` is 0, all leave, and mean and std are a table.
export class Split {
  constructor({ height, width, channels }, stays, prior) {
    Object.assign(this, { height, width, channels, stays, prior });
  }

  // What the prior says of the channels that leave, (H, W, 2 C_l): their means, then their log stds.
  meanAndLogStd(stays, work) {
    if (!this.stays) return this.prior;
    const [h] = work.hidden;
    work.convolve(stays, this.prior, h, this.height, this.width);
    return h;
  }

  // x (H, W, C) -> stays (H, W, C - C_l), eps (C_l, H, W), log_det
  forward(x, work) {
    const { channels: C, stays: S } = this;
    const [pixels, leave, kept] = [this.height * this.width, C - S, work.other(x)];
    for (let n = 0; n < pixels; n++) for (let c = 0; c < S; c++) kept[n * S + c] = x[n * C + c];
    const h = this.meanAndLogStd(kept, work);
    const eps = new work.Real(pixels * leave);
    let logDet = 0;
    for (let n = 0; n < pixels; n++) {
      for (let c = 0; c < leave; c++) {
        const mean = h[2 * leave * n + c];
        const logStd = bound(h[2 * leave * n + leave + c]);
        eps[c * pixels + n] = (x[n * C + S + c] - mean) * Math.exp(-logStd);
        logDet -= logStd;
      }
    }
    return [kept, eps, logDet];
  }

  // stays (H, W, C - C_l), eps (C_l, H, W) -> x (H, W, C)
  inverse(kept, eps, work) {
    const { channels: C, stays: S } = this;
    const [pixels, leave, x] = [this.height * this.width, C - S, work.other(kept)];
    const h = this.meanAndLogStd(kept, work);
    for (let n = 0; n < pixels; n++) {
      for (let c = 0; c < S; c++) x[n * C + c] = kept[n * S + c];
      for (let c = 0; c < leave; c++) {
        const mean = h[2 * leave * n + c];
        const logStd = bound(h[2 * leave * n + leave + c]);
        x[n * C + S + c] = mean + eps[c * pixels + n] * Math.exp(logStd);
      }
    }
    return x;
  }
}

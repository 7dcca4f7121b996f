// Coupling: a network sees one half of the channels and moves the other half. The network is never inverted.

// x = (x_a, x_b) by channels; z_a = x_a, z_b = (x_b + t) * s with (log s, t) from a network that sees x_a only.
export class Coupling {
  // network: its three convolutions; clamp: limit of what it sees, 0 for none
  constructor({ height, width, channels }, { coupling, clamp }, network) {
    Object.assign(this, { height, width, network, half: channels / 2, affine: coupling === "affine" });
    this.clamp = clamp || Infinity;
  }

  // t and what log s is made from, (H, W, C_h): 3x3 -> ReLU -> 1x1 -> ReLU -> 3x3 of x_a
  scaleAndShift(x, work) {
    const { height, width, half, clamp, network } = this;
    const [seen, a, b] = work.hidden;
    for (let n = 0; n < height * width; n++)
      for (let c = 0; c < half; c++) seen[n * half + c] = Math.min(Math.max(x[2 * half * n + c], -clamp), clamp);
    work.convolve(seen, network[0], a, height, width, true); // (H, W, hidden)
    work.convolve(a, network[1], b, height, width, true); // (H, W, hidden)
    work.convolve(b, network[2], a, height, width); // (H, W, C_h)
    return a;
  }

  move(x, work, forward) {
    const h = this.scaleAndShift(x, work);
    const cH = this.network[2].shape[3];
    return work.couple(x, h, this.height * this.width, this.half, cH, this.affine, forward);
  }

  forward(x, work) {
    const logDet = this.move(x, work, true);
    return [x, logDet];
  }

  inverse(z, work) {
    this.move(z, work, false);
    return z;
  }
}

// Random numbers from a seed, the same that PyTorch draws on a CPU: the Mersenne Twister (Matsumoto & Nishimura 1998)
// for `rand`, and the Box-Muller transform of its numbers, in blocks of 16, for `randn`.

const SIZE = 624;

export class Generator {
  constructor(seed) {
    this.state = new Uint32Array(SIZE);
    this.state[0] = seed;
    for (let i = 1; i < SIZE; i++) {
      const before = this.state[i - 1];
      this.state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
    }
    this.next = SIZE;
    this.spare = null; // the second normal number of a pair
  }

  // The next whole number in [0, 2^32).
  random() {
    const { state } = this;
    if (this.next === SIZE) {
      for (let i = 0; i < SIZE; i++) {
        const both = (state[i] & 0x80000000) | (state[(i + 1) % SIZE] & 0x7fffffff);
        state[i] = state[(i + 397) % SIZE] ^ (both >>> 1) ^ (both & 1 ? 0x9908b0df : 0);
      }
      this.next = 0;
    }
    let y = state[this.next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  // A float in [0, 1), of 24 bits.
  uniform() {
    return (this.random() & 0xffffff) / 2 ** 24;
  }

  // A double in [0, 1), of 53 bits.
  uniformDouble() {
    const high = this.random() & 0x1fffff;
    return (high * 2 ** 32 + this.random()) / 2 ** 53;
  }

  // A normal number, as PyTorch draws those of a tensor with fewer than 16.
  normal() {
    if (this.spare !== null) {
      const value = this.spare;
      this.spare = null;
      return value;
    }
    const angle = 2 * Math.PI * this.uniformDouble();
    const radius = Math.sqrt(-2 * Math.log1p(-this.uniformDouble()));
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

// torch.rand(count, generator=generator)
export function rand(count, generator) {
  return new Float32Array(count).map(() => generator.uniform());
}

// torch.randn(count, generator=generator), equal to the last digit or two of a float
export function randn(count, generator) {
  if (count < 16) return new Float32Array(count).map(() => generator.normal());
  const values = rand(count, generator);
  for (let start = 0; start + 16 <= count; start += 16) boxMuller(values.subarray(start, start + 16));
  if (count % 16) {
    const rest = values.subarray(count - 16);
    rest.set(rand(16, generator));
    boxMuller(rest);
  }
  return values;
}

// 16 uniform numbers become normal ones, in place: number i and number i + 8 are a pair.
function boxMuller(values) {
  for (let i = 0; i < 8; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - values[i]));
    const angle = 2 * Math.PI * values[i + 8];
    values[i] = radius * Math.cos(angle);
    values[i + 8] = radius * Math.sin(angle);
  }
}

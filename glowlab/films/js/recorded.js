// The parts of a film (film.js): models for the widgets' scripts, sheets of pictures, and the recorded states.

// The model that anywidget gives a script: traits to get, set and watch.
class Model {
  constructor(traits, saved, sent) {
    Object.assign(this, { traits, saved, sent, listeners: [], changed: new Set() });
  }
  get(name) {
    return this.traits[name];
  }
  set(name, value) {
    if (this.traits[name] === value) return;
    this.traits[name] = value;
    this.changed.add(name);
    this.fire("change:" + name);
    this.fire("change");
  }
  put(values) { // as a kernel does it: all at once, then told
    Object.assign(this.traits, values);
    for (const name of Object.keys(values)) this.fire("change:" + name);
    if (Object.keys(values).length) this.fire("change");
  }
  save_changes() {
    const names = [...this.changed];
    this.changed.clear();
    this.saved(names);
  }
  send(message) {
    this.sent(message);
  }
  on(names, call) {
    for (const name of names.split(" ")) this.listeners.push([name, call]);
  }
  off(names, call) {
    const these = names.split(" ");
    this.listeners = this.listeners.filter(([name, other]) => other !== call || !these.includes(name));
  }
  fire(name, ...values) {
    for (const [other, call] of [...this.listeners]) if (other === name) call(...values);
  }
}

// Sheets of pictures, side by side; a picture is known by a number and given as bytes, three for each pixel. On sheets that
// are not lossless lightness and the two colours (YCbCr) lie below each other, as three grey pictures.
class Sheets {
  constructor([width, height], columns, before = []) {
    Object.assign(this, { width, height, columns, sheets: [...before], known: new Map() });
  }
  async add(first, count, webp, lossless) {
    const bitmap = await createImageBitmap(new Blob([webp], { type: "image/webp" }), {
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
    const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(bitmap, 0, 0);
    bitmap.close();
    this.sheets.push({ first, count, pen, below: lossless ? 0 : canvas.height / 3 });
  }
  picture(number) {
    if (this.known.has(number)) return this.known.get(number);
    const { width, height, columns } = this;
    const { first, pen, below } = this.sheets.find((sheet) => number >= sheet.first && number < sheet.first + sheet.count);
    const place = number - first;
    const [x, y] = [(place % columns) * width, Math.floor(place / columns) * height];
    const rgb = new Uint8ClampedArray(width * height * 3);
    const [light, blue, red] = (below ? [0, 1, 2] : [0]).map((i) => pen.getImageData(x, y + i * below, width, height).data);
    for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
      if (!below) rgb.set(light.subarray(from, from + 3), to);
      else {
        const [cb, cr] = [blue[from + 1] - 128, red[from + 1] - 128];
        rgb[to] = light[from + 1] + 1.402 * cr;
        rgb[to + 1] = light[from + 1] - 0.344136 * cb - 0.714136 * cr;
        rgb[to + 2] = light[from + 1] + 1.772 * cb;
      }
    }
    this.known.set(number, rgb);
    return rgb;
  }
  // The bytes of several pictures, one after the other.
  join(numbers) {
    const size = this.width * this.height * 3;
    const all = new Uint8Array(size * numbers.length);
    numbers.forEach((number, i) => all.set(this.picture(number), i * size));
    return all;
  }
}

const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

// A value as a widget's script expects it; `pool` is what numbers in a list refer to.
function valueOf(stored, sheets, pool) {
  if (stored === null || typeof stored !== "object" || !("$" in stored)) return stored;
  if (stored.$ === "pictures") return sheets.join(stored.of);
  if (stored.$ === "bytes") return stored.of.map(fromBase64);
  return stored.of.map((number) => pool[number]);
}

async function unpack(packed) {
  const length = new DataView(packed).getUint32(0);
  const text = new Blob([packed.slice(4, 4 + length)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return [await new Response(text).json(), packed.slice(4 + length)];
}

// A file of a film, which comes as it is, or as a script (film.py).
async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.arrayBuffer();
}
async function fromScript(address) {
  const script = document.createElement("script");
  try {
    await new Promise((onload, onerror) => {
      document.head.append(Object.assign(script, { onload, onerror, src: address }));
    });
    return fromBase64(script.film).buffer;
  } finally {
    script.remove();
  }
}

// The states of a film, as far as they were fetched, and the one nearest to a point.
class States {
  constructor(film, bytes, sheets) { // `bytes` of a chapter, by its name
    Object.assign(this, { film, bytes, sheets, loads: new Map(), states: [], spans: {} });
    const point = {};
    for (const [name, dim] of Object.entries(film.dims)) point[name] = dim.opening;
    this.opening = { point, values: () => new Map() };
    this.states.push(this.opening);
  }
  // The chapters that a point needs; the first is always one of them.
  needed(point) {
    const { dims } = this.film;
    const wanted = ([name, values]) => (values ? values.includes(point[name]) : point[name] !== dims[name].opening);
    return this.film.chapters.filter(({ when }) => !Object.keys(when).length || Object.entries(when).some(wanted));
  }
  ready(point) {
    return this.needed(point).every(({ name }) => this.loads.get(name) === true);
  }
  async load(point) {
    await Promise.all(this.needed(point).map(({ name }) => {
      if (!this.loads.has(name)) this.loads.set(name, this.fetch(name));
      return this.loads.get(name);
    }));
  }
  async fetch(name) {
    try {
      await this.take(await unpack(await this.bytes(name)));
      this.loads.set(name, true);
    } catch (error) {
      this.loads.delete(name); // so that the next move tries again
      throw error;
    }
  }
  async take([content, rest]) {
    const { width, height, columns } = this.sheets;
    const sheets = new Sheets([width, height], columns, this.sheets.sheets);
    let from = 0;
    for (const [first, count, size, lossless] of content.sheets) {
      await sheets.add(first, count, rest.slice(from, from + size), lossless);
      from += size;
    }
    const made = [];
    const value = (number) => (made[number] ??= { is: valueOf(content.pool[number], sheets, content.pool) }).is;
    for (const [at, changed] of content.states) {
      const point = Object.fromEntries(content.dims.map((name, i) => [name, at[i]]));
      const values = () => {
        const found = new Map();
        for (let i = 0; i < changed.length; i += 2) found.set(content.traits[changed[i]].join(), value(changed[i + 1]));
        return found;
      };
      this.states.push({ point, values });
      for (const [name, where] of Object.entries(point)) {
        if (typeof where !== "number") continue;
        const [low, high] = this.spans[name] || [where, where];
        this.spans[name] = [Math.min(low, where), Math.max(high, where)];
      }
    }
  }
  far(name, a, b) {
    const [low, high] = this.spans[name] || [a, b];
    return Math.min(1, Math.abs(a - b) / (high - low || 1));
  }
  // How badly a state fits; what was moved (null: nothing was) counts most, and then what is firm must be as it is.
  cost(state, wanted, moved) {
    let sum = 0;
    for (const [name, { weight, firm }] of Object.entries(this.film.dims)) {
      const [is, ought] = [state.point[name], wanted[name]];
      if (is === ought) continue;
      const number = typeof is === "number";
      const asked = moved?.has(name);
      if (moved && (asked ? !number : firm)) return Infinity;
      if (asked) sum += 20 * this.far(name, is, ought);
      else sum += weight * (number ? 0.5 + 0.5 * this.far(name, is, ought) : 1);
    }
    return sum;
  }
  nearest(wanted, moved, allowed = () => true) {
    let [best, least] = [null, Infinity];
    for (const state of this.states) {
      const cost = allowed(state) ? this.cost(state, wanted, moved) : Infinity;
      if (cost < least) [best, least] = [state, cost];
    }
    return best;
  }
}

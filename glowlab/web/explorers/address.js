// A page's address: a setting's value as text and back, and a sentence on what cannot be used.

const LONGEST = 24; // letters of a value that the sentence repeats
const LOST = "An address cannot hold a picture of your own; please choose its file again.";
const HOTTEST = 1.2; // of fresh faces
export const FRESH = 8; // faces of one seed
export const OWN = "own"; // begins the key of a person's own picture

const readNumber = (text) => (text.trim() === "" ? NaN : Number(text));
const within = (value, { min, max }) => (min <= value && value <= max ? value : null); // null for NaN, too
const round = (value, { step }) => (value === null ? null : Number((Math.round(value / step) * step).toFixed(6)));

// What a fresh face's key holds, fresh-SEED-TEMPERATURE-NUMBER: {seed, temperature, number}; null for any other text.
export function readFresh(key) {
  const [, seed, temperature, number] = /^fresh-(\d{1,10})-(\d\.\d\d)-(\d)$/.exec(key)?.map(Number) ?? [];
  const isFresh = seed >= 1 && seed < 2 ** 31 && temperature <= HOTTEST && number >= 1 && number <= FRESH;
  return isFresh ? { seed, temperature, number } : null;
}

export const writeFresh = ({ seed, temperature, number }) => `fresh-${seed}-${temperature.toFixed(2)}-${number}`;

// How the settings of each kind are read, null where that cannot be, and written.
const KINDS = {
  slider: { read: (text, row) => round(within(readNumber(text), row), row), write: (value) => value.toFixed(2) },
  sliders: {
    read(text, row) {
      const values = text.split("_").map((part) => KINDS.slider.read(part, row));
      return values.length === row.count && !values.includes(null) ? values : null;
    },
    write: (values) => values.map(KINDS.slider.write).join("_"),
  },
  whole: { read: (text, row) => (/^\s*[+-]?\d+\s*$/.test(text) ? within(Number(text), row) : null), write: String },
  choice: {
    read: (text, { options }) => (options.some(([value]) => value === text) ? text : null),
    write: String,
  },
  face: { read: (text, { keys }) => (keys.includes(text) || readFresh(text) ? text : null), write: String },
  levels: {
    read(text, { count }) {
      const names = Array.from({ length: count }, (_, i) => String(i + 1));
      if (text === "all" || text === "none") return text;
      if (!text || [...text].some((name) => !names.includes(name))) return null;
      const found = names.filter((name) => text.includes(name));
      return found.length === count ? "all" : found.join("");
    },
    write: String,
  },
  tick: { read: (text) => ({ 0: false, 1: true })[text] ?? null, write: (value) => String(Number(value)) },
};

export const isSetting = ({ kind }) => kind in KINDS;

// The query of an address.
export class Address {
  constructor(search) {
    this.asked = Object.fromEntries(new URLSearchParams(search));
    this.leftOut = [];
    this.isLost = false; // whether it asks for a person's own picture
  }

  // The settings that it holds, by name; what cannot be used is left out.
  read(rows) {
    const found = {};
    for (const row of rows.filter(isSetting)) {
      const name = row.name in this.asked || !row.old ? row.name : row.old;
      const value = name in this.asked ? KINDS[row.kind].read(this.asked[name], row) : null;
      if (value !== null) found[row.name] = value;
      else if (row.kind === "face" && this.asked[name]?.startsWith(OWN)) this.isLost = true;
      else if (name in this.asked) this.leaveOut(name, this.asked[name]);
    }
    return found;
  }

  // The names that ?controls= keeps, of those in `parts`; [] for all.
  readControls(parts) {
    const asked = (this.asked.controls ?? "").split(",").map((name) => name.trim());
    return asked.filter((name) => {
      if (name && !parts.includes(name)) this.leaveOut("controls", name);
      return parts.includes(name);
    });
  }

  leaveOut(name, text) {
    this.leftOut.push(`${name}=${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}`);
  }

  // One or two sentences on what was left out; "" where nothing was.
  sentence() {
    const asked = this.leftOut.join(" and ");
    const words = asked && `This page cannot do what its address asks for with ${asked}; that was left out.`;
    return [this.isLost ? LOST : "", words].filter(Boolean).join(" ");
  }
}

// The query for these values: settings that are not where they rest, or that are there always, beside what an address
// says of the page alone.
export function writeQuery(rows, values, about) {
  const query = new URLSearchParams(Object.entries(about).filter(([, value]) => value));
  for (const row of rows.filter(isSetting)) {
    const { write } = KINDS[row.kind];
    if (row.always || write(values[row.name]) !== write(row.rest)) query.set(row.name, write(values[row.name]));
  }
  return query.toString().replaceAll("%2C", ",");
}

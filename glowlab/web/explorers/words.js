// Sentences of the explorers, and their strips of numbers.

import wordings from "./wordings.json" with { type: "json" };

const FAR = 4; // standard deviations of bits/dim from which on a picture is unlike the data
const MANY = [
  [0.35, "hardly more than one mean face"],
  [0.6, "calm and much alike"],
  [0.85, "clean, and no two the same"],
  [1.02, "varied, and less clean"],
  [Infinity, "bolder than any face it learned from"],
];

const PICTURES = { face: "picture", person: "picture", nobody: "none", everyone: "each" };
Object.assign(PICTURES, { faces: "pictures", people: "pictures" });

// Words on faces, for a model: "{face}" is what it learned from, and where that is no faces, these words speak of none.
export function nameFaces(text, people) {
  const named = text.replace("{face}", people.slice(0, -1));
  if (people !== "pictures") return named;
  return named.replace(/\b(faces?|person|people|nobody|everyone)\b/gi, (word) => {
    const other = PICTURES[word.toLowerCase()];
    return word === word.toLowerCase() ? other : capitalize(other);
  });
}

// One sentence on sixteen faces at these temperatures, one for each level; two of them differ by `apart` grey levels.
export function describeSamples(temperatures, apart) {
  if (Math.max(...temperatures) === 0) {
    return "Sixteen times the same face: at temperature 0 nothing is left to chance, and this is the middle of all.";
  }
  const differ = `Two of them differ by ${apart.toFixed(0)} grey levels in the mean.`;
  const texts = temperatures.map((temperature) => temperature.toFixed(2));
  if (new Set(temperatures).size > 1) return `Sixteen faces, the levels at ${texts.join(", ")}, finest first. ${differ}`;
  const [, kind] = MANY.find(([top]) => temperatures[0] < top);
  return `Sixteen faces at temperature ${texts[0]}: ${kind}. ${differ}`;
}

// ---- attributes ----

export const capitalize = (text) => text[0].toUpperCase() + text.slice(1);

// An attribute's words: its label, names of the slider's ends, and what less and more of it is ("{}" takes an adverb).
export function wording(name) {
  const plain = name.replaceAll("_", " ");
  const [label, low, high, less, more] = Object.hasOwn(wordings, name)
    ? wordings[name]
    : [plain[0].toUpperCase() + plain.slice(1), "less", "more", `{}less ${plain}`, `{}more ${plain}`];
  return { label, low, high, less, more };
}

// Words for the change of an attribute by an amount in a slider's units; "" where it is hardly seen.
function describeChange(name, amount) {
  const size = Math.abs(amount);
  if (size < 0.1) return "";
  const { less, more } = wording(name);
  return (amount > 0 ? more : less).replace("{}", size < 0.35 ? "slightly " : size > 0.8 ? "much " : "");
}

// ["a", "b", "c"] -> "a, b and c"
function listing(items) {
  return [items.slice(0, -1).join(", "), ...items.slice(-1)].filter(Boolean).join(" and ");
}

// One sentence: the face, its edits (amounts by name), the face it is blended with. Of a picture unlike what the model
// learned from, which `unlike` names, it says where it was moved, not that it now has the attribute.
export function describe(start, amounts, { partner = "", blend = 0, unlike = "" } = {}) {
  const edits = Object.entries(amounts).map(([name, amount]) => describeChange(name, amount));
  const changes = listing(edits.filter(Boolean));
  const blended = partner && blend >= 0.01;
  const far = blend < 0.995 ? `blended ${Math.round(100 * blend)} % with` : "turned all the way into";
  let text = capitalize(start) + (blended ? `, ${far} ${partner}` : "");
  if (changes && unlike) text += `, moved towards ${changes}, as ${unlike} have it`;
  else if (changes) text += (blended ? ", then given " : " with ") + changes;
  else if (!blended) text += ", unchanged";
  return `${text}.`;
}

// ---- between two faces ----

const ALONG = { pixels: "mixed as pixels", linear: "along the straight line", spherical: "along the arc" };

// One sentence or two on the picture at t between two faces, which has this effective temperature; moves: whether each
// level does.
export function describeWay({ first, second, t, way, moves, temperature }) {
  if (first === second) return `Both pictures are ${first}, so there is no way to go.`;
  const isWhole = way === "pixels" || !moves.includes(false);
  let where = `${Math.round(100 * t)} % of the way from ${first} to ${second}`;
  if (t === 0) where = `${first}, where the way begins`;
  else if (t === 1) where = isWhole ? `${second}, where the way ends` : `the end of the way from ${first} to ${second}`;
  const words = `${capitalize(where)}, ${ALONG[way]}. Its effective temperature is ${temperature.toFixed(2)}.`;
  if (isWhole) return words;
  const still = moves.flatMap((isMoving, level) => (isMoving ? [] : [level + 1]));
  return `${words} Level${still.length > 1 ? "s" : ""} ${still.join(", ")} stayed as in ${first}.`;
}

// ---- numbers ----

// Whether so many bits per dimension are far from typical, on either side; NaN is, too.
export const isUnlike = (bits, typical) => Boolean(typical) && !(Math.abs(bits - typical.mean) <= FAR * typical.spread);

// A remark on bits per dimension beside those of held-out pictures, where they are known: {note, flag}.
export function remarkBits(bits, { typical, people }) {
  const usual = typical ? nameFaces(`held-out faces: ${usualBits(typical)}`, people) : "";
  const unlike = Number.isFinite(bits) && isUnlike(bits, typical);
  return { note: unlike ? `unlike what it learned from; ${usual}` : usual, flag: unlike };
}

export const usualBits = (typical) => `${typical.mean.toFixed(2)}\u00a0±\u00a0${typical.spread.toFixed(2)}`;

// Entries of a Readout: bits per dimension, effective temperature, change from the start in grey levels, milliseconds.
// bits and change are NaN where not measured yet, and `stale` where they are those of an earlier picture.
export function numberEntries({ bits, temperature, change, milliseconds, stale }) {
  const write = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : "\u2013");
  return [
    { name: "Bits per dimension", value: write(bits, 2), note: "", tone: "log-det", stale },
    { name: "Effective temperature", value: write(temperature, 2), note: "|eps| / √D; a typical draw: 1.00", tone: "z" },
    { name: "Change from the start", value: write(change, 1), note: "grey levels of 255, mean over pixels", tone: "x", stale },
    milliseconds
      ? { name: "Time to draw", value: milliseconds.toFixed(0), unit: "ms", note: "latents → picture" }
      : { name: "Time to draw", value: "\u2013", note: "computed before" },
  ];
}

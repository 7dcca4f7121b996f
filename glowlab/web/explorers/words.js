// Sentences of the explorers, and their strips of numbers.

const MANY = [
  [0.35, "hardly more than one mean face"],
  [0.6, "calm and much alike"],
  [0.85, "clean, and no two the same"],
  [1.02, "varied, and less clean"],
  [Infinity, "bolder than any face it learned from"],
];

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

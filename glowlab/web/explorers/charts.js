// The charts of the explorers: narrow ones, so that a phone shows them whole.

import { splitAtMedian } from "./labelled.js";
import { Panel } from "./panel.js";
import { nameFaces } from "./words.js";

const MARGIN = 0.06; // of a range: more than the radius of a dot at its end
const BINS = Array.from({ length: 71 }, (_, i) => i / 50); // of |eps| / sqrt(D), 0 to 1.4

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// A chart that shows only these words, until there is something to show.
export function blank(words) {
  const panel = new Panel([0, 1], [0, 1], { frame: false }).text(0.5, 0.5, words, "faint", { size: 13 });
  return { words, height: 220, panels: [panel] };
}

// From the lowest of these to the highest, with room for a dot at either; no less room than `least`.
export function limits(values, least = 0) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(least, MARGIN * (high - low));
  return [low - room, high + room];
}

function countInBins(values) {
  const counts = new Array(BINS.length - 1).fill(0);
  for (const value of values) counts[Math.min(Math.max(Math.floor(50 * value + 1e-6), 0), counts.length - 1)]++;
  const most = Math.max(...counts);
  return counts.map((count) => count / most);
}

const around = (radius, angle) => [radius * Math.cos(angle), radius * Math.sin(angle)];

// |eps| / sqrt(D) of these draws beside typical draws at T = 1 and the pictures of the data, `people`, at `radii`.
export function shell(effective, radii, dims, chosen, people) {
  const [here, known] = [mean(effective), radii.length > 0];
  const words =
    `Distance from the middle, |eps| / √D. Draws at temperature 1 all lie at 1, in a shell as thin as ` +
    `${(1 / Math.sqrt(2 * dims)).toFixed(3)}; these sixteen lie at ${here.toFixed(2)}.` +
    (known ? ` Encoded ${people} lie at ${mean(radii).toFixed(2)}.` : "");

  const ring = new Panel([-1.5, 1.5], [-1.5, 1.5], { equal: true, frame: false, weight: 1.1 });
  const circle = Array.from({ length: 97 }, (_, i) => around(1, (2 * Math.PI * i) / 96));
  ring.line(circle, "ink", { width: 5, alpha: 0.28 });
  const few = [...radii.slice(0, 96)].map((radius, i) => around(radius, i * 2.399963)); // the golden angle spreads them
  if (known) ring.dots(few, "x", 2.2, 0.7);
  const draws = effective.map((radius, i) => around(radius, (2 * Math.PI * (i + 0.5)) / effective.length));
  ring.dots([[0, 0]], "ink", 2.5);
  const side = draws[chosen][1] > 0 ? -1 : 1; // where the line to the chosen draw is not
  if (here > 0.6) ring.text(0, 0.08 * side, "likeliest", "ink", { baseline: side < 0 ? "top" : "bottom" });
  ring.line([[0, 0], draws[chosen]], "z", { width: 1.2 });
  ring.dots(draws, "z", 3.6);
  ring.dots([draws[chosen]], "z", 6.5);
  ring.line([[0, 1.04], [0, 1.5]], "ink", { width: 1.2, alpha: 0.28 }); // between two draws, to words above them all
  ring.text(0, 1.5, "shell of T = 1", "ink", { baseline: "bottom" });

  const bars = new Panel([0, 1.4], [0, 1.5], { xticks: [0, 0.5, 1], yticks: [], xlabel: "|eps| / √D" });
  const thin = BINS.slice(1).map((edge) => Math.exp(-dims * (edge - 0.01 - 1) ** 2)); // it is near N(1, 1 / 2D)
  bars.bars(BINS, thin.map((height) => height / Math.max(...thin)), "ink", 0.28);
  if (known) bars.bars(BINS, countInBins(radii), "x", 0.6);
  bars.bars(BINS, countInBins(effective), "z", 0.6);
  const names = [["these sixteen", "z"], [people, "x"], ["typical draws at T = 1", "ink"]];
  names.filter(([, colour]) => known || colour !== "x").forEach(([name, colour], row) => {
    bars.dots([[0.04, 1.44 - 0.13 * row]], colour, 4, colour === "ink" ? 0.3 : 0.8);
    bars.text(0.12, 1.44 - 0.13 * row, name, "ink", { anchor: "start" });
  });
  return { words, height: 236, panels: [ring, bars] };
}

// Quality against diversity of samples: {temperature, residual, spread} of points, of those shown now, of the data.
export function trade(points, now, real, people) {
  const unlike = nameFaces("unlike any face", people);
  const words =
    `Quality against diversity: the colder the samples, the cleaner and the more alike. Now: ` +
    `${now.residual.toFixed(2)} grey levels ${unlike}, and two differ by ${now.spread.toFixed(0)}. ` +
    `${people[0].toUpperCase()}${people.slice(1)}: ${real.residual.toFixed(2)} and ${real.spread.toFixed(0)}.`;
  const seen = [...points, now, real];
  const [low, high] = limits(seen.map((point) => point.residual), 0.05);
  const far = Math.max(...seen.map((point) => point.spread));
  const labels = {
    xlabel: nameFaces("how far two faces differ, grey levels", people),
    ylabel: `${unlike}, grey levels`,
  };
  const panel = new Panel([-MARGIN * far, 1.12 * far], [low, high], labels);
  panel.line(points.map(({ spread, residual }) => [spread, residual]), "z", { width: 2, alpha: 0.55 });
  const isNear = ({ spread, residual }) => {
    return Math.abs(spread - real.spread) < 0.2 * far && Math.abs(residual - real.residual) < 0.2 * (high - low);
  };
  const named = points.filter(({ temperature }) => [0, 0.5, 0.7, 1, 1.3].includes(Number(temperature.toFixed(2))));
  for (const point of named) {
    const { temperature, residual, spread } = point;
    panel.dots([[spread, residual]], "z", 3);
    const [right, up, anchor] =
      temperature === 0 ? [1, 0.05, "start"] : isNear(point) ? [1, -0.08, "start"] : [-1, 0.02, "end"];
    const at = [spread + 0.035 * right * far, residual + up * (high - low)];
    panel.text(...at, `T = ${Number(temperature.toFixed(2))}`, "ink", { anchor, baseline: "bottom" });
  }
  panel.dots([[real.spread, real.residual]], "x", 5);
  if (named.some(isNear)) panel.text(real.spread - 0.035 * far, real.residual, people, "x", { anchor: "end" });
  else panel.text(real.spread, real.residual - 0.05 * (high - low), people, "x", { baseline: "top" });
  panel.dots([[now.spread, now.residual]], "z", 7);
  return { words, height: 236, panels: [panel] };
}

export const WAYS = { pixels: "x", linear: "pink", spherical: "z" }; // their colours

// One value on the way from the first picture (t = 0) to the second; curves: way -> [t, values]. now: way and value of
// the picture on the page, or null; band: the range of `people`, [low, high], or null.
export function along(curves, at, now, words, band, people) {
  const values = Object.values(curves).flatMap(([, each]) => each);
  const [low, high] = limits([...values, ...(now ? [now[1]] : []), ...(band ?? [])].filter(Number.isFinite), 0.1);
  const [left, right] = limits([0, 1]);
  const head = 0.15 * (high - low); // above all curves, for words
  const labels = { xlabel: "t, from the first picture to the second", xticks: [0, 0.5, 1] };
  const panel = new Panel([left, right], [low, high + head], labels);
  if (band) {
    panel.area([[left, band[1]], [right, band[1]], [right, band[0]], [left, band[0]]], "ink", 0.12);
    panel.dots([[0.02, high + 0.6 * head]], "ink", 4, 0.3);
    panel.text(0.05, high + 0.6 * head, people, "ink", { anchor: "start" });
  }
  panel.line([[at, low], [at, high]], "ink", { width: 1.2, alpha: 0.6, dash: true });
  for (const [way, [t, each]] of Object.entries(curves)) {
    const points = t.map((place, i) => [place, each[i]]);
    panel.line(points, WAYS[way], { width: 2.2 });
    if (t.length < 12) panel.dots(points, WAYS[way], 3);
  }
  if (now) panel.dots([[at, now[1]]], WAYS[now[0]], 6.5);
  return { words, height: 220, panels: [panel] };
}

const withSign = (value) => `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(2)}`;

// Labelled faces along a direction, split by their label, with this face before and after; words: those of `wording`.
export function positions({ label, low, high }, found, labels, before, after, people) {
  const face = nameFaces("face", people);
  const has = splitAtMedian(labels);
  const [less, more] = [found.filter((_, i) => !has[i]), found.filter((_, i) => has[i])];
  const words =
    `Where ${found.length.toLocaleString("en")} labelled ${face}s lie along ${label.toLowerCase()}: those toward ` +
    `${low} on average at ${withSign(mean(less))}, those toward ${high} at ${withSign(mean(more))}. This ${face} was at ` +
    `${withSign(before)} and is at ${withSign(after)}.`;
  const farthest = found.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const reach = Math.max(1.05 * farthest, 1.3 * Math.abs(before), 1.3 * Math.abs(after));
  const count = 48;
  const edges = Array.from({ length: count + 1 }, (_, i) => reach * ((2 * i) / count - 1));
  const heights = [less, more].map((values) => {
    const inBins = new Array(count).fill(0);
    for (const value of values) inBins[Math.min(Math.floor((count * (value / reach + 1)) / 2), count - 1)]++;
    return inBins;
  });
  const top = Math.max(...heights.flat());
  const panel = new Panel([-reach, reach], [0, 1.3 * top], { yticks: [], xlabel: "steps along the direction" });
  ["sky", "amber"].forEach((colour, i) => panel.bars(edges, heights[i], colour, 0.6));
  for (const [x, side, colour, end] of [[-reach, 1, "sky", low], [reach, -1, "amber", high]]) {
    panel.dots([[x + 0.03 * side * reach, 1.23 * top]], colour, 5);
    const anchor = side > 0 ? "start" : "end";
    panel.text(x + 0.08 * side * reach, 1.23 * top, `labelled ${end}`, "ink", { anchor });
  }
  panel.line([[before, 0], [before, 1.02 * top]], "x");
  panel.line([[after, 0], [after, 1.02 * top]], "z");
  const up = 1.05 * top;
  if (Math.abs(after - before) > 0.06 * reach) {
    const [first, second] = after > before ? ["end", "start"] : ["start", "end"];
    const space = 0.03 * reach * Math.sign(after - before);
    panel.arrow([before, up], [after, up], "z");
    panel.text(before - space, up, "before", "x", { anchor: first });
    panel.text(after + space, up, "after", "z", { anchor: second });
  } else {
    panel.text(after, up, `this ${face}`, "z");
  }
  return { words, height: 220, panels: [panel] };
}

// The cosines between directions with these titles, (k, k): 0 where two have nothing in common; `chosen` is framed.
export function overlap(titles, cosines, chosen) {
  const count = titles.length;
  let [row, column] = [0, count - 1];
  const size = (i, j) => (i === j ? 0 : Math.abs(cosines[i][j]));
  const all = titles.flatMap((_, i) => titles.map((_, j) => [i, j]));
  for (const [i, j] of all) if (size(i, j) > size(row, column)) [row, column] = [i, j];
  const pair = `${titles[row].toLowerCase()} and ${titles[column].toLowerCase()}`;
  const words =
    `Cosines between the ${count} directions. Most overlap ${pair}, with ${withSign(cosines[row][column])}.`;
  const range = [-0.5, count - 0.5];
  const yticks = titles.map((title, i) => [count - 1 - i, `${title} ${i + 1}`]);
  const panel = new Panel(range, range, { yticks, xticks: titles.map((_, i) => [i, String(i + 1)]) });
  const frame = (x, y, wide) => {
    return [[x, y - 0.5], [x + wide, y - 0.5], [x + wide, y + 0.5], [x, y + 0.5], [x, y - 0.5]];
  };
  const strongest = Math.max(0.5, size(row, column));
  for (const [i, j] of all) {
    const [value, up] = [cosines[i][j], count - 1 - i];
    const alpha = Math.min(size(i, j) / strongest, 1);
    if (alpha) panel.area(frame(j - 0.5, up, 1), value < 0 ? "x" : "z", Number(alpha.toFixed(3)));
    const text = value.toFixed(1).replace("0.", ".").replace("-", "\u2212");
    if (i === j) panel.text(j, up, "1", "faint", { size: 11 });
    else if (Math.abs(value) >= 0.05) panel.text(j, up, text, "ink", { size: 11 });
  }
  if (chosen >= 0) panel.line(frame(-0.5, count - 1 - chosen, count), "z", { width: 2 });
  return { words, height: 330, panels: [panel] };
}

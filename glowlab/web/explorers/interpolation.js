// Two real pictures, and the pictures between them: mixed as pixels, and along two ways between their latents.

import { dot, effectiveTemperature, lerp, slerp } from "../js/latents.js";
import { WAYS, along, blank } from "./charts.js";
import { Picture, Tiles, Words, box, make } from "./controls.js";
import { pick } from "./edits.js";
import { FaceExplorer } from "./faces.js";
import { difference, mix } from "./measures.js";
import { Board } from "./panel.js";
import interpolationTable from "./settings/interpolation.json" with { type: "json" };
import { Cache } from "./updater.js";
import { capitalize, describeWay } from "./words.js";

const BETWEEN = { linear: lerp, spherical: slerp };
const STOPS = Array.from({ length: 7 }, (_, i) => i / 6);
const CURVE = Array.from({ length: 25 }, (_, i) => i / 24);
const ENDS = { face: "first", partner: "second" };

export class InterpolationExplorer extends FaceExplorer {
  static table = interpolationTable;

  // ---- parts -------------------------------------------------------------------------------------------------------

  buildParts() {
    this.names = Object.fromEntries(this.row("way").options); // of the three ways
    this.ends = [new Picture({ tone: "x" }), new Picture({ tone: "x" })];
    this.between = new Picture({ tone: "z" }, () => this.learn("compare"));
    this.angle = new Words();
    [this.bitsChart, this.temperatureChart] = [new Board(), new Board()];
    this.bitsChart.show(blank("Being measured."));

    const [first, second] = this.ends.map((picture) => picture.element);
    const trio = box("trio", first, this.between.element, second);
    const show = box("show", trio, box("row", this.control("t"), this.control("way")));
    const actions = this.actions(() => this.surprise());
    const side = box("side", actions, this.words.element, this.control("levels"), this.numbers());
    this.parts.upload = [];
    const cards = [this.buildRows(), this.buildGallery("face", "Faces to start from")];
    cards.push(this.buildGallery("partner", "Faces to end at"), this.card("bits", this.bitsChart.element));
    cards.push(this.card("temperatures", this.temperatureChart.element, this.angle.element));
    return [box("stage even", show, side), box("cards", ...cards)];
  }

  // A row of seven stops for each way; the last has what t is, for all three.
  buildRows() {
    this.tiles = {};
    const rows = Object.entries(this.names).map(([way, name]) => {
      const tiles = new Tiles(name, (stop) => this.use("stop", { t: Number(STOPS[stop].toFixed(2)), way }));
      const captions = STOPS.map((t) => (t ? String(Number(t.toFixed(2))) : "t = 0"));
      tiles.name(STOPS.map((t) => `${name}, t = ${t.toFixed(2)}`), way === "spherical" ? captions : []);
      this.tiles[way] = tiles;
      const label = box(`tone-${WAYS[way]}`, make("span", { className: "gl-name", textContent: name }));
      return box("way", label, box("seven", tiles.element));
    });
    const card = this.card("rows", ...rows);
    card.classList.add("gl-wide");
    return card;
  }

  buildGallery(name, label) {
    const end = ENDS[name];
    const row = box(this.galleryRow, this.makeGallery(name, label));
    const card = this.card(end, row);
    const take = (face) => {
      this.use("choose", { [name]: face.key });
      return `Your picture is the ${end} one now.`;
    };
    const asked = this.row("upload");
    const field = { label: `${asked.label} ${end}`, camera: `${asked.camera} ${end}` };
    const areas = [card, this.ends[end === "first" ? 0 : 1].element];
    row.append(this.upload(field, areas, take, `your ${end} picture`, `own-${end}`));
    this.parts.upload.push(row.lastChild);
    return card;
  }

  // ---- settings ----------------------------------------------------------------------------------------------------

  follow() {
    super.follow();
    const { t, way } = this.values;
    const near = STOPS.findIndex((stop) => Math.abs(stop - t) < 0.006);
    for (const [other, tiles] of Object.entries(this.tiles)) tiles.show(way === other ? near : -1);
  }

  surprise() {
    const keys = this.gallery.faces.map(({ key }) => key);
    this.choose({ face: pick(keys), partner: pick(keys) }, "surprise");
  }

  // Whether each level moves.
  get moves() {
    const { levels } = this.values;
    return this.head.latent_shapes.map((_, level) => levels === "all" || levels.includes(String(level + 1)));
  }

  // ---- pictures ----------------------------------------------------------------------------------------------------

  // Both faces, with pixels and latents.
  openEnds() {
    return Promise.all(Object.keys(ENDS).map((name) => this.gallery.open(this.values[name])));
  }

  // The levels that move, of both.
  listMoving(ends) {
    return ends.map(({ latents }) => latents.filter((_, level) => this.moves[level]));
  }

  // eps at t on the straight line or the arc, in those levels that move.
  latents(ends, t, way) {
    const moved = BETWEEN[way](...this.listMoving(ends), t);
    return ends[0].latents.map((eps, level) => (this.moves[level] ? moved.shift() : eps));
  }

  // The picture at t, as of `decode`. Mixed pixels are encoded for their temperature.
  draw(ends, t, way) {
    return this.pictures.get(JSON.stringify([this.pair, way, t]), async () => {
      if (way !== "pixels") return this.decode(this.latents(ends, t, way));
      const start = performance.now();
      const pixels = mix(ends[0].pixels, ends[1].pixels, t);
      const milliseconds = performance.now() - start;
      return { pixels, clamped: 0, temperature: effectiveTemperature(await this.engine.encode(pixels)), milliseconds };
    });
  }

  // Bits per dimension of a picture at t.
  measure({ pixels }, t, way) {
    return this.measured.get(JSON.stringify([this.pair, way, t]), () => this.engine.bitsPerDim(pixels));
  }

  get pair() {
    const { face, partner, levels } = this.values;
    return JSON.stringify([face, partner, levels]);
  }

  forget() {
    super.forget();
    this.surveys = new Cache(8);
  }

  // What is known of this pair: effective temperatures along its ways, an angle in degrees; bits, once they are measured.
  survey(ends) {
    return this.surveys.get(this.pair, async () => {
      const curve = (way) => [CURVE, CURVE.map((t) => effectiveTemperature(this.latents(ends, t, way)))];
      const [a, b] = this.listMoving(ends);
      const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
      const angle = (180 / Math.PI) * Math.acos(Math.min(Math.max(cosine, -1), 1));
      return { temperatures: { linear: curve("linear"), spherical: curve("spherical") }, angle, bits: null };
    });
  }

  // ---- updates -----------------------------------------------------------------------------------------------------

  async *show() {
    const { t, way } = this.values;
    const ends = await this.openEnds();
    const drawn = await this.draw(ends, t, way);
    const found = await this.survey(ends);
    this.clamped = drawn.clamped;
    this.now = { drawn, ends, found, change: difference(drawn.pixels, ends[0].pixels) };
    const frames = ends.map(({ pixels, name }, i) => {
      const caption = Object.values(ENDS)[i];
      return this.frame(pixels, caption, `${capitalize(caption)}: ${name}.`);
    });
    const picture = this.frame(drawn.pixels, `${this.names[way]}, t = ${t.toFixed(2)}`, this.says);
    const words = `The pixels of both pictures, mixed at t = ${t.toFixed(2)}.`;
    const mixed = this.frame(mix(ends[0].pixels, ends[1].pixels, t), this.names.pixels, words);
    this.paint("pictures", () => {
      this.ends.forEach((end, i) => end.show(frames[i]));
      this.between.show(picture, way === "pixels" ? null : mixed); // else there is nothing to compare it with
      this.showNumbers(true);
    });
    this.markBehind();
    this.plot(false);
    yield;
    yield* this.showGalleries();
  }

  get says() {
    const { t, way } = this.values;
    const [first, second] = this.now.ends.map(({ name }) => name);
    return describeWay({ first, second, t, way, moves: this.moves, temperature: this.now.drawn.temperature });
  }

  // Rows and the chart of bits are pale until they are those of this pair.
  markBehind() {
    const isBehind = this.shownRows !== this.now.found;
    for (const { element } of [...Object.values(this.tiles), this.bitsChart]) {
      element.classList.toggle("gl-behind", isBehind);
    }
  }

  // Words; then rows, that of the chosen way first; then bits per dimension.
  async *settle() {
    const { ends, drawn, found } = this.now;
    const { t, way } = this.values;
    this.words.say(this.says);
    this.words.advise(this.hint());
    this.angle.say(this.describeAngle());
    this.bits = await this.measure(drawn, t, way);
    this.paint("numbers", () => this.showNumbers(false));
    yield;
    const ways = Object.keys(this.names);
    const rows = {};
    for (const each of [way, ...ways.filter((other) => other !== way)]) {
      rows[each] = [];
      for (const [number, stop] of STOPS.entries()) {
        rows[each].push(await this.draw(ends, stop, each));
        this.drawTile(this.tiles[each], number, rows[each][number].pixels);
        yield;
      }
      this.tiles[each].element.classList.remove("gl-behind");
    }
    const bits = {};
    for (const each of ways) {
      const values = [];
      for (const [number, stop] of STOPS.entries()) {
        values.push(await this.measure(rows[each][number], stop, each));
        yield;
      }
      bits[each] = [STOPS, values];
    }
    const pixels = [STOPS, rows.pixels.map(({ temperature }) => temperature)];
    Object.assign(found, { bits, temperatures: { ...found.temperatures, pixels } });
    this.shownRows = found;
    this.markBehind();
    this.plot(true);
  }

  describeAngle() {
    const { ends, found } = this.now;
    if (ends[0] === ends[1] || !this.moves.includes(true)) return "";
    const middle = takeMiddle(found.temperatures.linear).toFixed(2);
    return `These two stand at ${found.angle.toFixed(0)}°: half-way on their straight line the temperature is ${middle}.`;
  }

  // Both charts; the dot of the present bits only where they are measured.
  plot(isMeasured) {
    const { t, way } = this.values;
    const { people, typical } = this.head;
    const { drawn, found } = this.now;
    const { temperatures, bits } = found;
    const tell = (curves) => {
      const middles = Object.entries(curves).map(([each, curve]) => `${this.names[each]} ${takeMiddle(curve).toFixed(2)}`);
      return `${middles.join(", ")}.`;
    };
    this.paint("charts", () => {
      const words = `Effective temperature half-way: ${tell(temperatures)}`;
      this.temperatureChart.show(along(temperatures, t, [way, drawn.temperature], words, this.usual, people));
      if (!bits) return;
      const band = typical && [typical.mean - 2 * typical.spread, typical.mean + 2 * typical.spread];
      const now = isMeasured ? [way, this.bits] : null;
      this.bitsChart.show(along(bits, t, now, `Bits per dimension half-way: ${tell(bits)}`, band, people));
    });
  }

  // Effective temperatures of pictures of the data: mean ∓ 2 standard deviations; null where they were not measured.
  get usual() {
    const { values } = this.engine.measured.radii ?? { values: [] };
    if (values.length < 2) return null;
    const middle = values.reduce((sum, value) => sum + value) / values.length;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
    return [middle - 2 * spread, middle + 2 * spread];
  }

  showNumbers(stale) {
    const entries = this.entries(this.now.drawn, this.now.change, stale);
    entries[2].name = "Change from the first";
    if (this.values.way === "pixels") entries[3].note = "pixels mixed, without the flow";
    this.readout.show(entries);
  }

  get calmer() {
    return "the model has learned nothing like this";
  }
}

const takeMiddle = ([, values]) => values[(values.length - 1) / 2];

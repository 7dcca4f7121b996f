// The same sixteen samples, nearer to the middle of latent space or further out.

import { sampleEps, scale } from "../js/latents.js";
import { Generator } from "../js/random.js";
import { blank, shell, trade } from "./charts.js";
import { Fold, Tiles, box } from "./controls.js";
import { Explorer } from "./explorer.js";
import { difference, residual, spread } from "./measures.js";
import { Board } from "./panel.js";
import temperatureTable from "./settings/temperature.json" with { type: "json" };
import { Cache } from "./updater.js";
import { describeSamples, numberEntries, usualBits } from "./words.js";

const COUNT = 16;
const AT_ONCE = 4; // pictures between two looks for a newer state: the chosen one, and three that were drawn long ago
const ALL = Array.from({ length: COUNT }, (_, i) => i);
const UNMEASURED = "Not measured for this model: glowlite precompute does it.";

export class TemperatureExplorer extends Explorer {
  static table = temperatureTable;

  // ---- parts ---------------------------------------------------------------------------------------------------------

  build() {
    this.pictures = new Cache(512);
    this.bits = new Cache(4096);
    this.drawnAt = ALL.map(() => 0); // when each was drawn last, counted in pictures
    this.measured = { bits: NaN, change: NaN }; // at the last rest
    this.engine.widen();
    this.tiles = new Tiles(this.speak("Sixteen faces"), (number) => this.use("choose", { face: number + 1 }));
    this.tiles.name(ALL.map((i) => this.speak(`face ${i + 1}`)));
    const temperature = this.control("temperature");
    temperature.classList.add("gl-large");

    this.stops = this.row("strip").stops;
    const setStop = (number) => this.use("strip", { temperature: this.stops[number], levels: [] });
    this.strip = new Tiles(this.speak("The chosen face at seven temperatures"), setStop);
    const captions = this.stops.map((stop) => (stop ? stop.toFixed(1) : "T = 0"));
    this.strip.name(this.stops.map((stop) => `T = ${stop.toFixed(1)}`), captions);
    [this.shell, this.trade] = [new Board(), new Board()];
    this.trade.show(blank(this.canMeasure() ? "Being measured." : UNMEASURED));

    const surprise = () => this.use("surprise", { seed: 1 + Math.floor(9999 * Math.random()) });
    const side = box("side", temperature, this.buildLevels(), this.actions(surprise), this.words.element, this.numbers());
    const strip = this.card("strip", this.strip.element);
    strip.classList.add("gl-wide");
    const cards = [strip, this.card("shell", this.shell.element), this.card("quality", this.trade.element)];
    return [box("stage even", box("show", box("grid", this.tiles.element)), side), box("cards", ...cards)];
  }

  buildLevels() {
    const labels = this.head.latent_shapes.map((shape, i) => `Level ${i + 1}, eps ${shape.join(" × ")}`);
    const row = this.row("levels");
    const sliders = this.controlEach("levels", labels, this.row("temperature").rest);
    this.fold = new Fold(row.label, sliders);
    this.parts.levels = box("side", this.fold.element, sliders);
    return this.parts.levels;
  }

  // ---- settings ------------------------------------------------------------------------------------------------------

  // `levels` is empty where all have the one temperature.
  complete(changes, values) {
    const next = { ...values, ...changes };
    if ("temperature" in changes && !("levels" in changes)) next.levels = [];
    if (new Set(next.levels).size === 1) Object.assign(next, { temperature: next.levels[0], levels: [] });
    return next;
  }

  // One for each level, finest first.
  get temperatures() {
    const { levels, temperature } = this.values;
    return levels.length ? levels : this.head.latent_shapes.map(() => temperature);
  }

  get chosen() {
    return this.values.face - 1;
  }

  get hints() {
    return super.hints.filter(([lesson]) => lesson !== "hot" || this.row("temperature").max > 1);
  }

  use(lesson, changes) {
    if (changes.temperature > 1) this.learned.add("hot");
    super.use(lesson, changes);
  }

  take(asked) {
    super.take(asked);
    if (this.values.levels.length) this.fold.show(true);
  }

  follow() {
    this.controls.temperature.show(this.values.temperature);
    this.controls.levels.show(this.temperatures);
    this.tiles.show(this.chosen);
  }

  // ---- samples -------------------------------------------------------------------------------------------------------

  // The latents of sixteen people, the same for the same seed, and |eps|^2 of each level.
  get samples() {
    const { seed } = this.values;
    if (this.sampled?.seed !== seed) {
      const eps = sampleEps(this.head.latent_shapes, COUNT, new Generator(seed));
      const squares = eps.map((one) => one.map((level) => level.reduce((sum, value) => sum + value * value, 0)));
      this.sampled = { seed, eps, squares };
    }
    return this.sampled;
  }

  // |eps| / sqrt(D) of each at these temperatures.
  effective(temperatures) {
    const length = (squares) => squares.reduce((sum, square, level) => sum + square * temperatures[level] ** 2, 0);
    return this.samples.squares.map((squares) => Math.sqrt(length(squares) / this.dims));
  }

  // The pixels of one of them at these temperatures.
  draw(number, temperatures) {
    return this.pictures.get(`${this.values.seed} ${number} ${temperatures}`, () => {
      this.drawn++;
      return this.engine.decode(scale(this.samples.eps[number], temperatures));
    });
  }

  drawAll(temperatures) {
    return Promise.all(ALL.map((number) => this.draw(number, temperatures)));
  }

  // ---- updates -------------------------------------------------------------------------------------------------------

  async *show() {
    const { chosen, temperatures } = this;
    const effective = this.effective(temperatures);
    this.paint("shell", () => {
      const radii = this.engine.measured.radii?.values ?? [];
      this.shell.show(shell(effective, radii, this.dims, chosen, this.head.people));
    });
    const others = ALL.filter((i) => i !== chosen).sort((a, b) => this.drawnAt[a] - this.drawnAt[b]);
    const order = [chosen, ...others], start = performance.now();
    let count = 0;
    const show = async (number) => {
      const pixels = await this.draw(number, temperatures);
      this.drawnAt[number] = Math.max(...this.drawnAt) + 1;
      this.drawTile(this.tiles, number, pixels);
      const [took, shown] = [performance.now() - start, ++count];
      this.paint("numbers", () => this.showNumbers(effective, took, shown, true));
    };
    this.drawn = 0;
    while (order.length) {
      await Promise.all(order.splice(0, AT_ONCE).map(show));
      if (order.length) yield;
    }
    if (this.drawn === COUNT) this.took = performance.now() - start; // else some were there already
  }

  async *settle() {
    const { chosen, temperatures } = this;
    const pictures = await this.drawAll(temperatures);
    const apart = spread(pictures);
    this.words.say(this.speak(describeSamples(temperatures, apart)));
    this.words.advise(this.hint());
    this.tiles.group.setAttribute("aria-label", this.words.says.textContent);
    yield;
    yield* this.showStrip(chosen);
    yield* this.measure(temperatures, pictures);
    if (this.canMeasure()) this.plot(pictures, apart);
  }

  // The chosen face at every stop of the strip.
  async *showStrip(chosen) {
    const { temperature, levels } = this.values;
    this.strip.group.setAttribute("aria-label", this.speak(`Face ${chosen + 1} at seven temperatures`));
    for (const [number, stop] of this.stops.entries()) {
      const pixels = await this.draw(chosen, this.head.latent_shapes.map(() => stop));
      this.drawTile(this.strip, number, pixels);
      yield;
    }
    this.strip.show(levels.length ? -1 : this.stops.indexOf(temperature));
  }

  // Bits per dimension, and the change from where the temperature rests.
  async *measure(temperatures, pictures) {
    const rest = this.head.latent_shapes.map(() => this.row("temperature").rest);
    let [bits, change] = [0, 0];
    for (const [number, pixels] of pictures.entries()) {
      change += difference(pixels, await this.draw(number, rest)) / COUNT;
      yield;
      const key = `${this.values.seed} ${number} ${temperatures}`;
      bits += (await this.bits.get(key, () => this.engine.bitsPerDim(pixels))) / COUNT;
      yield;
    }
    this.measured = { bits, change };
    this.paint("numbers", () => this.showNumbers(this.effective(temperatures), this.took, COUNT, false));
  }

  showNumbers(effective, milliseconds, count, stale) {
    const temperature = effective.reduce((sum, value) => sum + value) / COUNT;
    const [bits, mean, change, time] = numberEntries({ ...this.measured, temperature, milliseconds, stale });
    const { people, typical } = this.head;
    bits.note = typical ? `${people}: ${usualBits(typical)}` : "mean of the sixteen";
    mean.note = "|eps| / √D, mean of the sixteen";
    change.note = `grey levels of 255, from T = ${this.row("temperature").rest}`;
    time.note = count === COUNT ? this.speak("all sixteen faces") : `for ${count}; the others follow`;
    this.readout.show([bits, mean, change, time]);
  }

  // Whether what the chart of quality needs was measured beforehand.
  canMeasure() {
    return Boolean(this.engine.measured["pca.mean"] && this.head.real);
  }

  plot(pictures, apart) {
    const { measured, head } = this.engine;
    const unlike = pictures.map((pixels) => {
      return residual(pixels, head.config.shape, measured["pca.mean"].values, measured["pca.components"].values);
    });
    const now = { residual: unlike.reduce((sum, value) => sum + value) / COUNT, spread: apart };
    const points = head.points.filter(({ temperature }) => temperature <= this.row("temperature").max + 0.01);
    this.paint("trade", () => this.trade.show(trade(points, now, head.real, head.people)));
  }
}

// Plays a film of an explorer (film.py): its widgets' own scripts on models that no kernel stands behind. A move shows
// the recorded state nearest to what was asked for, and says so where that is not quite the same.
const OPEN = "Moves made ahead, shown at once.";
const SOON = " The live model is on its way.";
const DEAD = "This needs the live model";
const LOST = "The recorded moves could not be loaded; reload the page to try again.";

class Player {
  constructor(root, renders) {
    this.root = root;
    this.film = JSON.parse(root.querySelector("script").textContent);
    this.renders = renders;
    this.live = "live" in root.dataset;
    this.stage = root.querySelector(".gl-film-stage");
    this.status = root.querySelector(".gl-film-kind span");
    this.sheets = new Sheets(this.film.size, this.film.columns);
    const { base } = root.dataset;
    const [get, end] = "scripts" in root.dataset ? [fromScript, "js"] : [fetched, "film"];
    this.states = new States(this.film, (chapter) => get(`${base}${this.film.name}.${chapter}.${end}`), this.sheets);
    this.at = this.states.opening;
    this.used = new Set();
    this.presses = new Map(); // of buttons that go round
    this.models = [];
    this.places = []; // the elements
    this.ends = []; // what takes the scripts' listeners away
    this.query = new URLSearchParams(location.search);
    this.key = false; // whether a key is what moves just now
    this.ticket = 0;
  }

  // ---- what stands on the page, as ipywidgets builds it

  build({ kind, classes, children = [] }) {
    const number = this.models.length;
    const place = document.createElement("div");
    const traits = this.film.traits[number];
    this.places.push(place);
    const [saved, sent] = [(names) => this.saved(number, names), (message) => this.sent(number, message)];
    this.models.push(new Model({ ...traits, ...this.quiet(kind) }, saved, sent));
    place.className = "lm-Widget";
    place.style.display = traits.display;
    if (kind === "box") place.classList.add("lm-Panel", "jupyter-widgets", "widget-container", "widget-box");
    if (kind === "html") {
      const inner = document.createElement("div");
      Object.assign(inner, { className: "widget-html-content", innerHTML: traits.value });
      place.classList.add("jupyter-widgets", "widget-inline-hbox", "widget-html");
      place.append(inner);
    }
    place.classList.add(...classes);
    place.append(...children.map((child) => this.build(child)));
    this.models[number].kind = kind;
    return place;
  }
  // The traits by which page and kernel tell of moves; pictures come once they are decoded.
  quiet(kind) {
    const blank = new Uint8Array();
    return {
      slider: { epoch: 0, move: [-1, 0] },
      tiles: { pick: [0, -1], pixels: blank },
      picture: { compared: 0, pixels: blank, other: blank },
      button: { clicks: 0 },
      board: { images: [], drag: [0, "", 0, 0], trace: [0, "", []] },
    }[kind];
  }
  async start() {
    const page = document.documentElement;
    const ready = page.classList.contains("gl-ready");
    const explorer = this.build(this.film.tree);
    this.stage.replaceChildren(explorer);
    if (this.live) this.stage.setAttribute("role", "main");
    for (const [number, model] of this.models.entries()) {
      if (this.film.dead.includes(number)) model.traits.disabled = true;
      this.ends.push(this.renders[model.kind]?.({ model, el: this.places[number] }));
    }
    page.classList.toggle("gl-ready", ready); // which head.js says of live explorers
    for (const number of this.film.dead) {
      this.places[number].title = DEAD;
      this.places[number].classList.add("gl-film-dead");
      for (const part of this.places[number].querySelectorAll("button, input")) part.disabled = true;
    }
    explorer.addEventListener("keydown", () => {
      this.key = true;
      setTimeout(() => { this.key = false; });
    }, true);
    this.showOnly(this.query.get("controls"));
    this.say("");
    await Promise.all(this.film.sheets.map(
      ([first, count, , lossless], i) => this.sheets.add(first, count, fromBase64(this.film.webp[i]), lossless)));
    this.values = this.film.traits.map((traits) => Object.fromEntries(
      Object.entries(traits).map(([name, stored]) => [name, valueOf(stored, this.sheets)])));
    await this.open();
    this.root.dataset.playing = "";
  }
  // What the address asks for, where it asks.
  async open() {
    const kept = ["controls", "size", "token"];
    const names = [...this.query.keys()].filter((name) => !kept.includes(name));
    const wanted = { ...this.at.point };
    for (const [name, dim] of Object.entries(this.film.dims)) {
      const text = this.query.get(name);
      if (names.length) wanted[name] = text === null ? dim.plain : typeof dim.opening === "number" ? Number(text) : text;
    }
    this.exact = true;
    if (names.length) {
      try {
        await this.states.load(wanted);
        this.at = this.states.nearest(wanted, null);
      } catch {
        this.say(LOST);
      }
      const shown = ([name, value]) => value === this.at.point[name];
      this.exact = names.every((name) => name in wanted) && Object.entries(wanted).every(shown);
      if (!this.exact) this.say("What the address asks for was not recorded; this is the nearest that was.");
    }
    this.apply(false);
  }
  showOnly(names) {
    const shown = (names || "").split(",").map((name) => name.trim()).filter((name) => name in this.film.parts);
    if (!shown.length) return;
    for (const [name, numbers] of Object.entries(this.film.parts)) {
      if (!shown.includes(name)) for (const number of numbers) this.places[number].style.display = "none";
    }
  }

  // ---- moves

  saved(number, names) {
    for (const control of this.film.controls) {
      if (control.widget !== number || !names.includes(control.trait)) continue;
      this.act(control, this.models[number].get(control.trait));
    }
  }
  sent(number, message) { // head.js asks whether somebody is there
    if (message.kind === "pulse") setTimeout(() => this.models[number].fire("msg:custom", message, []));
  }
  act(control, value) {
    if (control.lesson) this.used.add(control.lesson);
    if (control.beyond && value[1] > control.beyond[0]) this.used.add(control.beyond[1]);
    if ("shows" in control) {
      this.places[control.shows].style.display = value ? "" : "none";
      return;
    }
    const change = { ...control.also };
    if (control.go) {
      const count = this.presses.get(control) || 0;
      this.presses.set(control, count + 1);
      Object.assign(change, control.go[count % control.go.length]);
    } else if (control.points) Object.assign(change, control.points[value[1]]);
    else if (control.values) change[control.dim] = control.values[value[1]];
    else if (control.member) change[control.dim] = this.with(control, value);
    else if (control.dim) change[control.dim] = control.trait === "move" ? value[1] : value;
    this.move(change, control.trait === "move" && this.key ? control.dim : null);
  }
  // The letters of what is ticked: "134", or "none".
  with({ dim, member }, ticked) {
    const now = this.at.point[dim].replace("none", "").replace(member, "");
    return [...(ticked ? now + member : now)].sort().join("") || "none";
  }
  async move(change, stepped) {
    if (!Object.keys(change).length) {
      this.apply();
      return;
    }
    const wanted = { ...this.at.point, ...change };
    const ticket = ++this.ticket;
    if (!this.states.ready(wanted)) {
      try {
        await this.states.load(wanted);
      } catch {
        this.say(LOST);
        this.apply();
        return;
      }
      if (ticket !== this.ticket) return;
    }
    const moved = new Set(Object.keys(change));
    let found = this.states.nearest(wanted, moved);
    const from = this.at.point[stepped];
    if (stepped && found?.point[stepped] === from && wanted[stepped] !== from) { // a key always leads to another stop
      const on = (point) => (point[stepped] - from) * (wanted[stepped] - from) > 0;
      found = this.states.nearest(wanted, moved, ({ point }) => on(point)) || found;
    }
    const asked = [...moved].filter((name) => wanted[name] !== this.at.point[name]);
    const goes = ({ point }) => asked.some((name) => point[name] !== this.at.point[name]);
    if (asked.length && !this.states.nearest(wanted, moved, goes)) this.refuse(wanted, asked);
    else this.tell(found, wanted, moved);
    this.at = found || this.at;
    this.apply();
  }
  tell(found, wanted, moved) {
    const differs = ([name]) => !moved.has(name) && found.point[name] !== wanted[name];
    const labels = Object.entries(this.film.dims).filter(differs).map(([, { label }]) => label).filter(Boolean);
    const list = [labels.slice(0, -1).join(", "), labels.at(-1)].filter(Boolean).join(" and ");
    this.say(list && `These were not recorded together, so ${list} changed as well. The live model takes both.`);
  }
  // Nothing near here has what was asked for; what is firm, such as the face, may be another where it was recorded.
  refuse(wanted, asked) {
    const { point } = this.at;
    const has = (other, name) => (typeof other[name] === "number" ? other[name] !== point[name] : other[name] === wanted[name]);
    const there = this.states.nearest(wanted, null, (state) => asked.every((name) => has(state.point, name)))?.point;
    const differs = ({ dim, values }) => there && values && this.film.dims[dim].firm && there[dim] !== point[dim];
    const chooser = this.film.controls.find((control) => differs(control) && control.values.includes(there[control.dim]));
    const name = chooser && this.models[chooser.widget].get("names")[chooser.values.indexOf(there[chooser.dim])];
    this.say(`That was not recorded here${name ? `, only with ${name}` : ""}; the live model can do it.`);
  }
  say(text) {
    const words = text || OPEN + (this.live ? SOON : "");
    if (this.status.textContent !== words) this.status.textContent = words;
  }
  // Put the state that holds into the widgets, and into the address.
  apply(moved = true) {
    const values = this.at.values();
    this.models.forEach((model, number) => {
      const changes = {};
      for (const name of Object.keys(this.values[number])) {
        if (name === "display" || model.kind === "fold") continue; // these have their own say
        let value = values.get(number + "," + name) ?? this.values[number][name];
        if (name === "disabled") value ||= this.film.dead.includes(number);
        if (name === "hint") value = this.hint(value);
        if (name === "query") value = this.address(value);
        if (model.traits[name] !== value) changes[name] = value;
      }
      if (model.kind === "slider") {
        const { move: [epoch, value], ...now } = model.traits;
        const asked = epoch === now.epoch && value !== now.value; // the person left it elsewhere
        if ("value" in changes || asked) changes.epoch = now.epoch + 1;
      }
      if (!moved && "query" in changes) {
        model.traits.query = changes.query; // the address stays as it was asked for
        delete changes.query;
      }
      if (model.kind === "html" && "value" in changes) this.places[number].lastChild.innerHTML = changes.value;
      model.put(changes);
    });
  }
  // A hint is what to try next, so it changes with what was tried.
  hint(recorded) {
    const { hints } = this.film;
    if (recorded !== hints[0][1]) return recorded;
    return hints.find(([lesson]) => !this.used.has(lesson))?.[1] ?? "";
  }
  address(recorded) {
    const controls = this.query.get("controls");
    return controls ? `${recorded}&${new URLSearchParams({ controls })}` : recorded;
  }
  remember() {
    this.models.find(({ kind }) => kind === "head").fire("change:query");
  }
  stop() {
    for (const end of this.ends) end?.();
  }
}

async function play(root, renders) {
  const player = new Player(root, renders);
  if (player.live) new Handover(player);
  try {
    await player.start();
  } catch (error) {
    console.error(error);
    if (!player.live) throw error;
    document.documentElement.classList.replace("gl-film-on", "gl-live"); // the live explorer stands without it
    root.remove();
    return;
  }
  if (!player.live) {
    const idle = window.requestIdleCallback || ((call) => setTimeout(call, 500));
    idle(() => player.states.load(player.at.point).catch(() => player.say(LOST)));
  } else {
    const soon = () => player.states.load(player.at.point).catch(() => {});
    for (const name of ["pointerover", "focusin"]) player.stage.addEventListener(name, soon, { once: true });
  }
}

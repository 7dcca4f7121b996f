// The dialogue in which a person marks the eyes of a picture: two taps, or arrow keys, and a view of the crop.

import { make, box } from "./controls.js";
import { Dialog, makeRings } from "./dialog.js";
import { alignFace, cutSquare, findSquare, judgeCrop, toCanvas } from "./files.js";

const WHERE = "Where are the eyes?";
const HOW =
  "Tap one eye, then the other, and drag a mark to move it. The picture is turned, scaled and cut so that its eyes lie " +
  "where the model's faces have theirs.";
const KEYS = "Arrow keys move the mark, with Shift further; plus and minus zoom.";
const ONE_SPOT = "Both marks lie on one spot: move one to the other eye.";
const DISPLAY = 1600; // pixels of the picture's longer side on the page
const CLOSEST = 8; // times the size at which all of the picture is seen
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SHORT = 1 / 300; // of the view: a step of an arrow key
const TAP = 7; // pixels that a finger may move and still tap
const LOUPE = 2.5; // times the picture's size on the page
const POOR = { outside: 0.1, enlarged: 1.5 }; // worth a remark

export class EyeMarks extends Dialog {
  // places: where the model's faces have their eyes, shares of the side; size: of its pictures; stays: a sentence on
  // where pictures go
  constructor(host, places, size, stays) {
    super(host, "marks", WHERE, HOW);
    Object.assign(this, { places, size, stays, held: new Map() });
    this.photo = box("photo");
    this.line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    const lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    lines.setAttribute("class", "gl-between");
    lines.append(this.line);
    this.marks = ["First eye", "Second eye"].map((name) => this.makeMark(name));
    this.loupe = make("canvas", { className: "gl-loupe", hidden: true, width: 240, height: 240 });
    this.view = box("view", this.photo, lines, ...this.marks, this.loupe);
    this.listen();

    this.crop = make("canvas", { width: size, height: size, role: "img" });
    this.crop.setAttribute("aria-label", "What the model gets");
    const frame = box("crop", this.crop, ...makeRings(places));
    const caption = make("figcaption", { textContent: `What the model gets, ${size} × ${size} pixels` });
    this.remark = make("p", { className: "gl-remark", role: "status" });
    const buttons = this.actions({
      "Use this picture": () => this.close(alignFace(this.picture, this.eyes, places, size)),
      "Use as it is": () => this.close(cutSquare(this.picture, size)),
      Cancel: () => this.close(null),
    });
    const side = box("side", make("figure", {}, frame, caption), buttons, this.remark);
    this.element.append(box("marking", box("looking", this.view, this.makeZoom()), side));
    new ResizeObserver(() => this.place()).observe(this.view);
  }

  makeMark(name) {
    const look = { className: "gl-eye", tabIndex: 0, role: "slider", "aria-roledescription": "mark" };
    const mark = make("div", { ...look, "aria-label": name, "aria-valuemin": 0, "aria-valuemax": 100, title: KEYS });
    mark.addEventListener("keydown", (event) => this.press(event, this.marks.indexOf(mark)));
    mark.addEventListener("focus", () => (this.last = this.marks.indexOf(mark)));
    return mark;
  }

  makeZoom() {
    const names = { "\u2212": ["Zoom out", 1 / 1.5], "+": ["Zoom in", 1.5] };
    const buttons = Object.entries(names).map(([text, [name, factor]]) => {
      const button = make("button", { type: "button", textContent: text, "aria-label": name, title: name });
      button.addEventListener("click", () => this.zoomAt(this.toView(this.eyes[this.last]), factor));
      return button;
    });
    this.wide = make("output", { "aria-label": "Zoom" });
    return box("zoom", buttons[0], this.wide, buttons[1]);
  }

  // The crop of a picture, an ImageBitmap, as ImageData; null where a person cancels. The marks begin where the eyes are
  // if the picture is used as it is.
  ask(picture) {
    const { left, top, side } = findSquare(picture);
    this.eyes = this.places.map(([x, y]) => [left + side * x, top + side * y]);
    const shown = toCanvas(picture, DISPLAY);
    this.photo.replaceChildren(shown);
    Object.assign(this, { picture, shown, last: 0, isSet: [false, false] });
    Object.assign(this, { zoom: 1, middle: [picture.width / 2, picture.height / 2] });
    const answer = super.ask();
    this.place();
    this.marks[0].focus({ focusVisible: false });
    this.show();
    return answer;
  }

  // ---- geometry ----------------------------------------------------------------------------------------------------

  // Page pixels of a pixel of the picture.
  get scale() {
    const { clientWidth, clientHeight } = this.view;
    return this.zoom * Math.min(clientWidth / this.picture.width, clientHeight / this.picture.height);
  }

  toView([x, y]) {
    const { clientWidth, clientHeight } = this.view;
    const [left, top] = this.middle;
    return [clientWidth / 2 + (x - left) * this.scale, clientHeight / 2 + (y - top) * this.scale];
  }

  toPicture([x, y]) {
    const { clientWidth, clientHeight } = this.view;
    const [left, top] = this.middle;
    return [left + (x - clientWidth / 2) / this.scale, top + (y - clientHeight / 2) / this.scale];
  }

  // Where an event happened in the view.
  at({ clientX, clientY }) {
    const { left, top } = this.view.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  // ---- changes -----------------------------------------------------------------------------------------------------

  move(number, [x, y]) {
    const { width, height } = this.picture;
    this.eyes[number] = [Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), height)];
    Object.assign(this, { last: number });
    this.isSet[number] = true;
    this.show();
  }

  // A tap sets the mark that was not set yet; of two such, or none, the nearer one.
  tap(at) {
    const apart = this.eyes.map((eye) => distance(this.toView(eye), at));
    const nearer = apart[1] < apart[0] ? 1 : 0;
    const number = this.isSet[0] === this.isSet[1] ? nearer : this.isSet.indexOf(false);
    this.move(number, this.toPicture(at));
    this.marks[number].focus({ focusVisible: false });
  }

  // Zoom by a factor; what is seen at a point of the view stays there.
  zoomAt(at, factor) {
    const before = this.toPicture(at);
    this.zoom = Math.min(Math.max(this.zoom * factor, 1), CLOSEST);
    const after = this.toPicture(at);
    this.shift(before[0] - after[0], before[1] - after[1]);
  }

  // Move the middle of the view; the picture fills the view as far as it can.
  shift(across, down) {
    const { clientWidth, clientHeight } = this.view;
    const [spaceX, spaceY] = [clientWidth, clientHeight].map((length) => length / this.scale / 2);
    const within = (place, space, length) => {
      return 2 * space > length ? length / 2 : Math.min(Math.max(place, space), length - space);
    };
    const { width, height } = this.picture;
    this.middle = [within(this.middle[0] + across, spaceX, width), within(this.middle[1] + down, spaceY, height)];
    this.show();
  }

  // ---- what a person does ------------------------------------------------------------------------------------------

  press(event, number) {
    const step = ARROWS[event.key];
    const factor = { "+": 1.5, "=": 1.5, "-": 1 / 1.5 }[event.key];
    if (!step && !factor) return;
    event.preventDefault();
    if (factor) return this.zoomAt(this.toView(this.eyes[number]), factor);
    const length = ((event.shiftKey ? 10 : 1) * SHORT * this.view.clientWidth) / this.scale;
    this.move(number, this.eyes[number].map((place, i) => place + length * step[i]));
    this.follow(this.toView(this.eyes[number]));
  }

  // A mark that leaves the view takes it along.
  follow(at) {
    const lengths = [this.view.clientWidth, this.view.clientHeight];
    const beyond = at.map((place, i) => Math.min(place - 24, 0) + Math.max(place + 24 - lengths[i], 0));
    if (beyond.some(Boolean)) this.shift(...beyond.map((length) => length / this.scale));
  }

  // Pointers that are down, by id: where each began and is, the mark that it drags and how far beside it that lies. Two
  // pointers zoom. One that is released where it began taps, also on a mark whose other one was not set yet.
  listen() {
    const { view, held } = this;
    view.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      view.setPointerCapture(event.pointerId);
      const [at, number] = [this.at(event), this.marks.indexOf(event.target)];
      const beside = number < 0 ? [0, 0] : this.toView(this.eyes[number]).map((place, i) => place - at[i]);
      held.set(event.pointerId, { began: at, now: at, number, beside, isTap: held.size === 0 });
      if (held.size > 1) for (const each of held.values()) Object.assign(each, { number: -1, isTap: false });
      if (number >= 0) this.marks[number].focus({ focusVisible: false });
    });
    view.addEventListener("pointermove", (event) => {
      const pointer = held.get(event.pointerId);
      if (!pointer) return;
      const [before, now] = [pointer.now, this.at(event)];
      if (pointer.isTap && distance(now, pointer.began) < TAP) return;
      const [other] = [...held.values()].filter((each) => each !== pointer);
      Object.assign(pointer, { now, isTap: false });
      if (pointer.number >= 0) this.drag(pointer.number, now.map((place, i) => place + pointer.beside[i]));
      else if (other) this.zoomAt(other.now, distance(now, other.now) / Math.max(distance(before, other.now), 1));
      else this.shift(...before.map((place, i) => (place - now[i]) / this.scale));
    });
    for (const name of ["pointerup", "pointercancel"]) {
      view.addEventListener(name, (event) => {
        const pointer = held.get(event.pointerId);
        held.delete(event.pointerId);
        this.loupe.hidden = true;
        if (!pointer?.isTap || name !== "pointerup") return;
        if (pointer.number < 0 || this.isSet.includes(false)) this.tap(this.at(event));
      });
    }
    view.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomAt(this.at(event), Math.exp(-event.deltaY / 400));
    });
  }

  drag(number, at) {
    this.move(number, this.toPicture(at));
    this.magnify(at, this.eyes[number]);
  }

  // ---- what is shown -----------------------------------------------------------------------------------------------

  // Everything with the next frame.
  show() {
    this.painting ??= requestAnimationFrame(() => {
      this.painting = null;
      if (!this.element.open) return; // the picture is gone
      this.place();
      this.showCrop();
    });
  }

  place() {
    if (!this.element.open) return;
    const [left, top] = this.toView([0, 0]);
    const { width, height } = this.picture;
    Object.assign(this.photo.style, { width: `${width * this.scale}px`, height: `${height * this.scale}px` });
    this.photo.style.transform = `translate(${left}px, ${top}px)`;
    const places = this.eyes.map((eye) => this.toView(eye));
    this.marks.forEach((mark, i) => {
      mark.style.transform = `translate(${places[i][0]}px, ${places[i][1]}px)`;
      mark.classList.toggle("gl-set", this.isSet[i]);
      const shares = [this.eyes[i][0] / width, this.eyes[i][1] / height];
      const [across, down] = shares.map((share) => Math.round(100 * share));
      mark.setAttribute("aria-valuenow", across);
      mark.setAttribute("aria-valuetext", `${across} % from the left, ${down} % from the top`);
    });
    const ends = { x1: places[0][0], y1: places[0][1], x2: places[1][0], y2: places[1][1] };
    for (const [name, value] of Object.entries(ends)) this.line.setAttribute(name, value);
    this.wide.textContent = `${Math.round(100 * this.zoom)} %`;
  }

  showCrop() {
    const { places, size, eyes } = this;
    const { isPossible, outside, enlarged } = judgeCrop(this.picture, eyes, places, size);
    this.usual.disabled = !isPossible;
    this.tell(isPossible ? this.stays : ONE_SPOT);
    if (!isPossible) return;
    const ratio = this.shown.width / this.picture.width;
    const image = alignFace(this.shown, eyes.map((eye) => eye.map((place) => ratio * place)), places, size);
    this.crop.getContext("2d").putImageData(image, 0, 0);
    if (outside > POOR.outside) this.tell(`${Math.round(100 * outside)} % of it lies beyond the picture's edges.`);
    else if (enlarged > POOR.enlarged) this.tell(`The face is small: it is enlarged ${enlarged.toFixed(1)} times.`);
  }

  tell(words) {
    if (this.remark.textContent !== words) this.remark.textContent = words;
  }

  // A round glass above the finger, which hides the eye.
  magnify([x, y], eye) {
    const { loupe, view } = this;
    const pen = loupe.getContext("2d");
    const reach = loupe.width / 4 / (LOUPE * this.scale); // of the picture; it is drawn for two pixels in one
    pen.fillStyle = "white";
    pen.fillRect(0, 0, loupe.width, loupe.height);
    pen.drawImage(this.picture, eye[0] - reach, eye[1] - reach, 2 * reach, 2 * reach, 0, 0, loupe.width, loupe.height);
    loupe.hidden = false;
    const half = loupe.clientWidth / 2;
    const left = Math.min(Math.max(x, half), view.clientWidth - half);
    loupe.style.transform = `translate(${left - half}px, ${y > 2 * half + 36 ? y - 2 * half - 36 : y + 36}px)`;
  }
}

const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

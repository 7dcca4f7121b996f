// Base of the dialogues, native ones over the page: Escape closes them, and the focus comes back to where it was.

import { Button, box, make } from "./controls.js";

let opened = 0; // dialogues that needed an id

export class Dialog {
  // host: the explorer that it belongs to; name: its class is gl-NAME
  constructor(host, name, title, note) {
    const id = `gl-dialog-${++opened}`;
    const heading = make("h2", { id, textContent: title });
    this.note = make("p", { id: `${id}-note`, textContent: note });
    const named = { "aria-labelledby": heading.id, "aria-describedby": this.note.id };
    this.element = make("dialog", { className: `gl-dialog gl-${name}`, ...named }, box("heading", heading, this.note));
    this.element.addEventListener("close", () => {
      if (this.answer && !this.element.open) this.close(null); // by Escape; else it was asked anew meanwhile
    });
    host.append(this.element);
  }

  // What it is closed with; null where nothing came of it. Asked anew meanwhile, the older question ends with null.
  ask() {
    this.answer?.(null);
    return new Promise((resolve) => {
      this.answer = resolve;
      if (!this.element.open) this.element.showModal();
    });
  }

  // value: also a promise
  close(value) {
    this.element.close();
    this.answer?.(value);
    this.answer = null;
  }

  // The row of buttons: {label: action}, the first of them the usual one.
  actions(buttons) {
    const made = Object.entries(buttons).map(([label, action], i) => {
      return new Button({ label }, action, i ? "plain" : "primary");
    });
    [this.usual] = made.map(({ button }) => button);
    return box("actions", ...made.map(({ element }) => element));
  }
}

// A ring at each of these places, shares of a square's side.
export function makeRings(places) {
  return places.map(([x, y]) => {
    const ring = box("ring");
    Object.assign(ring.style, { left: `${100 * x}%`, top: `${100 * y}%` });
    return ring;
  });
}

// An explorer in a notebook: its settings are traits of a widget, and the kernel sends its model once for a page.

import { startEngine } from "../js/engine.js";
import { shareEngine } from "./explorer.js";

// A file of a widget's model, "weights" or "labels", from the kernel.
function ask(model, kind) {
  return new Promise((resolve) => {
    const take = (message, [content]) => {
      if (message.kind !== kind) return;
      model.off("msg:custom", take);
      resolve(new Uint8Array(content.buffer, content.byteOffset, content.byteLength).slice().buffer);
    };
    model.on("msg:custom", take);
    model.send({ kind });
  });
}

export function render({ model, el }) {
  const explorer = document.createElement(model.get("element"));
  const names = model.get("settings");
  explorer.initial = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  if (model.get("models")) {
    explorer.setAttribute("models", model.get("models"));
  } else {
    explorer.startEngine = () => {
      explorer.showProgress()();
      const fetchLabels = () => ask(model, "labels");
      return shareEngine(model.get("weights"), async () => startEngine(await ask(model, "weights"), { fetchLabels }));
    };
  }
  explorer.toggleAttribute("address", document.documentElement.classList.contains("gl-page")); // a page of its own
  explorer.addEventListener("glow-change", ({ detail: { name, value } }) => {
    if (!names.includes(name)) return;
    model.set(name, value);
    model.save_changes();
  });
  const follow = names.map((name) => {
    const put = () => {
      const value = model.get(name);
      if (explorer.values && String(value) !== String(explorer.values[name])) explorer.change({ [name]: value });
    };
    model.on(`change:${name}`, put);
    return () => model.off(`change:${name}`, put);
  });
  el.append(explorer);
  return () => follow.forEach((stop) => stop());
}

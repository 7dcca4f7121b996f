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

// The explorer of a widget, as a new element.
function makeExplorer(model, names) {
  const explorer = document.createElement(model.get("element"));
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
  return explorer;
}

// Where a server's page has this explorer already, the widget takes over its settings, and follows it.
export function render({ model, el }) {
  const names = model.get("settings");
  const standing = model.get("models") && document.querySelector(`#explorer > ${model.get("element")}`);
  const explorer = standing || makeExplorer(model, names);
  if (standing) {
    standing.opened.then(() => {
      for (const [name, value] of Object.entries(standing.values ?? {})) if (names.includes(name)) model.set(name, value);
      model.save_changes();
    });
  }
  const tell = ({ detail: { name, value } }) => {
    if (!names.includes(name)) return;
    model.set(name, value);
    model.save_changes();
  };
  explorer.addEventListener("glow-change", tell);
  const follow = names.map((name) => {
    const put = () => {
      const value = model.get(name);
      if (explorer.values && String(value) !== String(explorer.values[name])) explorer.change({ [name]: value });
    };
    model.on(`change:${name}`, put);
    return () => model.off(`change:${name}`, put);
  });
  if (!standing) el.append(explorer);
  return () => {
    explorer.removeEventListener("glow-change", tell);
    follow.forEach((stop) => stop());
  };
}

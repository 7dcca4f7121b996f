// An explorer in a notebook: its settings are traits of a widget, and the kernel sends its model once for a page, or
// computes what the page asks for.

import { startEngine } from "../js/engine.js";
import { KernelEngine, ask } from "./comm.js";
import { shareEngine } from "./explorer.js";

// The explorer of a widget, as a new element.
function makeExplorer(model, names) {
  const explorer = document.createElement(model.get("element"));
  explorer.initial = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  if (model.get("models")) {
    explorer.setAttribute("models", model.get("models"));
  } else {
    explorer.startEngine = () => {
      explorer.showProgress()();
      const question = (kind, buffers) => ask(model, explorer, kind, buffers);
      if (model.get("engine") === "kernel") return KernelEngine.open(question);
      const fetchFile = async (kind) => (await question(kind))[1][0];
      const start = async () => startEngine(await fetchFile("weights"), { fetchLabels: () => fetchFile("labels") });
      return shareEngine(model.get("weights"), start);
    };
  }
  explorer.toggleAttribute("address", document.documentElement.classList.contains("gl-page")); // a page of its own
  return explorer;
}

const PATIENCE = 500; // milliseconds without a move, after which a kernel that computes nothing hears of it

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
  let telling;
  const tell = ({ detail: { name, value } }) => {
    if (!names.includes(name)) return;
    model.set(name, value);
    clearTimeout(telling);
    if (standing) telling = setTimeout(() => model.save_changes(), PATIENCE);
    else model.save_changes();
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

// A labelled slider with a name at each end; the bar is filled from its resting value. Double click: back to rest.
let made = 0;

function render({ model, el }) {
  el.classList.add("gl-slider");
  el.addEventListener("keydown", (event) => event.stopPropagation()); // keys are for this, not for JupyterLab
  const id = "gl-slider-" + ++made + "-" + Math.random().toString(36).slice(2, 8);
  const label = Object.assign(document.createElement("label"), { htmlFor: id });
  const output = document.createElement("output");
  const low = document.createElement("span");
  const high = document.createElement("span");
  const input = Object.assign(document.createElement("input"), { type: "range", id });
  output.htmlFor = id;
  output.setAttribute("aria-hidden", "true");
  low.className = "gl-low";
  high.className = "gl-high";
  for (const end of [low, high]) end.setAttribute("aria-hidden", "true");
  el.append(label, output, low, input, high);

  function words(value) {
    const digits = model.get("digits");
    const text = value.toFixed(digits);
    if (!model.get("signed")) return text;
    if (Number(text) === 0) return "0";
    return value > 0 ? "+" + text : "\u2212" + text.slice(1);
  }

  function spoken(value) {
    const rest = model.get("rest");
    const end = value > rest ? model.get("high") : model.get("low");
    const name = value === rest || !end ? "" : ", toward " + end;
    return words(value).replace("\u2212", "minus ") + name;
  }

  function paint(value) {
    const [min, max] = [model.get("min"), model.get("max")];
    const at = (v) => ((100 * (v - min)) / (max - min)).toFixed(2) + "%";
    const rest = Math.min(Math.max(model.get("rest"), min), max);
    input.style.setProperty("--from", at(Math.min(value, rest)));
    input.style.setProperty("--to", at(Math.max(value, rest)));
    input.style.setProperty("--rest", at(rest));
    output.textContent = words(value);
    input.setAttribute("aria-valuetext", spoken(value));
    el.classList.toggle("gl-moved", value !== rest);
  }

  // The page sends [epoch, value]. The kernel increases the epoch whenever it sets the slider itself, and drops moves
  // with an older epoch: so a move that is still on its way never undoes Reset.
  function show(value) {
    input.value = value;
    paint(Number(input.value));
  }
  const follow = () => show(model.get("value"));
  const moved = () => show(model.get("move")[1]); // made here, or at another place where this slider is shown

  function dress() {
    label.textContent = model.get("label");
    low.textContent = model.get("low");
    high.textContent = model.get("high");
    Object.assign(input, { min: model.get("min"), max: model.get("max"), step: model.get("step") });
    input.disabled = model.get("disabled");
    el.dataset.tone = model.get("tone");
    paint(Number(input.value));
  }

  function set(value) {
    model.set("move", [model.get("epoch"), value]);
    model.save_changes(); // one message in flight at a time: moves made meanwhile are folded into the next
  }

  input.addEventListener("input", () => set(Number(input.value)));
  el.addEventListener("dblclick", () => {
    if (!input.disabled) set(model.get("rest"));
  });
  const looks = "label low high min max step rest digits signed tone disabled".split(" ");
  const dressed = looks.map((name) => "change:" + name).join(" ");
  model.on(dressed, dress);
  model.on("change:epoch", follow);
  model.on("change:move", moved);
  dress();
  follow();
  return () => {
    model.off(dressed, dress);
    model.off("change:epoch", follow);
    model.off("change:move", moved);
  };
}
export default { render };

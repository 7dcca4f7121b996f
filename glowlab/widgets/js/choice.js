// A choice of one among a few options: native radio buttons, painted as one pill.
let made = 0;

function render({ model, el }) {
  el.classList.add("gl-choice");
  el.addEventListener("keydown", (event) => event.stopPropagation()); // keys are for this, not for JupyterLab
  const name = "gl-choice-" + ++made + "-" + Math.random().toString(36).slice(2, 8);
  const group = document.createElement("fieldset");
  const legend = document.createElement("legend");
  group.append(legend);
  el.append(group);
  const inputs = model.get("options").map(([value, words]) => {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "radio", name, value });
    const text = document.createElement("span");
    text.textContent = words;
    label.append(input, text);
    group.append(label);
    input.addEventListener("change", () => {
      model.set("value", value);
      model.save_changes();
    });
    return input;
  });

  function update() {
    legend.textContent = model.get("label");
    group.disabled = model.get("disabled");
    for (const input of inputs) input.checked = input.value === model.get("value");
  }
  model.on("change", update);
  update();
  return () => model.off("change", update);
}
export default { render };

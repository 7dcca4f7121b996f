// A check box with its words.
let made = 0;

function render({ model, el }) {
  el.classList.add("gl-toggle");
  el.addEventListener("keydown", (event) => event.stopPropagation()); // keys are for this, not for JupyterLab
  const id = "gl-toggle-" + ++made + "-" + Math.random().toString(36).slice(2, 8);
  const input = Object.assign(document.createElement("input"), { type: "checkbox", id });
  const label = Object.assign(document.createElement("label"), { htmlFor: id });
  el.append(input, label);
  input.addEventListener("change", () => {
    model.set("value", input.checked);
    model.save_changes();
  });

  function update() {
    label.textContent = model.get("label");
    input.checked = model.get("value");
  }
  model.on("change", update);
  update();
  return () => model.off("change", update);
}
export default { render };

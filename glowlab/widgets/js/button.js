// A push button; `clicks` counts clicks, so a busy kernel sees several clicks as one change.
function render({ model, el }) {
  el.classList.add("gl-button");
  el.addEventListener("keydown", (event) => event.stopPropagation()); // keys are for this, not for JupyterLab
  const button = document.createElement("button");
  button.type = "button";
  el.append(button);

  function update() {
    button.textContent = model.get("label");
    button.title = model.get("title");
    button.className = "gl-" + model.get("kind");
    button.disabled = model.get("disabled");
  }
  button.addEventListener("click", () => {
    model.set("clicks", model.get("clicks") + 1);
    model.save_changes();
  });
  model.on("change", update);
  update();
  return () => model.off("change", update);
}
export default { render };

// A button that shows or hides another part of the page; the kernel decides which part.
function render({ model, el }) {
  el.classList.add("gl-fold");
  el.addEventListener("keydown", (event) => event.stopPropagation()); // keys are for this, not for JupyterLab
  const button = Object.assign(document.createElement("button"), { type: "button" });
  el.append(button);

  function update() {
    button.textContent = model.get("label");
    button.setAttribute("aria-expanded", String(model.get("value")));
  }
  button.addEventListener("click", () => {
    model.set("value", !model.get("value"));
    model.save_changes();
  });
  model.on("change", update);
  update();
  return () => model.off("change", update);
}
export default { render };

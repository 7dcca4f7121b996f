// A description of the picture, also for screen readers, and a hint below it.
function render({ model, el }) {
  el.classList.add("gl-words");
  const says = document.createElement("p");
  const hint = document.createElement("p");
  says.className = "gl-says";
  says.setAttribute("role", "status");
  says.setAttribute("aria-live", "polite");
  hint.className = "gl-hint";
  el.append(says, hint);

  function update() {
    if (says.textContent !== model.get("says")) says.textContent = model.get("says");
    hint.textContent = model.get("hint");
    hint.hidden = !model.get("hint");
  }
  model.on("change", update);
  update();
  return () => model.off("change", update);
}
export default { render };

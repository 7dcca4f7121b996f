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

  function save(message, buffers) {
    if (message.kind !== "file") return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([buffers[0]], { type: message.type }));
    link.download = message.name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }
  model.on("change", update);
  model.on("msg:custom", save);
  update();
  return () => {
    model.off("change", update);
    model.off("msg:custom", save);
  };
}
export default { render };

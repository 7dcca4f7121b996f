// A file to choose, or to drop on the field. It is sent in slices, since a web socket refuses long messages.
const SLICE = 512 * 1024;

function render({ model, el }) {
  el.classList.add("gl-upload");
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "file", accept: "image/*" });
  const text = document.createElement("span");
  label.append(input, text);
  el.append(label);

  function update() {
    text.textContent = model.get("label");
    input.setAttribute("aria-label", model.get("label"));
  }

  async function send(file) {
    if (!file) return;
    input.value = ""; // so that the same file can be chosen again
    if (file.size > model.get("most")) {
      model.send({ kind: "too large", name: file.name, size: file.size });
      return;
    }
    const data = await file.arrayBuffer();
    const parts = Math.max(1, Math.ceil(data.byteLength / SLICE));
    for (let part = 0; part < parts; part++) {
      const slice = data.slice(part * SLICE, (part + 1) * SLICE);
      model.send({ kind: "slice", name: file.name, part, parts }, undefined, [slice]);
    }
  }
  input.addEventListener("change", () => send(input.files[0]));
  for (const name of ["dragenter", "dragover"])
    label.addEventListener(name, (event) => {
      event.preventDefault();
      label.classList.add("gl-over");
    });
  for (const name of ["dragleave", "drop"]) label.addEventListener(name, () => label.classList.remove("gl-over"));
  label.addEventListener("drop", (event) => {
    event.preventDefault();
    send(event.dataTransfer.files[0]);
  });
  model.on("change:label", update);
  update();
  return () => model.off("change:label", update);
}
export default { render };

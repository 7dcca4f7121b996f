// A row of small pictures to choose one from: a radio group for the arrow keys.
function render({ model, el }) {
  el.classList.add("gl-tiles");
  el.addEventListener("keydown", (event) => event.stopPropagation()); // keys are for this, not for JupyterLab
  const group = document.createElement("div");
  group.setAttribute("role", "radiogroup");
  el.append(group);

  function choose(index) {
    model.set("selected", index);
    model.set("pick", [model.get("pick")[0] + 1, index]); // the whole list, whatever `selected` is in the kernel now
    model.save_changes();
    mark();
  }

  function mark() {
    const selected = model.get("selected");
    [...group.children].forEach((tile, index) => {
      tile.setAttribute("aria-checked", String(index === selected));
      tile.tabIndex = index === Math.max(selected, 0) ? 0 : -1;
    });
  }

  function build() {
    const count = model.get("count");
    while (group.children.length > count) group.lastChild.remove();
    while (group.children.length < count) {
      const index = group.children.length;
      const tile = document.createElement("button");
      tile.type = "button";
      tile.className = "gl-tile";
      tile.setAttribute("role", "radio");
      const caption = document.createElement("span");
      caption.className = "gl-caption";
      caption.setAttribute("aria-hidden", "true"); // the tile's name says it
      tile.append(document.createElement("canvas"), caption);
      tile.addEventListener("click", () => choose(index));
      group.append(tile);
    }
    const captions = model.get("captions") || []; // older films have none
    [...group.children].forEach((tile, index) => {
      tile.lastChild.textContent = captions[index] || "";
      tile.lastChild.hidden = !captions[index];
    });
  }

  function draw() {
    build();
    group.setAttribute("aria-label", model.get("label"));
    const width = model.get("width");
    const height = model.get("height");
    const view = model.get("pixels");
    const rgb = view ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : new Uint8Array();
    const size = width * height * 3;
    const names = model.get("names");
    if (rgb.length !== size * group.children.length) return;
    [...group.children].forEach((tile, index) => {
      const name = names[index] || String(index + 1);
      tile.setAttribute("aria-label", name);
      tile.title = name;
      const canvas = tile.firstChild;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      const picture = new ImageData(width, height);
      for (let from = index * size, to = 0; to < picture.data.length; from += 3, to += 4) {
        picture.data[to] = rgb[from];
        picture.data[to + 1] = rgb[from + 1];
        picture.data[to + 2] = rgb[from + 2];
        picture.data[to + 3] = 255;
      }
      canvas.getContext("2d").putImageData(picture, 0, 0);
      canvas.dataset.frame = Number(canvas.dataset.frame || 0) + 1;
    });
    mark();
  }

  group.addEventListener("keydown", (event) => {
    const count = group.children.length;
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const now = [...group.children].indexOf(document.activeElement);
    if (now < 0) return;
    let next = null;
    if (event.key in steps) next = (now + steps[event.key] + count) % count;
    if (event.key === "Home") next = 0;
    if (event.key === "End") next = count - 1;
    if (next === null) return;
    event.preventDefault();
    group.children[next].focus();
    choose(next);
  });

  model.on("change:pixels change:count change:names change:captions change:label", draw);
  model.on("change:selected", mark);
  draw();
  return () => {
    model.off("change:pixels change:count change:names change:captions change:label", draw);
    model.off("change:selected", mark);
  };
}
export default { render };

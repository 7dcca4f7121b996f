// A picture from raw bytes: one canvas pixel per picture pixel, enlarged by CSS. The old picture stays until the new one is complete.
function bytes(view) {
  return view ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : new Uint8Array();
}

function render({ model, el }) {
  el.classList.add("gl-picture");
  el.addEventListener("keydown", (event) => event.stopPropagation()); // keys are for this, not for JupyterLab
  const figure = document.createElement("figure");
  const frame = document.createElement("div");
  const canvas = document.createElement("canvas");
  const caption = document.createElement("figcaption");
  const hold = document.createElement("button");
  frame.className = "gl-picture-frame";
  canvas.setAttribute("role", "img");
  hold.type = "button";
  hold.className = "gl-hold";
  frame.append(canvas, hold);
  figure.append(frame, caption);
  el.append(figure);
  let held = false;
  let frames = 0;

  function draw() {
    const width = model.get("width");
    const height = model.get("height");
    const rgb = bytes(model.get(held ? "other" : "pixels"));
    if (!width || rgb.length !== width * height * 3) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const picture = new ImageData(width, height);
    for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
      picture.data[to] = rgb[from];
      picture.data[to + 1] = rgb[from + 1];
      picture.data[to + 2] = rgb[from + 2];
      picture.data[to + 3] = 255;
    }
    canvas.getContext("2d").putImageData(picture, 0, 0);
    canvas.dataset.frame = ++frames;
    canvas.classList.add("gl-drawn");
  }

  function describe() {
    canvas.setAttribute("aria-label", held ? model.get("other_label") : model.get("label"));
    caption.textContent = held ? model.get("other_caption") : model.get("caption");
    canvas.style.imageRendering = model.get("sharp") ? "pixelated" : "auto";
    el.dataset.tone = model.get("tone");
    const comparable = bytes(model.get("other")).length > 0;
    hold.hidden = !comparable;
    frame.classList.toggle("gl-comparable", comparable);
    hold.textContent = "Hold to compare";
    hold.setAttribute("aria-label", "Hold to compare with " + model.get("other_caption"));
  }

  function compare(now) {
    if (now === held || !bytes(model.get("other")).length) return;
    held = now;
    el.classList.toggle("gl-held", held);
    hold.setAttribute("aria-pressed", String(held));
    draw();
    describe();
    if (held) {
      model.set("compared", model.get("compared") + 1);
      model.save_changes();
    }
  }
  const isPress = (event) => event.key === " " || event.key === "Enter";
  frame.addEventListener("pointerdown", (event) => {
    if (event.button === 0) compare(true);
  });
  for (const name of ["pointerup", "pointercancel", "blur"]) window.addEventListener(name, release);
  frame.addEventListener("contextmenu", (event) => held && event.preventDefault());
  hold.addEventListener("keydown", (event) => {
    if (!isPress(event)) return;
    event.preventDefault();
    compare(true);
  });
  hold.addEventListener("keyup", (event) => isPress(event) && compare(false));
  hold.addEventListener("blur", release);
  function release() {
    compare(false);
  }

  const update = () => {
    draw();
    describe();
  };
  const watched = "change:pixels change:other change:width change:height";
  const words = "change:label change:caption change:other_label change:other_caption change:sharp change:tone";
  model.on(watched, update);
  model.on(words, describe);
  update();
  return () => {
    for (const name of ["pointerup", "pointercancel", "blur"]) window.removeEventListener(name, release);
    model.off(watched, update);
    model.off(words, describe);
  };
}
export default { render };

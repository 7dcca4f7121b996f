// A picture from raw bytes: one canvas pixel per picture pixel, enlarged by CSS. The old picture stays until the new one is complete.
function render({ model, el }) {
  el.classList.add("gl-picture");
  el.addEventListener("keydown", (event) => event.stopPropagation()); // keys are for this, not for JupyterLab
  const figure = document.createElement("figure");
  const frame = document.createElement("div");
  const canvas = document.createElement("canvas");
  const caption = document.createElement("figcaption");
  frame.className = "gl-picture-frame";
  canvas.setAttribute("role", "img");
  frame.append(canvas);
  figure.append(frame, caption);
  el.append(figure);
  let frames = 0;

  function draw() {
    const width = model.get("width");
    const height = model.get("height");
    const view = model.get("pixels");
    if (!width || view?.byteLength !== width * height * 3) return;
    const rgb = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
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
    canvas.setAttribute("aria-label", model.get("label"));
    caption.textContent = model.get("caption");
    canvas.style.imageRendering = model.get("sharp") ? "pixelated" : "auto";
    el.dataset.tone = model.get("tone");
  }
  const update = () => {
    draw();
    describe();
  };
  model.on("change:pixels change:width change:height", update);
  model.on("change:label change:caption change:sharp change:tone", describe);
  update();
  return () => {
    model.off("change:pixels change:width change:height", update);
    model.off("change:label change:caption change:sharp change:tone", describe);
  };
}
export default { render };

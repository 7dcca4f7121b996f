// A scene painted on a canvas from plain shapes in page units; handles over it are buttons to drag, pads take strokes.
const NAMED = { ink: "--gl-text", faint: "--gl-faint", x: "--gl-x", z: "--gl-z", log_det: "--gl-log-det" };
const FIXED = { pink: "#CC79A7", amber: "#E69F00", sky: "#56B4E9" };
const STEP = 8; // page units that an arrow key moves a handle

function bytes(view) {
  return new Uint8ClampedArray(view.buffer, view.byteOffset, view.byteLength);
}

function render({ model, el }) {
  el.classList.add("gl-board");
  el.addEventListener("keydown", (event) => event.stopPropagation()); // keys are for this, not for JupyterLab
  const page = document.createElement("div");
  const canvas = document.createElement("canvas");
  page.className = "gl-board-page";
  canvas.setAttribute("role", "img");
  page.append(canvas);
  el.append(page);
  const probe = document.createElement("span");
  el.append(probe);
  let shades = {};
  let dragged = null; // the name of the handle that is being dragged
  let sent = 0;
  let frames = 0;

  function shade(name, alpha = 1) {
    if (!(name in shades)) {
      probe.style.color = NAMED[name] ? `var(${NAMED[name]})` : FIXED[name] || name;
      const found = getComputedStyle(probe).color;
      shades[name] = found.match(/[\d.]+/g).map(Number);
      if (found.startsWith("color(")) shades[name] = shades[name].map((v, i) => (i < 3 ? v * 255 : v));
    }
    const [r, g, b, own = 1] = shades[name];
    return `rgba(${r}, ${g}, ${b}, ${own * alpha})`;
  }

  function trail(pen, points) {
    pen.beginPath();
    for (let i = 0; i < points.length; i += 2) pen.lineTo(points[i], points[i + 1]);
  }

  const painters = {
    path(pen, s) {
      trail(pen, s.points);
      if (s.fill) {
        pen.fillStyle = shade(s.fill, s.alpha);
        pen.fill();
      }
      if (s.stroke) {
        pen.setLineDash(s.dash ? [s.width * 3, s.width * 2.2] : []);
        Object.assign(pen, { strokeStyle: shade(s.stroke, s.alpha), lineWidth: s.width, lineCap: "round", lineJoin: "round" });
        pen.stroke();
        pen.setLineDash([]);
      }
    },
    polygons(pen, s) {
      if (s.edge) Object.assign(pen, { strokeStyle: shade(s.edge), lineWidth: s.width });
      s.points.forEach((corners, i) => {
        trail(pen, corners);
        pen.closePath();
        pen.fillStyle = shade(s.fill, s.alpha[i]);
        pen.fill();
        if (s.edge) pen.stroke();
      });
    },
    dots(pen, s) {
      pen.fillStyle = shade(s.fill, s.alpha);
      pen.beginPath();
      for (let i = 0; i < s.points.length; i += 2) {
        pen.moveTo(s.points[i] + s.size, s.points[i + 1]);
        pen.arc(s.points[i], s.points[i + 1], s.size, 0, 7);
      }
      pen.fill();
    },
    image(pen, s) {
      const view = model.get("images")[s.index];
      if (!view || view.byteLength !== s.rows * s.columns * 4) return;
      const small = new OffscreenCanvas(s.columns, s.rows);
      small.getContext("2d").putImageData(new ImageData(bytes(view), s.columns, s.rows), 0, 0);
      pen.imageSmoothingEnabled = s.smooth;
      pen.drawImage(small, ...s.box);
    },
    text(pen, s) {
      const [x, y] = s.points;
      pen.font = `${s.bold ? 650 : 400} ${s.size}px ${getComputedStyle(el).fontFamily}`;
      pen.fillStyle = shade(s.fill);
      pen.textAlign = s.anchor === "middle" ? "center" : s.anchor;
      pen.textBaseline = s.baseline;
      pen.save();
      pen.translate(x, y);
      if (s.turned) pen.rotate(-Math.PI / 2);
      pen.fillText(s.words, 0, 0);
      pen.restore();
    },
    box(pen, s) {
      pen.beginPath();
      pen.roundRect(...s.box, 6);
      pen.fillStyle = shade(s.stroke, s.fill);
      pen.fill();
      Object.assign(pen, { strokeStyle: shade(s.stroke), lineWidth: 1.4 });
      pen.stroke();
    },
    arrow(pen, s) {
      const [x0, y0, x1, y1] = s.points;
      const turn = Math.atan2(y1 - y0, x1 - x0);
      Object.assign(pen, { strokeStyle: shade(s.stroke), fillStyle: shade(s.stroke), lineWidth: s.width });
      trail(pen, [x0, y0, x1 - 6 * Math.cos(turn), y1 - 6 * Math.sin(turn)]);
      pen.stroke();
      const wing = (side) => [x1 - 9 * Math.cos(turn + side * 0.4), y1 - 9 * Math.sin(turn + side * 0.4)];
      trail(pen, [x1, y1, ...wing(1), ...wing(-1)]);
      pen.fill();
    },
  };

  function paint() {
    if (!el.isConnected) return; // no colours yet; the ResizeObserver paints once there are
    const [width, height] = [model.get("width"), model.get("height")];
    const shown = page.clientWidth || width;
    const zoom = (shown / width) * (window.devicePixelRatio || 1) * (page.currentCSSZoom || 1);
    const size = [Math.round(width * zoom), Math.round(height * zoom)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    page.style.aspectRatio = `${width} / ${height}`;
    const pen = canvas.getContext("2d");
    pen.setTransform(zoom, 0, 0, zoom, 0, 0);
    pen.clearRect(0, 0, width, height);
    for (const shape of model.get("shapes")) {
      pen.save();
      if (shape.clip) {
        pen.beginPath();
        pen.rect(...shape.clip);
        pen.clip();
      }
      painters[shape.kind](pen, shape);
      pen.restore();
    }
    canvas.setAttribute("aria-label", model.get("label"));
    canvas.dataset.frame = ++frames;
  }

  // ---- handles: buttons over the canvas; dragged by mouse, finger or arrow keys
  const handles = new Map();

  function put(button, x, y) {
    button.style.left = (100 * x) / model.get("width") + "%";
    button.style.top = (100 * y) / model.get("height") + "%";
    Object.assign(button.dataset, { x, y });
  }

  function send(name, x, y) {
    const [width, height] = [model.get("width"), model.get("height")];
    const at = [Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), height)];
    put(handles.get(name), ...at);
    model.set("drag", [++sent, name, ...at]);
    model.save_changes(); // one message in flight at a time: moves made meanwhile are folded into the next
  }

  function where(event) {
    const box = canvas.getBoundingClientRect();
    const scale = model.get("width") / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  function make(name) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "gl-handle" });
    button.addEventListener("pointerdown", (event) => {
      dragged = name;
      button.setPointerCapture(event.pointerId);
    });
    button.addEventListener("pointermove", (event) => {
      if (dragged === name) send(name, ...where(event));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      button.addEventListener(end, () => {
        dragged = null;
        place();
      });
    }
    button.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!move) return;
      event.preventDefault();
      event.stopPropagation();
      const step = event.shiftKey ? 4 * STEP : STEP;
      send(name, Number(button.dataset.x) + step * move[0], Number(button.dataset.y) + step * move[1]);
    });
    page.append(button);
    return button;
  }

  function place() {
    const wanted = model.get("handles");
    for (const [name, button] of handles) {
      if (name in wanted) continue;
      button.remove();
      handles.delete(name);
    }
    for (const [name, { x, y, label }] of Object.entries(wanted)) {
      if (!handles.has(name)) handles.set(name, make(name));
      const button = handles.get(name);
      button.setAttribute("aria-label", label + ". Arrow keys move it.");
      button.title = label;
      if (dragged !== name) put(button, x, y);
    }
  }

  // ---- pads: a stroke is drawn at once, and sent when it ends
  let stroke = null;

  function over([x, y]) {
    return Object.entries(model.get("pads")).find(([, { box: [left, top, width, height] }]) =>
      x >= left && x <= left + width && y >= top && y <= top + height);
  }
  canvas.addEventListener("pointerdown", (event) => {
    const found = over(where(event));
    if (!found) return;
    stroke = { name: found[0], points: where(event) };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke) return;
    const pen = canvas.getContext("2d");
    const [x, y] = where(event);
    Object.assign(pen, { strokeStyle: shade("x"), lineWidth: 3, lineCap: "round" });
    trail(pen, [...stroke.points.slice(-2), x, y]);
    pen.stroke();
    stroke.points.push(Math.round(x * 10) / 10, Math.round(y * 10) / 10);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (!stroke) return;
      model.set("trace", [++sent, stroke.name, stroke.points]);
      model.save_changes();
      stroke = null;
    });
  }

  function update() {
    paint();
    place();
    canvas.classList.toggle("gl-drawable", Object.keys(model.get("pads")).length > 0);
  }

  const repaint = () => {
    shades = {};
    update();
  };
  const watch = new ResizeObserver(repaint);
  watch.observe(page);
  const theme = new MutationObserver(repaint);
  for (const root of [document.body, document.documentElement]) {
    theme.observe(root, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-theme"] });
  }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", repaint);
  const parts = "change:shapes change:images change:handles change:label";
  let due = false;
  function soon() {
    if (!due) queueMicrotask(() => { due = false; update(); }); // once for all changes of a message
    due = true;
  }
  model.on(parts, soon);
  update();
  return () => {
    model.off(parts, soon);
    watch.disconnect();
    theme.disconnect();
    dark.removeEventListener("change", repaint);
  };
}
export default { render };

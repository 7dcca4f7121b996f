// Curves drawn by plotly.js. A page gets plotly.js once, when its first curves come into view: from the kernel, or
// from the file `address` where no kernel runs.
const INK = { light: "#1f2328", dark: "#eceae6" };
const RULE = { light: "rgb(31 35 40 / 14%)", dark: "rgb(236 234 230 / 18%)" };
const CARD = { light: "#ffffff", dark: "#1d2025" };
const BUTTONS = ["zoom2d", "pan2d", "resetScale2d", "toImage"]; // plotly's others ask another host, or select points
const TOOLS = { responsive: true, displaylogo: false, showLink: false, modeBarButtons: [BUTTONS] };
const ABREAST = 560; // CSS pixels that panels side by side need; narrower pages scroll
const PATIENCE = 60_000; // milliseconds

function add(source) {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: source });
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => reject(new Error("plotly.js did not load")));
    document.head.append(script);
  });
}

function ask(model) {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("plotly.js did not come")), PATIENCE);
    model.on("msg:custom", async (message, buffers) => {
      if (message.kind !== "library") return;
      const packed = new Response(new Blob(buffers).stream().pipeThrough(new DecompressionStream("gzip")));
      const source = URL.createObjectURL(new Blob([await packed.arrayBuffer()], { type: "text/javascript" }));
      add(source).then(resolve, reject).finally(() => URL.revokeObjectURL(source));
    });
    model.send({ kind: "library" });
  });
}

function library(model) {
  window.glowPlotly ??= (model.get("address") ? add(model.get("address")) : ask(model)).catch((error) => {
    window.glowPlotly = undefined; // the next curves try again
    throw error;
  });
  return window.glowPlotly;
}

function render({ model, el }) {
  el.classList.add("gl-curves");
  Object.assign(el.style, { width: "100%", maxWidth: "720px", overflowX: "auto" });
  el.addEventListener("keydown", (event) => event.stopPropagation());
  const plot = document.createElement("div");
  plot.setAttribute("role", "img");
  el.append(plot);
  let seen = false;

  function themed() {
    const { color, fontFamily } = getComputedStyle(el);
    const [r, g, b] = color.match(/[\d.]+/g).map(Number);
    const theme = 0.3 * r + 0.6 * g + 0.1 * b > (color.startsWith("color(") ? 0.5 : 127) ? "dark" : "light";
    const shades = theme === "dark" ? model.get("shades") : {};
    const text = JSON.stringify(model.get("figure")).replace(/#[0-9a-f]{6}\b/gi, (hex) => shades[hex.toUpperCase()] ?? hex);
    const { data, layout } = JSON.parse(text);
    const axis = { gridcolor: RULE[theme], linecolor: RULE[theme], zeroline: false, automargin: true };
    for (const name of ["xaxis", "yaxis", ...Object.keys(layout)]) {
      const decades = layout[name]?.type === "log" ? { dtick: 1, exponentformat: "power" } : {};
      if (/^[xy]axis\d*$/.test(name)) layout[name] = { ...axis, ...decades, ...layout[name] };
    }
    const rule = { color: INK[theme], width: 1.2 };
    layout.shapes = (layout.shapes ?? []).map((shape) => ({ ...shape, line: { ...rule, ...shape.line } }));
    layout.annotations = layout.annotations?.map((words) => ({ ...words, font: { color: INK[theme], ...words.font, size: 13 } }));
    const several = "xaxis2" in layout;
    plot.style.minWidth = several ? `${ABREAST}px` : "0";
    if (several) el.tabIndex = 0; // so that keys scroll it
    const base = {
      height: 320,
      margin: { l: 48, r: 12, t: layout.title || layout.annotations ? 40 : 28, b: layout.showlegend ?? data.length > 1 ? 76 : 44 },
      legend: { orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom" },
      hoverlabel: { bgcolor: CARD[theme], bordercolor: RULE[theme], font: { color: INK[theme] } },
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom", // a finger scrolls the page
      modebar: { bgcolor: "rgba(0,0,0,0)", color: RULE[theme], activecolor: INK[theme] },
      uirevision: "kept", // zoom stays when points are added
    };
    const look = { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
    const font = { color: INK[theme], family: fontFamily, size: 13 };
    return { data, layout: { ...base, ...layout, ...look, font: { ...font, ...layout.font } } };
  }

  async function draw() {
    plot.setAttribute("aria-label", model.get("label"));
    if (!seen || !el.isConnected) return;
    try {
      const Plotly = await library(model);
      const { data, layout } = themed();
      await Plotly.react(plot, data, layout, TOOLS);
      plot.dataset.drawn = Number(plot.dataset.drawn ?? 0) + 1;
    } catch (error) {
      plot.textContent = model.get("label");
      console.warn(error.message);
    }
  }

  plot.style.minHeight = `${model.get("figure").layout?.height ?? 320}px`;
  const view = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    view.disconnect();
    seen = true;
    draw();
  }, { rootMargin: "400px" });
  view.observe(plot);
  const theme = new MutationObserver(draw);
  for (const root of [document.body, document.documentElement]) {
    theme.observe(root, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-theme"] });
  }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);
  model.on("change:figure", draw);
  return () => {
    view.disconnect();
    theme.disconnect();
    dark.removeEventListener("change", draw);
    model.off("change:figure", draw);
    window.Plotly?.purge(plot);
  };
}

export default { render };

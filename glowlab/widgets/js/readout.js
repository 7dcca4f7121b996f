// The strip of numbers: one entry per name, its text replaced in place.
function render({ model, el }) {
  el.classList.add("gl-readout");
  const list = document.createElement("dl");
  el.append(list);

  function update() {
    const entries = model.get("entries");
    while (list.children.length > entries.length) list.lastChild.remove();
    while (list.children.length < entries.length) {
      const entry = document.createElement("div");
      entry.append(document.createElement("dt"), document.createElement("dd"), document.createElement("dd"));
      list.append(entry);
    }
    entries.forEach(({ name, value, unit, note, tone, flag, stale }, index) => {
      const entry = list.children[index];
      const [title, number, remark] = entry.children;
      entry.dataset.tone = tone || "";
      entry.classList.toggle("gl-flag", Boolean(flag));
      entry.classList.toggle("gl-stale", Boolean(stale));
      if (title.textContent !== name) title.textContent = name;
      number.className = "gl-number";
      remark.className = "gl-note";
      number.textContent = value + (unit ? "\u2009" + unit : "");
      if (remark.textContent !== note) remark.textContent = note;
    });
  }
  model.on("change:entries", update);
  update();
  return () => model.off("change:entries", update);
}
export default { render };

// Title, promise and notices of a figure.
function render({ model, el }) {
  el.classList.add("gl-head");
  const title = document.createElement("h1");
  const promise = document.createElement("p");
  const notice = document.createElement("div");
  const close = Object.assign(document.createElement("button"), { type: "button", textContent: "\u00d7" });
  const text = document.createElement("span");
  promise.className = "gl-promise";
  notice.className = "gl-notice";
  notice.setAttribute("role", "alert");
  close.setAttribute("aria-label", "Close this message");
  notice.append(text, close);
  el.append(title, promise, notice);

  function update() {
    title.textContent = model.get("title");
    promise.textContent = model.get("promise");
    const { text: words = "", kind = "info" } = model.get("notice");
    notice.hidden = !words;
    notice.classList.toggle("gl-bad", kind === "bad");
    if (text.textContent !== words) text.textContent = words;
  }
  close.addEventListener("click", () => {
    model.set("notice", {});
    model.save_changes();
    update();
  });
  model.on("change", update);
  update();
  return () => model.off("change", update);
}
export default { render };

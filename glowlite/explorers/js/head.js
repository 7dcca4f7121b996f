// Title, promise and notices of an explorer; the page's address; and a pulse that notices when the kernel has gone.
const PULSE = 10000;

function render({ model, el }) {
  el.classList.add("gl-head");
  const title = document.createElement("h1");
  const promise = document.createElement("p");
  const notice = document.createElement("div");
  const gone = document.createElement("div");
  const close = Object.assign(document.createElement("button"), { type: "button", textContent: "\u00d7" });
  const text = document.createElement("span");
  promise.className = "gl-promise";
  notice.className = "gl-notice";
  notice.setAttribute("role", "alert");
  close.setAttribute("aria-label", "Close this message");
  notice.append(text, close);
  gone.className = "gl-notice gl-bad";
  gone.setAttribute("role", "alert");
  gone.hidden = true;
  el.append(title, promise, notice, gone);
  const page = document.documentElement.classList.contains("gl-page");

  function update() {
    title.textContent = model.get("title");
    promise.textContent = model.get("promise");
    const { text: words = "", kind = "info" } = model.get("notice");
    notice.hidden = !words;
    notice.classList.toggle("gl-bad", kind === "bad");
    if (text.textContent !== words) text.textContent = words;
  }
  function remember() {
    if (page) history.replaceState(null, "", "?" + model.get("query"));
  }
  close.addEventListener("click", () => {
    model.set("notice", {});
    model.save_changes();
    update();
  });

  // The kernel answers each pulse. Three in a row without an answer: say so, for then nothing on the page works any more.
  let missed = 0;
  function answered(message) {
    if (message.kind !== "pulse") return;
    missed = 0;
    gone.hidden = true;
  }
  const pulse = setInterval(() => {
    if (document.hidden || !page) return;
    if (missed >= 3) {
      gone.textContent = "The part that draws the pictures has stopped or cannot be reached. Reload the page to start it again.";
      gone.hidden = false;
    }
    missed += 1;
    try {
      model.send({ kind: "pulse" });
    } catch {
      missed += 1; // the connection itself is closed
    }
  }, PULSE);

  model.on("change", update);
  model.on("msg:custom", answered);
  model.on("change:query", remember);
  update();
  if (page) {
    document.documentElement.classList.add("gl-ready");
    model.send({ kind: "address", search: location.search });
  }
  return () => {
    clearInterval(pulse);
    model.off("change", update);
    model.off("msg:custom", answered);
    model.off("change:query", remember);
  };
}
export default { render };

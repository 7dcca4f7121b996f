// Title, promise and notices of an explorer; the page's address; and a pulse, which tells the page that the kernel
// answers (watch.js of the page), and the server that somebody is there.
const PULSE = 10000;

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
  const page = document.documentElement.classList.contains("gl-page");

  function update() {
    title.textContent = model.get("title");
    promise.textContent = model.get("promise");
    const { text: words = "", kind = "info" } = model.get("notice");
    notice.hidden = !words;
    notice.classList.toggle("gl-bad", kind === "bad");
    if (text.textContent !== words) text.textContent = words;
  }
  // Large type (?size=lecture) concerns the page alone: it stays in the address, and is not sent to the kernel.
  function remember() {
    const size = new URLSearchParams(location.search).get("size");
    const query = [model.get("query"), size && "size=" + size].filter(Boolean).join("&");
    if (page) history.replaceState(null, "", query ? "?" + query : location.pathname);
  }
  function asked() {
    const search = new URLSearchParams(location.search);
    search.delete("size");
    return search.toString();
  }
  close.addEventListener("click", () => {
    model.set("notice", {});
    model.save_changes();
    update();
  });

  function tell(what) {
    document.dispatchEvent(new CustomEvent("gl-pulse", { detail: what }));
  }
  function answered(message) {
    if (message.kind === "pulse") tell("answered");
  }
  const pulse = setInterval(() => {
    if (document.hidden || !page) return;
    tell("asked");
    try {
      model.send({ kind: "pulse" });
    } catch {} // the connection is closed, so no answer will come
  }, PULSE);

  model.on("change", update);
  model.on("msg:custom", answered);
  model.on("change:query", remember);
  update();
  const open = () => model.send({ kind: "address", search: asked() });
  if (page) {
    document.documentElement.classList.add("gl-ready");
    open();
    addEventListener("gl-address", open); // a film was shown here until now, and was moved (film.js)
  }
  return () => {
    removeEventListener("gl-address", open);
    clearInterval(pulse);
    model.off("change", update);
    model.off("msg:custom", answered);
    model.off("change:query", remember);
  };
}
export default { render };

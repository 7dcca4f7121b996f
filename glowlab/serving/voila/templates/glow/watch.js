// Notices when the part of this page that computes has gone, or the server, and offers to start again where one was:
// the state is in the address. A kernel that computes for long is busy, not gone; the server tells which.
{
  const EVERY = 3000; // milliseconds from one look to the next
  const SLOW = 15000; // until an answer counts as none
  const MUTE = 30000; // of an idle kernel that answers no pulse
  const STOPPED = "The part of this page that computes has stopped.";
  const SILENT = "The part of this page that computes cannot be reached.";
  const ANEW = "The server was started again, so this page is no longer live.";
  const DOWN = "The server has stopped, or cannot be reached. This page waits for it.";
  const CLOSED = "The server was started again and asks for a new token. Ask whoever started it for the new address.";

  const bar = document.createElement("div");
  const words = document.createElement("span");
  const again = Object.assign(document.createElement("button"), { type: "button", textContent: "Start again" });
  bar.id = "gl-watch";
  bar.hidden = true;
  bar.setAttribute("role", "alert");
  bar.append(words, again);
  again.addEventListener("click", () => location.reload());

  function say(text, offer) {
    document.documentElement.classList.toggle("gl-gone", Boolean(text));
    if (!bar.isConnected) document.body.append(bar);
    if (words.textContent !== text) words.textContent = text;
    again.hidden = !offer;
    bar.hidden = !text;
  }

  let unanswered = 0; // since when a pulse waits for its answer; 0: none does
  document.addEventListener("gl-pulse", (event) => {
    unanswered = event.detail === "answered" ? 0 : unanswered || Date.now();
  });

  async function ask(config) {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), SLOW);
    try {
      const address = `${config.baseUrl}alive/${config.kernelId}`;
      const answer = await fetch(address, { cache: "no-store", signal: giveUp.signal });
      if (answer.status === 403) return { state: "closed" };
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  let failed = 0; // looks in a row without an answer
  let looking = false;
  async function look() {
    const known = document.getElementById("jupyter-config-data"); // comes with the kernel
    if (document.hidden || looking || !known) return;
    looking = true;
    const config = JSON.parse(known.textContent);
    const found = await ask(config);
    looking = false;
    failed = found ? 0 : failed + 1;
    if (!found) {
      unanswered = 0; // what was asked meanwhile was never heard
      if (failed > 1) say(DOWN, false);
    } else if (found.state === "closed") say(CLOSED, false);
    else if (found.server !== config.server) say(ANEW, true);
    else if (found.state === "gone") say(STOPPED, true);
    else if (found.state !== "busy" && unanswered && Date.now() - unanswered > MUTE) say(SILENT, true);
    else say("", false);
  }
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);

  const style = document.createElement("style");
  style.textContent = `
    #gl-watch {
      position: fixed;
      inset: auto 0 0;
      z-index: 20;
      display: flex;
      flex-wrap: wrap;
      gap: 12px;
      align-items: center;
      justify-content: center;
      padding: 12px 20px;
      color: var(--gl-ground);
      background: var(--gl-text);
    }
    #gl-watch[hidden], #gl-watch [hidden] { display: none; }
    #gl-watch button {
      padding: 8px 16px;
      color: var(--gl-text);
      background: var(--gl-ground);
      border: 0;
      border-radius: 10px;
      font: inherit;
      font-weight: 600;
      cursor: pointer;
    }
    #gl-watch button:focus-visible { outline: 2px solid var(--gl-ground); outline-offset: 2px; }
    html.gl-gone main { opacity: 0.6; }`;
  document.head.append(style);
}

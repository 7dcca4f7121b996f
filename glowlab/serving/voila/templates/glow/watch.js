// Notices when the kernel of this page or the server has gone, and offers to start again.
{
  const INTERVAL = 3000; // milliseconds between two checks
  const TIMEOUT = 15000; // milliseconds until a request counts as unanswered
  const STOPPED = "The part of this page that computes has stopped.";
  const RESTARTED = "The server was started again, so this page is no longer live.";
  const DOWN = "The server has stopped, or cannot be reached. This page keeps trying.";
  const NEW_TOKEN = "The server was started again and asks for a new token. Ask the person who started it for the new address.";

  const bar = document.createElement("div");
  const text = document.createElement("span");
  const again = Object.assign(document.createElement("button"), { type: "button", textContent: "Start again" });
  bar.id = "gl-watch";
  bar.hidden = true;
  bar.setAttribute("role", "alert");
  bar.append(text, again);
  again.addEventListener("click", () => location.reload());

  function show(message, offer) {
    document.documentElement.classList.toggle("gl-gone", Boolean(message));
    if (!bar.isConnected) document.body.append(bar);
    if (text.textContent !== message) text.textContent = message;
    again.hidden = !offer;
    bar.hidden = !message;
  }

  async function fetchState(config) {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), TIMEOUT);
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

  let failed = 0; // checks in a row without an answer
  let checking = false;
  async function check() {
    const settings = document.getElementById("jupyter-config-data"); // comes with the kernel
    if (document.hidden || checking || !settings) return;
    checking = true;
    const config = JSON.parse(settings.textContent);
    const found = await fetchState(config);
    checking = false;
    failed = found ? 0 : failed + 1;
    if (!found) {
      if (failed > 1) show(DOWN, false);
    } else if (found.state === "closed") show(NEW_TOKEN, false);
    else if (found.server !== config.server) show(RESTARTED, true);
    else if (found.state === "gone") show(STOPPED, true);
    else show("", false);
  }
  setInterval(check, INTERVAL);
  document.addEventListener("visibilitychange", check);

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

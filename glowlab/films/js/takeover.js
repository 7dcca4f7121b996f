// A live explorer replaces its film (film.js): it stays hidden until it shows the same, then it is swapped in.
const LIVE = "Computed by the model as you move it.";
const SLOW = "The live model takes longer than usual. If it does not come, reload the page.";

const glass = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function look(canvas) {
  Object.assign(glass.canvas, { width: canvas.width, height: canvas.height });
  glass.drawImage(canvas, 0, 0);
  return glass.getImageData(0, 0, canvas.width, canvas.height).data;
}

// How the controls of an explorer stand.
function stand(root) {
  const inputs = [...root.querySelectorAll("input:not([type=file])")];
  const chosen = [...root.querySelectorAll("[aria-checked]")].map((tile) => tile.getAttribute("aria-checked"));
  return [...inputs.map((input) => (input.type === "range" ? input.value : input.checked)), ...chosen].join();
}

// Whether what the stages of two explorers show is the same, up to what a recording leaves out.
function alike(film, live) {
  if (stand(film) !== stand(live)) return false;
  const [ours, theirs] = [film, live].map((root) => [...root.querySelectorAll(".gl-show canvas")]);
  return ours.length === theirs.length && ours.every((canvas, i) => {
    if (canvas.width !== theirs[i].width || canvas.height !== theirs[i].height) return false;
    const [a, b] = [look(canvas), look(theirs[i])];
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
    return sum / a.length < 4; // alpha, which is the same, counts along
  });
}
const drawn = (root) => [...root.querySelectorAll(".gl-show canvas")].every((canvas) => canvas.dataset.frame);
const frames = (root) => [...root.querySelectorAll(".gl-show canvas")].map((canvas) => canvas.dataset.frame).join();
const focusable = (root) => [...root.querySelectorAll("button, input")];

class Handover {
  constructor(player) {
    Object.assign(this, { player, page: document.documentElement, busy: false, since: 0, told: -1 });
    this.page.classList.add("gl-film-on");
    const busy = (now) => () => { this.busy = now; };
    player.stage.addEventListener("pointerdown", busy(true));
    for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, busy(false));
    player.stage.addEventListener("keydown", busy(true), true);
    addEventListener("keyup", busy(false), true);
    new MutationObserver((changes, observer) => {
      if (!this.page.classList.contains("gl-ready")) return;
      observer.disconnect();
      this.told = player.ticket; // head.js has just sent the address
      this.since = performance.now();
      this.watch = setInterval(() => this.look(), 50);
    }).observe(this.page, { attributeFilter: ["class"] });
    setTimeout(() => { if (this.told < 0) player.say(SLOW); }, 45000);
  }
  look() {
    if (!("playing" in this.player.root.dataset)) return;
    const sorry = document.querySelector(".gl-sorry, #rendered_cells .gl-notice.gl-bad:not([hidden])");
    const live = document.querySelector("#rendered_cells .gl");
    if (sorry && !(live && live.querySelector(".gl-show"))) {
      this.player.say(sorry.textContent.replace("\u00d7", ""));
      clearInterval(this.watch);
      return;
    }
    if (!live || !live.querySelector(".gl-show") || !drawn(live)) return;
    const now = performance.now();
    if (this.busy) return;
    if (this.told !== this.player.ticket) { // moved since the live explorer was told where to start
      Object.assign(this, { told: this.player.ticket, since: now });
      this.player.remember();
      dispatchEvent(new Event("gl-address")); // which head.js sends on
      return;
    }
    if (frames(live) !== this.frames) Object.assign(this, { frames: frames(live), still: now });
    const words = (root) => root.querySelector(".gl-says").textContent;
    const done = words(live) === words(this.player.stage) && !live.querySelector(".gl-stale");
    const still = now - this.still;
    const waited = still > 700 && now - this.since > (this.player.exact ? 15000 : 5000);
    // Words and numbers come last; on another processor they may be rounded otherwise, so they are not waited for long.
    if (waited || (alike(this.player.stage, live) && (done || still > 2000))) this.swap(live);
  }
  swap(live) {
    clearInterval(this.watch);
    const { stage, status, root } = this.player;
    const at = focusable(stage).indexOf(document.activeElement);
    const folds = [...stage.querySelectorAll(".gl-fold button")].map((button) => button.getAttribute("aria-expanded"));
    this.player.stop();
    stage.remove();
    this.page.classList.add("gl-live");
    this.page.classList.remove("gl-film-on");
    root.querySelector("strong").textContent = "live";
    root.dataset.kind = "live";
    status.textContent = LIVE;
    live.querySelectorAll(".gl-fold button").forEach((button, i) => {
      if (button.getAttribute("aria-expanded") === "false" && folds[i] === "true") button.click();
    });
    if (at >= 0) focusable(live)[at]?.focus({ preventScroll: true });
  }
}

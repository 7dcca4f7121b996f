// The field for a person's own picture: a file to choose, drop or paste, or the camera.

import { readBase64 } from "../js/checkpoint.js";
import { hasCamera } from "./camera.js";
import { Button, box, make } from "./controls.js";

const MOST = 32; // megabytes of a file
const UNREADABLE = "cannot be read here. Is it a folder, or a file that is not on this device?";
const ELSEWHERE = "A picture of another page cannot be read from here. Save it, then choose its file.";
const OTHER_WAYS = "Or drop or paste one.";

// `stays` tells where pictures go. take(bytes) gets a file; refuse(sentence) what is wrong; snap() opens the camera. Files
// may be dropped on `areas`.
export class Upload {
  constructor({ label, camera }, stays, areas, { take, refuse, snap }) {
    Object.assign(this, { take, refuse });
    this.input = make("input", { type: "file", accept: "image/*", "aria-label": label });
    this.label = make("label", {}, this.input, make("span", { textContent: label }));
    this.element = box("upload", this.label);
    if (hasCamera()) this.element.append(new Button({ label: camera }, snap).element);
    this.element.append(make("p", { className: "gl-note", textContent: `${OTHER_WAYS} ${stays}` }));
    this.input.addEventListener("change", async () => {
      await this.read(this.input.files[0]);
      this.input.value = ""; // so that the same file can be chosen again
    });
    for (const area of areas) this.listen(area);
  }

  listen(area) {
    for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
      area.addEventListener(name, (event) => {
        if (name === "dragover") event.preventDefault(); // so that it can be dropped
        this.label.classList.toggle("gl-over", name === "dragenter" || name === "dragover");
      });
    }
    for (const name of ["drop", "paste"]) {
      area.addEventListener(name, (event) => {
        if (event.defaultPrevented || !this.receive(event.dataTransfer ?? event.clipboardData)) return;
        event.preventDefault();
      });
    }
  }

  // Use what was dropped or pasted; whether there was anything to use.
  receive(transfer) {
    if (!hasPicture(transfer)) return false;
    const [, inAddress] = /^data:image\/[^,]*;base64,(.*)/s.exec(transfer.getData("text/uri-list")) ?? [];
    if (transfer.files.length) this.read(transfer.files[0]);
    else if (inAddress) this.take(readBase64(inAddress));
    else this.refuse(ELSEWHERE);
    return true;
  }

  async read(file) {
    if (!file) return;
    const megabytes = file.size / 2 ** 20;
    if (megabytes > MOST) {
      this.refuse(`That file has ${megabytes.toFixed(0)} MB; please choose one of at most ${MOST} MB.`);
      return;
    }
    const bytes = await file.arrayBuffer().catch(() => null);
    if (bytes) await this.take(new Uint8Array(bytes));
    else this.refuse(`${file.name} ${UNREADABLE}`);
  }
}

// Whether files were dropped or pasted, or a picture of another page was.
export function hasPicture({ types, files }) {
  return files.length > 0 || (types.includes("text/uri-list") && types.includes("text/html"));
}

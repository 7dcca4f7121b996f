// The dialogue in which a person takes a picture by the camera: a live view as in a mirror, and a shutter.

import { GlowError } from "../js/checkpoint.js";
import { box, make } from "./controls.js";
import { Dialog, makeRings } from "./dialog.js";

const TAKE_ONE = "Take a picture";
const LOOK_AT_RINGS = "Look into the camera; where the rings are, the model's faces have their eyes.";
const LOOK = "Look into the camera, and press the button.";
const WANTED = { video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 960 } }, audio: false };
const CHOOSE = "or choose a picture from a file.";
const REFUSALS = {
  NotAllowedError: `The camera may not be used here: allow it in the browser, ${CHOOSE}`,
  NotFoundError: `No camera was found: connect one, ${CHOOSE}`,
};
const SILENT = `The camera does not answer, perhaps as another program uses it: close that, ${CHOOSE}`;

export const hasCamera = () => Boolean(navigator.mediaDevices?.getUserMedia);

export class Camera extends Dialog {
  // places: where the model's faces have their eyes, shares of the side; null where that is not known
  constructor(host, places) {
    super(host, "camera", TAKE_ONE, places ? LOOK_AT_RINGS : LOOK);
    this.video = make("video", { muted: true, autoplay: true, playsInline: true });
    this.video.setAttribute("aria-label", "What the camera sees");
    const buttons = this.actions({ "Take the picture": () => this.take(), Cancel: () => this.close(null) });
    this.element.append(box("live", this.video, ...makeRings(places ?? [])), buttons);
  }

  // An ImageBitmap, mirrored as it is seen; null where a person cancels. GlowError where there is no camera.
  async ask() {
    const answer = super.ask();
    this.usual.disabled = true;
    const isWanted = () => this.asked === answer;
    this.asked = answer;
    try {
      const stream = await navigator.mediaDevices.getUserMedia(WANTED);
      if (!this.element.open || !isWanted()) {
        stop(stream);
        return answer;
      }
      this.stream = this.video.srcObject = stream;
      await this.video.play();
      this.usual.disabled = false;
      this.usual.focus({ focusVisible: false });
    } catch (error) {
      if (!this.element.open) return answer;
      this.close(null);
      throw new GlowError(REFUSALS[error.name] ?? SILENT, { cause: error });
    }
    return answer;
  }

  take() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const canvas = make("canvas", { width, height });
    const pen = canvas.getContext("2d");
    pen.setTransform(-1, 0, 0, 1, width, 0);
    pen.drawImage(this.video, 0, 0);
    this.close(createImageBitmap(canvas));
  }

  close(value) {
    stop(this.stream);
    this.stream = this.video.srcObject = null;
    super.close(value);
  }
}

function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

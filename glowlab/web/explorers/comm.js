// The kernel of a notebook, asked over a widget's comm: for files of a model, or for all that the flow computes.

import { GlowError, readDirections, readHead, readMeasured } from "../js/checkpoint.js";
import { Engine } from "../js/engine.js";

const SLOW = 20_000; // milliseconds without an answer until that is said
const NO_ANSWER =
  "The notebook's kernel does not answer yet: it runs another cell, or it is gone and this cell has to be run again.";
const GONE = "The notebook's kernel is gone: run this cell again.";

// The answer to a question, as [message, array buffers]. GlowError where the kernel has none, or is gone.
export async function ask(model, explorer, kind, buffers = []) {
  const id = Math.random(); // a notebook may be open in two pages, which hear all answers
  const listeners = {};
  const answered = new Promise((resolve, reject) => {
    listeners["msg:custom"] = (message, views) => {
      if (message.id !== id) return;
      if (message.error) reject(new GlowError(message.error));
      else resolve([message, views.map(copy)]);
    };
    listeners.comm_live_update = () => reject(new GlowError(GONE)); // Jupyter's widgets lost their kernel
  });
  for (const [name, listener] of Object.entries(listeners)) model.on(name, listener);
  let said;
  const slow = setTimeout(() => (said = explorer.notify(NO_ANSWER, "bad")), SLOW);
  try {
    model.send({ kind, id }, undefined, buffers);
    return await answered;
  } catch (error) {
    throw error instanceof GlowError ? error : new GlowError(GONE, { cause: error });
  } finally {
    clearTimeout(slow);
    explorer.retract(said);
    for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
  }
}

const copy = ({ buffer, byteOffset, byteLength }) => buffer.slice(byteOffset, byteOffset + byteLength);

// An engine as of js/engine.js, but that PyTorch computes in the kernel: encode, decode, draw and bitsPerDim.
export class KernelEngine extends Engine {
  stays = "It goes to this notebook's kernel alone.";

  // What is known of the model comes once, without its weights; question(kind, buffers) asks as of `ask`.
  static async open(question) {
    const [, [file]] = await question("weights");
    const engine = new KernelEngine(readHead(file), readDirections(file), readMeasured(file));
    const readLabels = async () => readMeasured((await question("labels"))[1][0]);
    return Object.assign(engine, { question, readLabels });
  }

  // A picture, or latents, which may be views of something larger.
  async send(name, [given]) {
    const buffers = [given].flat().map((values) => values.slice().buffer);
    const [{ clamped, bits }, found] = await this.question(name === "decode" ? "draw" : name, buffers);
    if (name === "bitsPerDim") return bits ?? NaN;
    if (name === "encode") return this.head.latent_shapes.map((shape, level) => readNumbers(found[level], shape));
    const pixels = new Uint8Array(found[0]);
    return name === "draw" ? { pixels, clamped: clamped ?? NaN } : pixels;
  }
}

// Those of a picture far out are in double.
function readNumbers(buffer, shape) {
  const isDouble = buffer.byteLength === 8 * shape.reduce((a, b) => a * b);
  return isDouble ? new Float64Array(buffer) : new Float32Array(buffer);
}

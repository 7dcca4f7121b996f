// The flow in a worker, so that the page never waits for it: `openModel` gives an engine, whose methods are those of
// Glow and answer with promises. Where a page's policy forbids the worker, or WebAssembly, the engine does without, and
// its `notes` say so.

import { fetchFile, load, readDirections, readHead, readMeasured } from "./checkpoint.js";

// What bundle.py adds: the text of these modules as a function, and kernels.wasm.
export const supplies = { source: "", wasm: null };

const NO_WORKER =
  "This page's policy forbids workers, so pictures are computed in the page itself, which may halt for a moment.";
const NO_WASM =
  "This page's policy forbids WebAssembly, so pictures are computed by plain JavaScript, ten times as slowly.";

// One question is under way at a time, or one for each worker. One that waits gives way to a newer one with the same
// key, and is answered with null: of the moves of a slider, the latest counts.
export class Engine {
  stays = "It stays on this device: nothing is sent."; // a person's picture

  constructor(head, directions, measured) {
    Object.assign(this, { head, directions, measured, notes: [], waiting: [] });
    this.idle = [(name, args) => this.send(name, args)]; // a function for each worker that is free
  }

  encode(pixels, key) {
    return this.ask("encode", [pixels], key);
  }

  decode(latents, key) {
    return this.ask("decode", [latents], key);
  }

  draw(latents, key) {
    return this.ask("draw", [latents], key);
  }

  sample(seed, count, temperature, key) {
    return this.ask("sample", [seed, count, temperature], key);
  }

  logProb(pixels, key) {
    return this.ask("logProb", [pixels], key);
  }

  bitsPerDim(pixels, key) {
    return this.ask("bitsPerDim", [pixels], key);
  }

  ask(name, args, key = null) {
    return new Promise((resolve, reject) => {
      const question = { name, args, key, resolve, reject };
      const older = key === null ? -1 : this.waiting.findIndex((other) => other.key === key);
      if (older < 0) this.waiting.push(question);
      else this.waiting.splice(older, 1, question)[0].resolve(null);
      this.next();
    });
  }

  async next() {
    if (!this.idle.length || !this.waiting.length) return;
    const send = this.idle.shift();
    const { name, args, resolve, reject } = this.waiting.shift();
    await send(name, args).then(resolve, reject);
    this.idle.push(send);
    this.next();
  }

  // Starts a second worker, where the machine has cores for two: for explorers that draw many pictures at once.
  widen() {
    this.wider ??= this.addWorker?.().catch(() => {}); // without memory for it, the first does all
  }

  // Ends the workers; what was asked stays unanswered.
  stop() {
    this.waiting.length = 0;
    for (const worker of this.workers ?? []) worker.terminate();
  }
}

// The engine of the model at an address; progress(bytes, of) while it is fetched.
export async function openModel(address, { progress, ...options } = {}) {
  const fetchLabels = () => fetchFile(address.replace(/\.bin$/, ".labels.bin"));
  return startEngine(await fetchFile(address, progress), { fetchLabels, ...options });
}

// The engine of a model's file, whose bytes are gone afterwards; fetchLabels() gives those of NAME.labels.bin.
export async function startEngine(buffer, { source, wasm, fetchLabels } = {}) {
  const engine = new Engine(readHead(buffer), readDirections(buffer), readMeasured(buffer));
  engine.readLabels = async () => readMeasured(await fetchLabels());
  const answer = makeAnswer();
  const start = () => startWorker(source ?? supplies.source);
  const worker = await start();
  engine.send = worker?.send ?? ((name, args) => new Promise((done) => setTimeout(done)).then(() => answer(name, args)));
  const again = worker && navigator.hardwareConcurrency > 1 && buffer.slice();
  const kernels = wasm ?? supplies.wasm;
  engine.kernels = await engine.send("load", [buffer, kernels], [buffer]);
  if (worker) engine.workers = [worker];
  if (again) {
    engine.addWorker = async () => {
      const second = await start();
      await second.send("load", [again, kernels], [again]);
      engine.workers.push(second);
      engine.idle.push(second.send);
      engine.next();
    };
  }
  if (!worker) engine.notes.push(NO_WORKER);
  if (engine.kernels !== "WebAssembly") engine.notes.push(NO_WASM);
  return engine;
}

// answer(name, args): what the flow's method of this name gives; first of all `load`.
function makeAnswer() {
  let flow;
  return async (name, args) => {
    if (name !== "load") return flow[name](...args);
    flow = await load(...args);
    return flow.work.name;
  };
}

// In the worker: answers what it is asked.
export function serve(scope) {
  const answer = makeAnswer();
  scope.onmessage = ({ data: { name, args } }) =>
    answer(name, args).then(
      (value) => scope.postMessage({ value }),
      (error) => scope.postMessage({ error: error.message }),
    );
  scope.postMessage("here");
}

// {send(name, args, transfer), terminate()} of a worker; null where none may be started.
async function startWorker(source) {
  const address = URL.createObjectURL(new Blob([`(${source})().serve(self)`], { type: "text/javascript" }));
  let worker;
  const hear = () =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.value));
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message || "the worker ended"));
      };
    });
  try {
    worker = new Worker(address);
    await hear();
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(address);
  }
  const send = (name, args, transfer = []) => {
    const heard = hear();
    worker.postMessage({ name, args }, transfer);
    return heard;
  };
  return { send, terminate: () => worker.terminate() };
}

// A model's file: fetch it, and read what `glowlite export-web` wrote. Its layout is that of safetensors: the length of
// the head, 8 bytes; the head, JSON; the tensors. The head's metadata hold the configuration, directions and credit.

import { Glow, workSize } from "./glow.js";
import { compile, plain } from "./kernels.js";

export class GlowError extends Error {}

// The file at an address, as bytes; progress(bytes, of) along the way, where `of` is 0 if the server does not say. From
// a disk pages may read scripts alone: there the address is that of NAME.bin, and NAME.bin.js beside it is read.
export async function fetchWeights(address, progress = () => {}) {
  if (new URL(address, document.baseURI).protocol === "file:") return readScript(address);
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) throw new GlowError(`The model ${address} cannot be fetched. Reload the page to try again.`);
  const of = Number(response.headers.get("Content-Encoding") ? 0 : response.headers.get("Content-Length"));
  const parts = [];
  let size = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
    progress(size, of);
  }
  return new Blob(parts).arrayBuffer();
}

async function readScript(address) {
  const script = Object.assign(document.createElement("script"), { src: `${address}.js` });
  const read = new Promise((resolve) => {
    globalThis.glowWeights = resolve; // the script calls it
    script.onerror = () => resolve("");
  });
  document.head.append(script);
  const bytes = readBase64(await read);
  script.remove();
  if (!bytes.length) throw new GlowError(`The model ${address}.js cannot be read. Is it beside the page?`);
  return bytes.buffer;
}

export function readBase64(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

// What a file says of its model: {config, latent_shapes, directions, credit, ...}, and where its tensors are.
export function readHead(buffer) {
  try {
    const length = Number(new DataView(buffer).getBigUint64(0, true));
    const text = new TextDecoder().decode(new Uint8Array(buffer, 8, length));
    const { __metadata__: metadata, ...tensors } = JSON.parse(text);
    const end = Math.max(...Object.values(tensors).map((tensor) => tensor.data_offsets[1]));
    if (8 + length + end !== buffer.byteLength) throw new RangeError("it is cut off");
    return { ...JSON.parse(metadata.glow), tensors, start: 8 + length };
  } catch (error) {
    throw new GlowError("The model's file is damaged. Reload the page to fetch it again.", { cause: error });
  }
}

// A tensor's values as floats, written to an array of alloc(count).
function readTensor(buffer, { tensors, start }, name, alloc) {
  const { dtype, shape, data_offsets: offsets } = tensors[name];
  const count = shape.reduce((a, b) => a * b, 1);
  const values = alloc(count);
  if (dtype === "F32") values.set(new Float32Array(buffer, start + offsets[0], count));
  else halfToFloat(new Uint16Array(buffer, start + offsets[0], count), values);
  return { values, shape };
}

// float16 -> float32: sign, exponent and digits go to their places; the exponents' zero differs by 112.
function halfToFloat(halves, floats) {
  const bits = new Int32Array(floats.buffer, floats.byteOffset, floats.length);
  for (let i = 0; i < halves.length; i++) {
    bits[i] = ((halves[i] & 0x8000) << 16) | ((halves[i] & 0x7fff) << 13);
    floats[i] *= 2 ** 112;
  }
}

// The model's own directions, by name: latents of one picture each.
export function readDirections(buffer) {
  const head = readHead(buffer);
  const alloc = (count) => new Float32Array(count);
  const read = (name) =>
    head.latent_shapes.map((_, level) => readTensor(buffer, head, `directions.${name}.${level}`, alloc).values);
  return Object.fromEntries(head.directions.map(({ name }) => [name, read(name)]));
}

// A file's bytes -> Glow. By kernels.wasm, whose bytes are given; else, or where a page's policy forbids that, in plain
// JavaScript.
export async function load(buffer, wasm = null) {
  const head = readHead(buffer);
  const names = Object.keys(head.tensors).filter((name) => name.startsWith("levels."));
  const sizes = names.map((name) => head.tensors[name].shape.reduce((a, b) => a * b, 1) + 4);
  // beside the tensors: W's inverse, as many again as there are in W, and what is worked on
  const inverses = names.map((name, i) => (name.includes(".mixing.") ? sizes[i] : 0));
  const floats = [...sizes, ...inverses].reduce((a, b) => a + b) + 5 * (workSize(head.config) + 4);
  const kernels = (wasm && (await compile(wasm, floats).catch(() => null))) || plain;
  return new Glow(head.config, (name) => readTensor(buffer, head, name, kernels.alloc), kernels);
}

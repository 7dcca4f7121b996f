// A model's file: fetch it, and read what `glowlite export-web` wrote. Its layout is that of safetensors: the length of
// the head, 8 bytes; the head, JSON; the tensors. The head's metadata hold the configuration, directions and credit.

import { Glow, workSize } from "./glow.js";
import { compile, plain } from "./kernels.js";

export class GlowError extends Error {}

// The file at an address, as bytes; progress(bytes, of) along the way, where `of` is 0 until the head has come: what a
// server says of a length may be that of packed bytes. From a disk pages may read scripts alone: there the address is
// that of NAME.bin, and NAME.bin.js beside it is read.
export async function fetchFile(address, progress = () => {}) {
  if (new URL(address, document.baseURI).protocol === "file:") return readScript(address);
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) throw new GlowError(`The model ${address} cannot be fetched. Reload the page to try again.`);
  const parts = [];
  let [size, of] = [0, 0];
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
    of ||= await findSize(parts);
    progress(size, of);
  }
  return new Blob(parts).arrayBuffer();
}

// The size of the file that begins with these parts; 0 as long as its head is not whole.
async function findSize(parts) {
  try {
    return parseHead(await new Blob(parts).arrayBuffer()).size;
  } catch {
    return 0;
  }
}

async function readScript(address) {
  const script = Object.assign(document.createElement("script"), { src: `${address}.js` });
  const read = new Promise((resolve) => {
    Object.assign(script, { take: resolve, onerror: () => resolve("") });
    globalThis.glowFile = (text) => document.currentScript.take(text); // each such script calls it
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
    const head = parseHead(buffer);
    if (head.size !== buffer.byteLength) throw new RangeError("it is cut off");
    return head;
  } catch (error) {
    throw new GlowError("The model's file is damaged. Reload the page to fetch it again.", { cause: error });
  }
}

// The head of a file that may not be whole yet; `size` is that of the whole file.
function parseHead(buffer) {
  const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
  const text = new TextDecoder().decode(new Uint8Array(buffer, 8, start - 8));
  const { __metadata__: metadata, ...stored } = JSON.parse(text);
  const ends = Object.values(stored).map((tensor) => tensor.data_offsets[1]);
  const tensors = Object.entries(stored).map(([name, tensor]) => {
    if (!name.endsWith(".halves")) return [name, tensor];
    return [name.replace(/\.halves$/, ""), { ...tensor, dtype: "F16", shape: tensor.shape.slice(1) }];
  });
  return { ...JSON.parse(metadata.glow), tensors: Object.fromEntries(tensors), start, size: start + Math.max(0, ...ends) };
}

const KINDS = { F32: Float32Array, U8: Uint8Array, I8: Int8Array };

// A tensor's values, written to an array of alloc(count): of floats, or of its own kind.
function readTensor(buffer, { tensors, start }, name, alloc) {
  const { dtype, shape, data_offsets: offsets } = tensors[name];
  const count = shape.reduce((a, b) => a * b, 1);
  const values = alloc(count);
  if (dtype === "F16") halfToFloat(new Uint8Array(buffer, start + offsets[0], 2 * count), values);
  else values.set(new KINDS[dtype](buffer, start + offsets[0], count));
  return { values, shape };
}

// float16, all low bytes, then all high ones -> float32: sign, exponent and digits go to their places; the exponents' zero
// differs by 112.
function halfToFloat(bytes, floats) {
  const count = floats.length;
  const bits = new Int32Array(floats.buffer, floats.byteOffset, count);
  for (let i = 0; i < count; i++) {
    const half = bytes[i] | (bytes[count + i] << 8);
    bits[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
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

// What was measured of the model and is no part of it, by name: {values, shape}; bytes stay bytes, all else is floats.
export function readMeasured(buffer) {
  const head = readHead(buffer);
  const names = Object.keys(head.tensors).filter((name) => name.startsWith("measured."));
  const read = (name) => {
    const Kind = { U8: Uint8Array, I8: Int8Array }[head.tensors[name].dtype] ?? Float32Array;
    return readTensor(buffer, head, name, (count) => new Kind(count));
  };
  return Object.fromEntries(names.map((name) => [name.replace("measured.", ""), read(name)]));
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

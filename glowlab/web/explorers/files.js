// A person's picture: a file's bytes -> an upright bitmap -> the pixels of a model, cut out at the middle or aligned by
// the eyes, as glowlite/data/align.py does.

import { GlowError } from "../js/checkpoint.js";
import { make } from "./controls.js";
import { readSize } from "./headers.js";

const SMALLEST = 16; // pixels of a side; of less, most would be invented
const MOST_PIXELS = 100; // millions
const SAMPLES = 4; // in each direction of a pixel of the crop
const WITHIN = Array.from({ length: SAMPLES }, (_, i) => (i + 0.5) / SAMPLES); // where they lie in it
const NEAREST = 2; // pixels between two eyes
const EMPTY = "The picture is empty (0 bytes): choose another file.";
const HEIC = "The picture is a HEIC picture, which this browser cannot read: export it as JPEG or PNG first.";
const NO_PICTURE = "The file is not a picture that can be read, or it is damaged: choose a JPEG, PNG or WebP.";

// ImageBitmap, turned as the camera was held, its colours those of the screen.
export async function readPicture(bytes) {
  if (!bytes.length) throw new GlowError(EMPTY);
  const [across, down] = readSize(bytes);
  const millions = Math.ceil((across * down) / 1e6);
  if (millions > MOST_PIXELS) {
    const most = `at most ${MOST_PIXELS} million are read`;
    throw new GlowError(`The picture has ${millions} million pixels, and ${most}: shrink it first.`);
  }
  const options = { imageOrientation: "from-image", colorSpaceConversion: "default" };
  const picture = await createImageBitmap(new Blob([bytes]), options).catch(() => null);
  if (!picture) throw new GlowError(isHeic(bytes) ? HEIC : NO_PICTURE);
  const { width, height } = picture;
  if (Math.min(width, height) >= SMALLEST) return picture;
  const least = `${SMALLEST} x ${SMALLEST}`;
  throw new GlowError(`The picture is ${width} x ${height} pixels: choose one of at least ${least}.`);
}

const isHeic = (bytes) => /^ftyp(hei|hev|mif1|msf1)/.test(String.fromCharCode(...bytes.subarray(4, 12)));

// The largest square at the middle of a picture of this size: {left, top, side}
export function findSquare({ width, height }) {
  const side = Math.min(width, height);
  return { left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), side };
}

// That square, resampled, on white: ImageData.
export async function cutSquare(picture, size) {
  const { left, top, side } = findSquare(picture);
  const options = { resizeWidth: size, resizeHeight: size, resizeQuality: "high" };
  const square = await createImageBitmap(picture, left, top, side, side, options);
  const image = cut(square, 0, 0, size, size);
  square.close();
  return image;
}

// A canvas with a part of a picture, on white.
function paintPart(picture, left, top, width, height, scale = 1) {
  const canvas = make("canvas", { width, height });
  const pen = canvas.getContext("2d", { colorSpace: "srgb", willReadFrequently: true });
  pen.fillStyle = "white";
  pen.fillRect(0, 0, width, height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, -left, -top, picture.width * scale, picture.height * scale);
  return canvas;
}

function cut(picture, left, top, width, height) {
  return paintPart(picture, left, top, width, height).getContext("2d").getImageData(0, 0, width, height);
}

// A canvas with the whole picture, its longer side at most so many pixels.
export function toCanvas(picture, most) {
  const scale = Math.min(1, most / Math.max(picture.width, picture.height));
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
  return paintPart(picture, 0, 0, width, height, scale);
}

// Turn, scale and cut a picture so that the eyes, points [x, y] of it, lie at their places in the crop, shares of its
// side: ImageData. Each pixel is the mean over its area; beyond the picture's edges the edge goes on.
export function alignFace(picture, eyes, places, size) {
  const toPicture = findMap(eyes, places, size);
  // First the picture's own pixels are averaged until samples are at most one apart, so that none is left out.
  const step = Math.max(1, Math.ceil(toPicture.scale / SAMPLES));
  const corners = listCorners(size, 0.5 / SAMPLES).map(toPicture.map);
  const [left, right] = findRange(corners.map(([x]) => x), step, picture.width);
  const [top, bottom] = findRange(corners.map(([, y]) => y), step, picture.height);
  const part = shrink(cut(picture, left, top, right - left, bottom - top), step);
  const image = new ImageData(size, size);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const sum = [0, 0, 0];
      for (const across of WITHIN)
        for (const down of WITHIN) {
          const at = toPicture.map([x + across, y + down]);
          addSample(sum, part, (at[0] - left) / step - 0.5, (at[1] - top) / step - 0.5);
        }
      for (let c = 0; c < 3; c++) image.data[4 * (y * size + x) + c] = Math.round(sum[c] / SAMPLES ** 2);
      image.data[4 * (y * size + x) + 3] = 255;
    }
  return image;
}

// What a crop by these eyes is worth: {isPossible, outside, enlarged}, the share of it beyond the picture's edges, and
// how many times the face was enlarged.
export function judgeCrop({ width, height }, eyes, places, size) {
  const apart = Math.hypot(eyes[1][0] - eyes[0][0], eyes[1][1] - eyes[0][1]);
  if (apart < NEAREST) return { isPossible: false };
  const { map, scale } = findMap(eyes, places, size);
  let outside = 0;
  for (let n = 0; n < size * size; n++) {
    const [x, y] = map([(n % size) + 0.5, Math.floor(n / size) + 0.5]);
    if (x < 0 || x > width || y < 0 || y > height) outside++;
  }
  return { isPossible: true, outside: outside / size ** 2, enlarged: 1 / scale };
}

// The similarity that takes a point of the crop, in its pixels, to the picture; the eye at the left is the left one.
function findMap(eyes, places, size) {
  const [left, right] = [...eyes].sort((a, b) => a[0] - b[0]);
  const [from, to] = places.map((place) => place.map((share) => share * size));
  const [x, y, u, v] = [right[0] - left[0], right[1] - left[1], to[0] - from[0], to[1] - from[1]];
  const square = u * u + v * v;
  const [a, b] = [(x * u + y * v) / square, (y * u - x * v) / square]; // a + b i: how far it is scaled and turned
  const map = ([p, q]) => [
    left[0] + a * (p - from[0]) - b * (q - from[1]),
    left[1] + b * (p - from[0]) + a * (q - from[1]),
  ];
  return { map, scale: Math.hypot(a, b) };
}

// The corners of a square of this size, moved inwards.
function listCorners(size, inwards) {
  const ends = [inwards, size - inwards];
  return ends.flatMap((x) => ends.map((y) => [x, y]));
}

// First and last + 1 of the rows or columns that the samples need; one at least, if all lie beyond the edge.
function findRange(places, margin, end) {
  const first = Math.min(Math.max(Math.trunc(Math.min(...places)) - 2 * margin, 0), end - 1);
  return [first, Math.max(Math.min(Math.trunc(Math.max(...places)) + 2 * margin, end), first + 1)];
}

// Means over blocks of step x step pixels; those at the end may be smaller: {colours, width, height}
function shrink({ data, width, height }, step) {
  const [columns, rows] = [Math.ceil(width / step), Math.ceil(height / step)];
  const colours = new Float32Array(3 * columns * rows);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const block = 3 * (Math.floor(y / step) * columns + Math.floor(x / step));
      for (let c = 0; c < 3; c++) colours[block + c] += data[4 * (y * width + x) + c];
    }
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const count = Math.min(step, height - step * y) * Math.min(step, width - step * x);
      for (let c = 0; c < 3; c++) colours[3 * (y * columns + x) + c] /= count;
    }
  return { colours, width: columns, height: rows };
}

// Add the colours at a point between four pixels.
function addSample(sum, { colours, width, height }, x, y) {
  const [across, down] = [Math.min(Math.max(x, 0), width - 1), Math.min(Math.max(y, 0), height - 1)];
  const [left, top] = [Math.floor(across), Math.floor(down)];
  const [right, bottom] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)];
  const [u, v] = [across - left, down - top];
  for (let c = 0; c < 3; c++) {
    const at = (row, column) => colours[3 * (row * width + column) + c];
    const [above, below] = [top, bottom].map((row) => (1 - u) * at(row, left) + u * at(row, right));
    sum[c] += (1 - v) * above + v * below;
  }
}

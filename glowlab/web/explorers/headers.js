// The size of a picture as its file's header tells it, before anything is decoded: a small file may hold a picture that
// takes all memory.

const tellsSize = (kind) => kind >= 0xc0 && kind <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(kind); // segments of a JPEG

// [width, height]; [0, 0] for files of other kinds, and for damaged ones.
export function readSize(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = String.fromCharCode(...bytes.subarray(0, 16));
  try {
    if (text.startsWith("\x89PNG")) return [view.getUint32(16), view.getUint32(20)];
    if (text.startsWith("GIF8")) return [view.getUint16(6, true), view.getUint16(8, true)];
    if (text.startsWith("RIFF")) return readWebP(view, text.slice(12));
    if (text.startsWith("\xff\xd8")) return readJpeg(view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // its end is missing
  }
  return [0, 0];
}

function readWebP(view, kind) {
  const three = (at) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  if (kind === "VP8X") return [three(24) + 1, three(27) + 1];
  if (kind === "VP8 ") return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
  const packed = view.getUint32(21, true);
  return [(packed & 0x3fff) + 1, ((packed >> 14) & 0x3fff) + 1];
}

function readJpeg(view) {
  let at = 2;
  while (!tellsSize(view.getUint8(at + 1))) at += 2 + view.getUint16(at + 2);
  return [view.getUint16(at + 7), view.getUint16(at + 5)];
}

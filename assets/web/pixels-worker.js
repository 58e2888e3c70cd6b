// Receives pictures, decodes them and draws each one at once. Nothing queues here: the server keeps only
// a few pictures under way, and waits for their acknowledgements.
import { codecOf, describe, parameterSets, parsePicture } from './avc.js';

/** Pause before the pixel socket is opened again, in milliseconds. */
const REOPEN_MS = 1000;
/** At most one keyframe is asked for in this time. */
const KEYFRAME_MS = 1000;
/** Decoder faults within this time that are answered with another attempt before the page is told to give up. */
const FAULTS = { most: 3, within: 10_000 };
/** Any steady step will do: the decoder needs increasing times, and pictures are found again by them. */
const TICK_MICROS = 1000;

let surface = null;
let context = null;
let socket = null;
let reopen = 0;
let acknowledge = false;
let decoder = null;
let description = null;
let announced = null;
let ticks = 0;
let askedAt = -Infinity;
let faults = [];
const underWay = new Map();

const orders = {
  surface(order) {
    surface = order.surface;
    context = surface.getContext('2d', { alpha: false });
  },
  configure({ avcc }) {
    announced = avcc;
  },
  connect(order) {
    acknowledge = order.acknowledge;
    faults = [];
    open(order.url);
  },
  disconnect: close,
};
onmessage = ({ data }) => orders[data.kind]?.(data);

function open(url) {
  close();
  const opened = new WebSocket(url);
  socket = opened;
  opened.binaryType = 'arraybuffer';
  opened.onmessage = ({ data }) => {
    if (socket === opened && data instanceof ArrayBuffer) receive(data);
  };
  opened.onclose = () => {
    if (socket === opened) reopen = setTimeout(() => open(url), REOPEN_MS);
  };
}

function close() {
  clearTimeout(reopen);
  const closing = socket;
  socket = null;
  closing?.close();
  dropDecoder();
}

function dropDecoder() {
  if (decoder && decoder.state !== 'closed') decoder.close();
  decoder = description = null;
  underWay.clear();
}

function receive(buffer) {
  const picture = parsePicture(buffer);
  if (!picture) return;
  picture.bytes = buffer.byteLength;
  if (picture.keyframe) configure(picture);
  if (!decoder) {
    // Nothing can be made of it: the server may send the next one, and that should be a keyframe.
    taken(picture);
    needKeyframe();
    return;
  }
  const timestamp = ++ticks * TICK_MICROS;
  underWay.set(timestamp, picture);
  try {
    decoder.decode(new EncodedVideoChunk({
      type: picture.keyframe ? 'key' : 'delta', timestamp, data: picture.data,
    }));
  } catch (error) {
    fail(error);
  }
}

/**
 * Sees to it that the decoder fits a keyframe. Its own parameter sets count: notify.stream comes over another
 * socket and may be earlier or later; its record is used where it tells of the same ones.
 */
function configure(picture) {
  const own = parameterSets(picture.data);
  const wanted = own ? describe(own, announced) : announced;
  if (!wanted) return;
  if (decoder && sameBytes(wanted, description)) return;
  dropDecoder();
  const fresh = new VideoDecoder({
    output: show,
    error: (error) => { if (decoder === fresh) fail(error); },
  });
  decoder = fresh;
  description = wanted;
  fresh.configure({ codec: codecOf(wanted), description: wanted, optimizeForLatency: true });
}

function show(frame) {
  const picture = underWay.get(frame.timestamp);
  underWay.delete(frame.timestamp);
  const { displayWidth: width, displayHeight: height } = frame;
  if (surface.width !== width || surface.height !== height) {
    surface.width = width;
    surface.height = height;
  }
  context.drawImage(frame, 0, 0, width, height);
  frame.close();
  if (!picture) return;
  taken(picture);
  postMessage({
    kind: 'shown', width, height, bytes: picture.bytes, codec: codecOf(description),
    revision: picture.extension.revision, intents: picture.extension.intents ?? [],
    at: performance.timeOrigin + performance.now(),
  });
}

function taken({ seq }) {
  if (!acknowledge || socket?.readyState !== WebSocket.OPEN) return;
  const answer = new DataView(new ArrayBuffer(4));
  answer.setUint32(0, seq);
  socket.send(answer);
}

function fail(error) {
  const codec = description ? codecOf(description) : undefined;
  const lost = [...underWay.values()];
  dropDecoder();
  lost.forEach(taken);
  const now = performance.now();
  faults = [...faults.filter((at) => now - at < FAULTS.within), now];
  const fatal = faults.length >= FAULTS.most;
  postMessage({ kind: 'fault', message: error.message, codec, fatal });
  if (fatal) close();
  else needKeyframe();
}

function needKeyframe() {
  const now = performance.now();
  if (now - askedAt < KEYFRAME_MS) return;
  askedAt = now;
  postMessage({ kind: 'needKeyframe' });
}

function sameBytes(a, b) {
  return b !== null && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

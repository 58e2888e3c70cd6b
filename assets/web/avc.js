// The bytes of a picture: header, extension, and as much of H.264 as a decoder must be told.

const HEADER = 24;
const H264 = 1;
const SPS = 7;
const PPS = 8;

/**
 * Takes a message of the pixel socket apart: u32 seq, f64 time, u32 width, u32 height, u8 codec, u8 flags,
 * u16 length of a JSON extension, the extension, the access unit. `null` where it is not one.
 */
export function parsePicture(buffer) {
  if (buffer.byteLength < HEADER) return null;
  const header = new DataView(buffer, 0, HEADER);
  const begin = HEADER + header.getUint16(22);
  if (header.getUint8(20) !== H264 || begin >= buffer.byteLength) return null;
  return {
    seq: header.getUint32(0),
    keyframe: (header.getUint8(21) & 1) === 1,
    extension: parseExtension(new Uint8Array(buffer, HEADER, begin - HEADER)),
    data: new Uint8Array(buffer, begin),
  };
}

function parseExtension(bytes) {
  if (bytes.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) ?? {};
  } catch {
    return {};
  }
}

/** The first SPS and PPS of an access unit with 4-byte lengths; `null` where one is missing. */
export function parameterSets(unit) {
  const view = new DataView(unit.buffer, unit.byteOffset, unit.byteLength);
  let sps = null;
  let pps = null;
  for (let at = 0; at + 4 < unit.length && !(sps && pps);) {
    const length = view.getUint32(at);
    const nal = unit.subarray(at + 4, at + 4 + length);
    const kind = nal[0] & 31;
    if (kind === SPS) sps ??= nal;
    if (kind === PPS) pps ??= nal;
    at += 4 + length;
  }
  return sps && pps ? { sps, pps } : null;
}

/** The AVCDecoderConfigurationRecord of these sets: the announced one where it holds the same, else made here. */
export function describe({ sps, pps }, announced) {
  const record = Uint8Array.of(
    1, sps[1], sps[2], sps[3], 0xff,
    0xe1, sps.length >> 8, sps.length & 255, ...sps,
    1, pps.length >> 8, pps.length & 255, ...pps,
  );
  // An announced record may go on behind the sets with what High profile adds.
  return announced && record.every((byte, i) => byte === announced[i]) ? announced : record;
}

/** The codec string of a record, for example avc1.42c01f. */
export function codecOf(record) {
  return `avc1.${[...record.subarray(1, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

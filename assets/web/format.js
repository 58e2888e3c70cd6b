// Numbers as people read them.

const UNITS = {
  angstrom: 'Å', nanometer: 'nm', micrometer: 'µm', micron: 'µm', millimeter: 'mm', centimeter: 'cm', meter: 'm',
  nanosecond: 'ns', microsecond: 'µs', millisecond: 'ms', second: 's', minute: 'min', hour: 'h', day: 'd',
};

/** The short sign of an NGFF unit; unknown units stand as they are. */
export const unitSign = (unit) => (unit ? UNITS[unit] ?? unit : '');

/** A number with about four figures and no noise behind the point. */
export function figure(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
  return String(Number(value.toFixed(digits)));
}

/** Where an index lies in the world, with its unit, one digit finer than the axis' own step. */
export function place(axis, index) {
  const digits = Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(Math.abs(axis.scale) || 1))));
  const value = axis.translation + index * axis.scale;
  return `${value.toFixed(digits)} ${unitSign(axis.unit)}`.trimEnd();
}

/** A magnification in three figures, which do not flicker in width. */
export const magnification = (zoom) => (zoom >= 100 ? String(Math.round(zoom)) : zoom >= 1e-3 ? zoom.toPrecision(3) : zoom.toExponential(2));

/** Bits per second. */
export function bitrate(bits) {
  return bits < 1e6 ? `${Math.round(bits / 1e3)} kb/s` : `${(bits / 1e6).toFixed(1)} Mb/s`;
}

/** A dtype as it is said: uint16 → u16; nothing where the server does not say. */
export const shortType = (dtype) => dtype?.replace(/^u?int|^float/, (word) => word[0]) ?? '';

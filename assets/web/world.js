// Geometry of a volume as the server has it. World x, y, z are the last three axes of the order, x the last of them.

/** The field of view whose height an orthographic camera shows at its distance, in degrees. */
const ORTHOGRAPHIC = 60;

const radians = (degrees) => (degrees * Math.PI) / 180;

export const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0);

/** A vector of length 1. */
export function unit(vector) {
  const length = Math.hypot(...vector) || 1;
  return vector.map((v) => v / length);
}

/** Numbers of the axes that are x, y and z of a volume; fewer than three where the image has no more. */
export const volumeAxes = (view) => view.order.slice(-3).reverse();

/** From where to where an axis reaches, voxel edges included. */
export function extent({ translation, scale, size }) {
  return [translation - scale / 2, translation + (size - 0.5) * scale].sort((a, b) => a - b);
}

/** Middle and half sizes of the volume. */
export function box(view) {
  const ends = volumeAxes(view).map((number) => extent(view.axes[number]));
  return { middle: ends.map(([a, b]) => (a + b) / 2), half: ends.map(([a, b]) => (b - a) / 2) };
}

/** What is right, down and into the picture for a turntable's azimuth, elevation and roll in degrees. */
export function basis(angles) {
  const [az, el, roll] = angles.map(radians);
  const level = [Math.cos(az), Math.sin(az), 0];
  const fall = [Math.sin(az) * Math.sin(el), -Math.cos(az) * Math.sin(el), -Math.cos(el)];
  const turned = (a, b) => level.map((v, i) => a * v + b * fall[i]);
  return {
    right: turned(Math.cos(roll), -Math.sin(roll)),
    down: turned(Math.sin(roll), Math.cos(roll)),
    forward: [-Math.sin(az) * Math.cos(el), Math.cos(az) * Math.cos(el), -Math.sin(el)],
  };
}

/** World units from top to bottom of the picture, at the point looked at. */
export const seenHeight = ({ distance, fov }) => 2 * distance * Math.tan(radians(fov || ORTHOGRAPHIC) / 2);

/** The distance at which another field of view shows as much. */
export const distanceFor = (height, fov) => height / (2 * Math.tan(radians(fov || ORTHOGRAPHIC) / 2));

/** How far from the middle of the volume a plane of this normal still meets it. */
export const reach = (normal, view) => dot(normal.map(Math.abs), box(view).half);

/** How far a point lies along a normal of length 1 from the middle of the volume. */
export const along = (point, normal, view) => dot(point.map((v, i) => v - box(view).middle[i]), normal);

/** The point on the normal through the middle of the volume that lies so far along it. */
export const pointAt = (far, normal, view) => box(view).middle.map((v, i) => v + far * normal[i]);

// Which way the axes of a volume point in the picture.
import { basis, dot, volumeAxes } from './world.js';

const SVG = 'http://www.w3.org/2000/svg';
/** Length of an arrow that lies in the picture, and of its label's distance, in the drawing's units. */
const ARROW = 22;
const LABEL = 29;

export class Orientation {
  #place;
  #shown = '';

  constructor(where, store) {
    this.#place = where;
    store.on('view', (view) => this.#render(view));
  }

  #render(view) {
    this.#place.toggleAttribute('hidden', view.ndisplay !== 3);
    if (view.ndisplay !== 3) return;
    const { angles } = view.camera.volume;
    const labels = volumeAxes(view).map((number) => view.axes[number].label);
    const shown = JSON.stringify([angles, labels]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const [azimuth, elevation, roll] = angles.map((angle) => Math.round(angle));
    this.#place.setAttribute('aria-label', `Orientation: azimuth ${azimuth}°, elevation ${elevation}°, roll ${roll}°`);
    this.#place.replaceChildren(...arrows(angles, labels));
  }
}

/** Far ones first, and fainter. */
function arrows(angles, labels) {
  const { right, down, forward } = basis(angles);
  const axes = labels.map((label, i) => {
    const axis = [0, 1, 2].map((j) => Number(i === j));
    return { label, x: dot(axis, right), y: dot(axis, down), depth: dot(axis, forward) };
  });
  return axes.sort((a, b) => b.depth - a.depth).map(({ label, x, y, depth }) => {
    const group = make('g', { opacity: (0.8 - 0.35 * depth).toFixed(2) });
    const text = make('text', { x: x * LABEL, y: y * LABEL });
    text.textContent = label;
    group.append(make('line', { x2: x * ARROW, y2: y * ARROW }), make('circle', { cx: x * ARROW, cy: y * ARROW, r: 1.5 }), text);
    return group;
  });
}

function make(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

// Hands on the picture: wheel, pointer, touch and keys become camera and axis intents.

import { types } from './dom.js';

/** Keys that a slider under the hand takes for itself. */
const SLIDER_KEYS = new Set(['Home', 'ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']);
/** One notch of a wheel. */
const NOTCH = 1.1;
/** CSS pixels that count as one notch: a wheel's click, a trackpad's glide. */
const WHEEL_PIXELS = 100;
const GLIDE_PIXELS = 30;
const LINES = 3;
/** Degrees that a volume turns for a pixel of the hand, and for an arrow key. */
const TURN = 0.2;
const TURN_KEY = 5;
/** Where the hand of each arrow key goes, right and down. */
const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** Logarithm of the zoom per pixel of a pinch, which browsers report as a wheel with ctrl. */
const PINCH = 0.01;

export class ViewInput {
  #canvas;
  #with;
  #pointers = new Map();
  #glide = 0;

  constructor(canvas, parts) {
    this.#canvas = canvas;
    this.#with = parts;
    canvas.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener('pointerdown', (event) => this.#down(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, (event) => this.#up(event));
    // The middle button pans; browsers would scroll with it.
    canvas.addEventListener('mousedown', (event) => { if (event.button === 1) event.preventDefault(); });
    canvas.addEventListener('dblclick', () => this.#with.updates.reset());
    addEventListener('keydown', (event) => this.#key(event));
  }

  /** Device pixels of the picture per CSS pixel of the canvas: the canvas may be stretched for a moment. */
  #scale() {
    const box = this.#canvas.getBoundingClientRect();
    const [width, height] = this.#with.store.view.canvas;
    return { box, x: width / box.width, y: height / box.height };
  }

  /** Zooms and keeps what lies under a point of the page in its place. */
  #zoom(factor, clientX, clientY) {
    const { box, x, y } = this.#scale();
    this.#with.updates.zoom(factor, [(clientX - box.left) * x, (box.bottom - clientY) * y]);
  }

  #pan(dx, dy) {
    const { x, y } = this.#scale();
    if (dx !== 0 || dy !== 0) this.#with.updates.pan(dx * x, dy * y);
  }

  get #inVolume() {
    return this.#with.store.view?.ndisplay === 3;
  }

  /** What is in front follows the hand: the camera goes the other way. */
  #turn(dx, dy, degrees) {
    if (dx !== 0 || dy !== 0) this.#with.updates.orbit(-dx * degrees, dy * degrees);
  }

  #wheel(event) {
    event.preventDefault();
    if (!this.#with.store.view) return;
    if (event.ctrlKey && event.deltaMode === WheelEvent.DOM_DELTA_PIXEL && Math.abs(event.deltaY) < WHEEL_PIXELS / 2) {
      this.#zoom(Math.exp(event.deltaY * PINCH), event.clientX, event.clientY);
      return;
    }
    const up = notches(event);
    if (event.shiftKey) this.#stepBy(up);
    else if (up !== 0) this.#zoom(NOTCH ** -up, event.clientX, event.clientY);
  }

  /** Steps by whole notches; what glides less is kept. */
  #stepBy(up) {
    this.#glide += up;
    const whole = Math.trunc(this.#glide);
    this.#glide -= whole;
    if (whole !== 0) this.#with.axes.step(whole);
  }

  #down(event) {
    if (event.button > 1) return;
    const turns = event.button === 0 && !event.shiftKey;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, { at: [event.clientX, event.clientY], turns });
    this.#canvas.classList.add('dragged');
  }

  #move(event) {
    const pointer = this.#pointers.get(event.pointerId);
    if (!pointer || !this.#with.store.view) return;
    const before = pointer.at;
    const now = [event.clientX, event.clientY];
    pointer.at = now;
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1].at;
    if (!other) {
      const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
      if (this.#inVolume && pointer.turns) this.#turn(dx, dy, TURN);
      else this.#pan(dx, dy);
      return;
    }
    // Two fingers: their middle pans, their distance zooms about it.
    this.#pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    const factor = distance(before, other) / distance(now, other);
    if (Number.isFinite(factor) && factor > 0 && factor !== 1) {
      this.#zoom(factor, (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    }
  }

  #up(event) {
    this.#pointers.delete(event.pointerId);
    if (this.#pointers.size === 0) this.#canvas.classList.remove('dragged');
  }

  #key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !this.#with.store.view) return;
    if (types(event.target) || (event.target.type === 'range' && SLIDER_KEYS.has(event.key))) return;
    const { updates, axes, layers } = this.#with;
    const arrow = event.shiftKey && this.#inVolume && ARROWS[event.key];
    if (arrow) this.#turn(...arrow, TURN_KEY);
    else if (event.key === 'Home') updates.reset();
    else if (event.key === 'ArrowRight') axes.step(1);
    else if (event.key === 'ArrowLeft') axes.step(-1);
    else if (event.key === ' ' && !event.target.closest('button')) axes.togglePlay();
    else if (/^[1-9]$/.test(event.key)) layers.toggle(Number(event.key) - 1);
    else return;
    event.preventDefault();
  }
}

const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** How far a wheel was turned away from the hand. Shift turns the wheel sideways in some browsers. */
function notches(event) {
  const delta = event.deltaY || (event.shiftKey ? event.deltaX : 0);
  if (event.deltaMode === WheelEvent.DOM_DELTA_LINE) return -delta / LINES;
  if (event.deltaMode === WheelEvent.DOM_DELTA_PAGE) return -delta;
  return -delta / (Math.abs(delta) >= WHEEL_PIXELS / 2 ? WHEEL_PIXELS : GLIDE_PIXELS);
}

// Asks the server for pictures as large as the place they are shown in, pixel for pixel.

/** A window being dragged asks once it rests this long, in milliseconds. */
const REST_MS = 80;
/** What the server's encoders take. */
const MOST = [3840, 2160];

export class CanvasSize {
  #canvas;
  #ask;
  #timer = 0;
  #size = null;
  #told = null;

  /** `ask([width, height])` sends the wish, in device pixels. */
  constructor(place, canvas, ask) {
    this.#canvas = canvas;
    this.#ask = ask;
    const observer = new ResizeObserver((entries) => this.#measured(entries.at(-1)));
    try {
      observer.observe(place, { box: 'device-pixel-content-box' });
    } catch {
      observer.observe(place);
    }
  }

  /** Says the size to a server that has not heard it. */
  tell() {
    this.#told = null;
    this.#say();
  }

  #say() {
    clearTimeout(this.#timer);
    if (!this.#size || (this.#told && this.#size.every((side, i) => side === this.#told[i]))) return;
    this.#told = this.#size;
    this.#ask(this.#size);
  }

  #measured(entry) {
    const ratio = devicePixelRatio;
    const exact = entry.devicePixelContentBoxSize?.[0];
    const place = exact
      ? [exact.inlineSize, exact.blockSize]
      : [Math.round(entry.contentRect.width * ratio), Math.round(entry.contentRect.height * ratio)];
    if (place[0] < 1 || place[1] < 1) return;
    // Pictures have even sides. An odd place stays dark on its last pixel rather than blurring all the others.
    const shown = place.map((side) => Math.max(2, side & ~1));
    const [width, height] = shown.map((side) => `${side / ratio}px`);
    Object.assign(this.#canvas.style, { width, height });
    const shrink = Math.min(1, MOST[0] / shown[0], MOST[1] / shown[1]);
    this.#size = shown.map((side) => Math.max(16, Math.floor(side * shrink) & ~1));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#say(), REST_MS);
  }
}

// What hands do between two animation frames, made one message each.

/** Hidden pages get no animation frames; what was asked for still leaves within this time. */
const HIDDEN_MS = 100;

export class Updates {
  #connection;
  #properties = new Map();
  #camera = [];
  #scheduled = false;

  /**
   * Hears the error of every refused intent.
   * @type {(error: { code: string, message: string }) => void}
   */
  rejected = () => {};

  constructor(connection) {
    this.#connection = connection;
  }

  /** Sets a property; within a frame the last value wins. Resolves with the acknowledgement. */
  set(scope, target, key, value) {
    return this.#property(scope, target, key, () => value);
  }

  /** Moves along an axis by steps of the level that is shown; within a frame steps add up. */
  step(axis, delta) {
    return this.#property('dims', axis, 'step', (before) => (before ?? 0) + delta);
  }

  /** Enlarges what is seen by `factor`; factors multiply while the anchor stays. Anchor from the bottom left. */
  zoom(factor, anchor_px) {
    const last = this.#camera.at(-1);
    if (last?.key === 'zoom' && last.value.anchor_px.every((a, i) => a === anchor_px[i])) last.value.factor *= factor;
    else this.#camera.push({ key: 'zoom', value: { factor, anchor_px } });
    this.#schedule();
  }

  /** Moves the content by device pixels, y down. */
  pan(dx_px, dy_px) {
    const last = this.#camera.at(-1);
    if (last?.key === 'pan') {
      last.value.dx_px += dx_px;
      last.value.dy_px += dy_px;
    } else {
      this.#camera.push({ key: 'pan', value: { dx_px, dy_px } });
    }
    this.#schedule();
  }

  /** Turns a volume by degrees. */
  orbit(d_az_deg, d_el_deg) {
    const last = this.#camera.at(-1);
    if (last?.key === 'orbit') {
      last.value.d_az_deg += d_az_deg;
      last.value.d_el_deg += d_el_deg;
    } else {
      this.#camera.push({ key: 'orbit', value: { d_az_deg, d_el_deg } });
    }
    this.#schedule();
  }

  /** Fits the image to the canvas; what was asked of the camera before in this frame no longer matters. */
  reset() {
    this.#camera = [{ key: 'reset', value: { reason: 'user' } }];
    this.#schedule();
  }

  #property(scope, target, key, next) {
    const id = `${scope}\n${target}\n${key}`;
    let entry = this.#properties.get(id);
    if (!entry) this.#properties.set(id, (entry = { scope, target, key, value: undefined, waiters: [] }));
    entry.value = next(entry.value);
    this.#schedule();
    return new Promise((resolve) => entry.waiters.push(resolve));
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    let timer = 0;
    const flush = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      this.#scheduled = false;
      this.#flush();
    };
    const frame = requestAnimationFrame(flush);
    timer = setTimeout(flush, HIDDEN_MS);
  }

  #flush() {
    const properties = [...this.#properties.values()];
    const camera = this.#camera;
    this.#properties.clear();
    this.#camera = [];
    for (const { scope, target, key, value, waiters } of properties) {
      this.#send(scope, target, key, value).then((ack) => waiters.forEach((resolve) => resolve(ack)));
    }
    for (const { key, value } of camera) this.#send('camera', 'main', key, value);
  }

  async #send(scope, target, key, value) {
    const ack = await this.#connection.update(scope, target, key, value);
    if (ack.status === 'rejected') this.rejected(ack.error);
    return ack;
  }
}

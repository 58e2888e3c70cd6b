// The line at the foot: what is shown and how fast it came. Nothing in it is estimated.
import { $ } from './dom.js';
import { bitrate, magnification } from './format.js';
import { seenHeight } from './world.js';

/** Over which rates are counted, in milliseconds. */
const WINDOW_MS = 2000;
/** How often the line is written anew. */
const WRITE_MS = 500;
/** Latencies that the median is taken of. */
const SAMPLES = 64;
/** How long a notice stands. */
const NOTICE_MS = 6000;

export class Status {
  #store;
  #pictures = [];
  #latencies = [];
  #codec = '';
  #timer = 0;
  #noticeTimer = 0;

  constructor(store) {
    this.#store = store;
    for (const topic of ['view', 'residency']) store.on(topic, () => this.#truth());
    store.on('scene', ({ metadata }) => {
      const warnings = metadata?.warnings ?? [];
      if (warnings.length > 0) this.notice(warnings.join(' · '));
      this.#rates();
    });
  }

  /** Counts a picture. `sentAt`: when the oldest intent it answers was sent. */
  shown({ at, bytes, codec }, sentAt) {
    this.#pictures.push({ at: performance.now(), bytes });
    this.#codec = codec;
    if (sentAt !== undefined) {
      this.#latencies.push(at - sentAt);
      if (this.#latencies.length > SAMPLES) this.#latencies.shift();
    }
    this.#timer ||= setInterval(() => this.#rates(), WRITE_MS);
  }

  /** One sentence, for a while. */
  notice(text) {
    clearTimeout(this.#noticeTimer);
    $('notice').textContent = $('notice').title = text;
    this.#noticeTimer = setTimeout(() => { $('notice').textContent = ''; }, NOTICE_MS);
  }

  /** The connection is gone: rates belong to it. */
  silent() {
    this.#pictures = [];
    this.#rates();
  }

  #truth() {
    const { view, residency } = this.#store;
    if (!view) return;
    const level = $('level');
    const { resident = 0, wanted = 0, missing = 0, waiting = false } = residency ?? {};
    const loading = waiting || resident < wanted;
    const last = view.levels.length - 1;
    // The parts of a volume are of several levels.
    const [finest, coarsest] = (view.ndisplay === 3 && residency?.levels) || [view.level, view.level];
    const words = [finest === coarsest ? `level ${finest} of ${last}` : `levels ${finest} to ${coarsest} of ${last}`];
    if (waiting) words.push('waiting for data');
    if (loading && wanted > 0) words.push(`loading ${resident}/${wanted} (${Math.floor((resident / wanted) * 100)} %)`);
    if (view.policy === 'locked') words.push('locked');
    if (view.downgraded) words.push('coarser to fit memory');
    level.textContent = words.join(' · ');
    level.classList.toggle('amber', loading || view.downgraded);
    $('missing').hidden = missing === 0;
    $('missing').textContent = `${missing} unreadable`;
    const scale = Math.abs(view.axes[view.displayed.at(-1)]?.scale ?? 1);
    const inVolume = view.ndisplay === 3;
    const zoom = inVolume ? view.canvas[1] / seenHeight(view.camera.volume) : view.camera.plane.zoom;
    $('zoom').textContent = `${magnification(zoom * scale)}×`;
    const where = inVolume ? ' at the point looked at' : '';
    $('zoom').title = `Screen pixels per data pixel${where}; picture ${view.canvas[0]} × ${view.canvas[1]}`;
  }

  #rates() {
    const now = performance.now();
    this.#pictures = this.#pictures.filter(({ at }) => now - at < WINDOW_MS);
    const seconds = WINDOW_MS / 1000;
    const bytes = this.#pictures.reduce((sum, picture) => sum + picture.bytes, 0);
    const moving = this.#pictures.length > 0;
    $('rate').textContent = !this.#store.view ? '' : moving ? `${Math.round(this.#pictures.length / seconds)} fps` : 'still';
    $('bitrate').textContent = moving ? bitrate((bytes * 8) / seconds) : '';
    const middle = median(this.#latencies);
    $('latency').textContent = middle === undefined ? '' : `${Math.round(middle)} ms`;
    $('encoder').textContent = this.#store.scene?.metadata?.encoder ?? this.#codec;
    $('encoder').title = this.#codec;
    if (!moving) {
      clearInterval(this.#timer);
      this.#timer = 0;
    }
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

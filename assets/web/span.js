// Two handles over a range, and the exact numbers beside them.
import { el } from './dom.js';
import { figure } from './format.js';
import { Held } from './held.js';

/** Positions of a slider over values that are not whole. */
const FINE = 1000;

export class Span {
  #held;
  #range = [0, 1];
  #whole = true;
  #limits = [0, 1];
  #sliders;
  #boxes;
  #send;

  /** `what` names the ends; `send([lo, hi])` returns the promise of an acknowledgement. */
  constructor(what, send) {
    this.#send = send;
    this.#held = new Held((limits) => this.#show(limits));
    const ends = ['lower', 'upper'];
    this.#sliders = ends.map((end, i) => el('input', {
      type: 'range', class: end, 'aria-label': `${what}, ${end} end`,
      oninput: () => this.#set(i, Number(this.#sliders[i].value)),
    }));
    this.#boxes = ends.map((end, i) => el('input', {
      type: 'number', class: end, step: 'any', 'aria-label': `${what}, ${end} end, exact`,
      onchange: () => { if (this.#boxes[i].value !== '') this.#set(i, Number(this.#boxes[i].value)); },
      onkeydown: (event) => { if (event.key === 'Enter') event.target.blur(); },
    }));
    [...this.#sliders, ...this.#boxes].forEach((input) => this.#held.watch(input));
    const track = el('div', { class: 'track' }, ...this.#sliders);
    track.addEventListener('dblclick', () => this.#sendLimits(this.#range));
    this.element = el('div', { class: 'span' }, this.#boxes[0], track, this.#boxes[1]);
    this.track = track;
  }

  render(limits, range, whole) {
    this.#whole = whole;
    this.#range = range;
    this.#held.truth = limits;
  }

  /** The smallest distance that the handles keep. */
  #gap() {
    return this.#whole ? 1 : (this.#range[1] - this.#range[0]) / FINE || Number.EPSILON;
  }

  #set(end, value) {
    const limits = [...this.#limits];
    const gap = this.#gap();
    limits[end] = end === 0 ? Math.min(value, limits[1] - gap) : Math.max(value, limits[0] + gap);
    this.#sendLimits(limits);
  }

  #sendLimits(limits) {
    this.#held.sent(limits, this.#send(limits));
  }

  #show(limits) {
    this.#limits = limits;
    // Limits may lie outside what the data was said to span; the slider then reaches that far.
    const low = Math.min(this.#range[0], limits[0]);
    const high = Math.max(this.#range[1], limits[1]);
    const span = high - low || 1;
    limits.forEach((limit, i) => {
      const [slider, box] = [this.#sliders[i], this.#boxes[i]];
      slider.min = low;
      slider.max = high;
      slider.step = this.#whole && span >= FINE / 10 ? 1 : span / FINE;
      slider.value = limit;
      slider.setAttribute('aria-valuetext', figure(limit));
      if (document.activeElement !== box) box.value = this.#whole ? Math.round(limit) : figure(limit);
    });
    // Where both handles meet at the upper end, the lower one is the one that can still be moved.
    this.#sliders[0].classList.toggle('above', limits[0] - low > span / 2);
    this.track.style.setProperty('--lower', (limits[0] - low) / span);
    this.track.style.setProperty('--upper', (limits[1] - low) / span);
  }
}

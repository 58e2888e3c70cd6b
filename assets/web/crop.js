// One axis of the crop box: a tick, and two handles in the units of the world.
import { el } from './dom.js';
import { unitSign } from './format.js';
import { Span } from './span.js';
import { extent } from './world.js';

export class Crop {
  #number;
  #axis;
  #updates;
  #range = null;
  #tick;
  #span;

  constructor(number, axis, updates) {
    this.#number = number;
    this.#axis = axis;
    this.#updates = updates;
    const name = `Crop along ${axis.label}`;
    this.#tick = el('input', {
      type: 'checkbox', 'aria-label': name,
      onchange: () => this.#send(this.#tick.checked ? extent(axis) : null),
    });
    const unit = unitSign(axis.unit);
    this.#span = new Span(unit ? `${name}, ${unit}` : name, (range) => this.#send(range));
    this.element = el('div', { class: 'crop' },
      el('label', {}, this.#tick, el('span', {}, axis.label)), this.#span.element);
  }

  /** Shows what the server says. */
  render(view) {
    const range = view.clip?.ranges[this.#number] ?? null;
    this.#range = range;
    this.#tick.checked = range !== null;
    this.#span.element.hidden = range === null;
    this.#span.render(range ?? extent(this.#axis), extent(this.#axis), false);
  }

  async #send(range) {
    const ack = await this.#updates.set('clip', this.#axis.label, 'range', range);
    if (ack.status !== 'accepted') this.#tick.checked = this.#range !== null;
    return { ...ack, applied_value: range };
  }
}

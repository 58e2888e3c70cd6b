// One row per axis that a plane does not display: play, slide, read. Where a volume displays it too, its row says so and
// keeps its place, so that the picture keeps its size.
import { el, icon } from './dom.js';
import { place } from './format.js';
import { Held } from './held.js';

/** Steps per second that can be chosen. */
const RATES = [1, 2, 5, 10, 15, 24, 30, 60];
const RATE = 10;

export class AxisRows {
  #place;
  #updates;
  #rows = [];
  #labels = '';

  constructor(where, store, updates) {
    this.#place = where;
    this.#updates = updates;
    store.on('view', (view) => this.#render(view));
  }

  /** Steps the first axis, in steps of the level that is shown. */
  step(delta) {
    this.#first?.step(delta);
  }

  togglePlay() {
    this.#first?.togglePlay();
  }

  get #first() {
    return this.#rows.find((row) => !row.isDisplayed);
  }

  stop() {
    this.#rows.forEach((row) => row.stop());
  }

  #render(view) {
    const numbers = view.order.slice(0, -2).filter((n) => view.axes[n].size > 1);
    const labels = JSON.stringify([view.dataset, numbers.map((n) => view.axes[n])]);
    if (labels !== this.#labels) {
      this.stop();
      this.#labels = labels;
      this.#rows = numbers.map((n) => new AxisRow(n, view.axes[n], this.#updates));
      this.#place.replaceChildren(...this.#rows.map((row) => row.element));
    }
    this.#rows.forEach((row) => row.render(view));
  }
}

class AxisRow {
  #number;
  #axis;
  #updates;
  #held;
  #stride = 1;
  #shown = 0;
  #playing = null;
  #play;
  #rate;
  #slider;
  #margin;
  #thickness;
  #parts;
  #whole;
  /** Whether the picture shows all of it. */
  isDisplayed = false;

  constructor(number, axis, updates) {
    this.#number = number;
    this.#axis = axis;
    this.#updates = updates;
    const name = axis.label;
    this.#play = el('button', { type: 'button', class: 'play', onclick: () => this.togglePlay() });
    this.#rate = el('select', { class: 'rate', 'aria-label': `Steps of ${name} per second`, title: 'Steps per second' },
      ...RATES.map((rate) => el('option', { value: rate, selected: rate === RATE }, `${rate}/s`)));
    this.#slider = el('input', {
      type: 'range', min: 0, max: axis.size - 1, step: 1, 'aria-label': `Index along ${name}`,
      oninput: () => this.#slide(Number(this.#slider.value)),
      onpointerdown: () => this.stop(),
    });
    this.#margin = el('input', {
      type: 'number', class: 'margin', min: 0, step: 1, title: 'Thickness: voxels before and after',
      'aria-label': `Thickness of the slice along ${name}, voxels before and after`,
      onchange: () => this.#thicken(Number(this.#margin.value)),
    });
    this.#thickness = new Held(([before, after]) => {
      if (document.activeElement !== this.#margin) this.#margin.value = Math.max(before, after);
    }).watch(this.#margin);
    const index = el('output', { class: 'index' });
    const world = el('output', { class: 'place' });
    this.#held = new Held((value) => {
      this.#shown = value;
      this.#slider.value = value;
      this.#slider.setAttribute('aria-valuetext', `${value}, ${place(axis, value)}`);
      this.#slider.style.setProperty('--at', value / (axis.size - 1));
      index.textContent = `${value} / ${axis.size - 1}`;
      world.textContent = place(axis, value);
    }).watch(this.#slider);
    this.#whole = el('span', { class: 'whole', hidden: true }, `displayed: ${place(axis, 0)} to ${place(axis, axis.size - 1)}`);
    this.#parts = [this.#play, this.#slider, index, world, el('span', {}, this.#margin, this.#rate)];
    this.element = el('div', { class: 'axis' }, el('span', { class: 'label' }, name), ...this.#parts, this.#whole);
    this.element.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    this.#showPlaying();
  }

  render(view) {
    this.isDisplayed = view.displayed.includes(this.#number);
    if (this.isDisplayed) this.stop();
    for (const part of this.#parts) part.hidden = this.isDisplayed;
    this.#whole.hidden = !this.isDisplayed;
    this.#stride = Math.max(1, Math.round(view.levels[view.level]?.downsample[this.#number] ?? 1));
    this.#held.truth = view.index[this.#number];
    // Thickness means something where a layer projects it.
    this.#margin.hidden = view.layers.every(({ controls }) => controls.projection === 'none');
    this.#thickness.truth = view.margins[this.#number];
  }

  step(delta) {
    this.stop();
    this.#updates.step(this.#axis.label, delta);
  }

  togglePlay() {
    if (this.#playing) this.stop();
    else this.#run();
  }

  stop() {
    this.#playing = null;
    this.#showPlaying();
  }

  /** Plays until stopped: the next step waits for its time and for the answer to the last one. */
  async #run() {
    const turn = {};
    this.#playing = turn;
    this.#showPlaying();
    while (this.#playing === turn) {
      const began = performance.now();
      if (!document.hidden) {
        const next = this.#shown + this.#stride;
        await this.#slide(next < this.#axis.size ? next : 0);
      }
      const rest = 1000 / Number(this.#rate.value) - (performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, rest)));
    }
  }

  #thicken(voxels) {
    if (!(voxels >= 0)) return;
    const margins = [voxels, voxels];
    this.#thickness.sent(margins, this.#updates.set('dims', this.#axis.label, 'margins', margins));
  }

  #slide(value) {
    return this.#held.sent(value, this.#updates.set('dims', this.#axis.label, 'scene_index', value));
  }

  #wheel(event) {
    event.preventDefault();
    if (event.deltaY !== 0) this.step(event.deltaY < 0 ? 1 : -1);
  }

  #showPlaying() {
    const doing = this.#playing ? 'pause' : 'play';
    const name = `${this.#playing ? 'Pause' : 'Play'} ${this.#axis.label}`;
    this.#play.replaceChildren(icon(doing));
    this.#play.setAttribute('aria-label', name);
    this.#play.title = name;
  }
}

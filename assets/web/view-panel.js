// What belongs to the view and to no layer: level, crop box, perspective.
import { Crop } from './crop.js';
import { Cuts } from './cuts.js';
import { el, labelled } from './dom.js';
import { slider } from './slider.js';
import { distanceFor, seenHeight, volumeAxes } from './world.js';

/** Fields of view that can be chosen, degrees. */
const FOV = { min: 5, max: 120, step: 1, usual: 60 };

export class ViewPanel {
  #store;
  #updates;
  #level;
  #levels = '';
  #refusal;
  #perspective;
  #fov;
  #crop;
  #cropped = '';
  #rows = [];
  #cuts;
  #ofVolume;

  constructor(where, store, updates) {
    this.#store = store;
    this.#updates = updates;
    this.#level = el('select', { 'aria-label': 'Level', onchange: () => this.#choose(this.#level.value) });
    this.#refusal = el('p', { class: 'refusal', role: 'alert', hidden: true });
    this.#perspective = el('input', {
      type: 'checkbox', 'aria-label': 'Perspective', onchange: () => this.#look(this.#perspective.checked ? FOV.usual : 0),
    });
    this.#fov = slider({ name: 'Field of view', ...FOV, text: (fov) => `${Math.round(fov)}°` }, (fov) => this.#look(fov));
    this.#crop = el('div', { role: 'group', 'aria-label': 'Crop box' });
    this.#cuts = new Cuts(store, updates);
    this.#ofVolume = el('div', { class: 'volume' }, labelled('perspective', this.#perspective),
      labelled('angle', this.#fov.input, this.#fov.output), this.#crop, this.#cuts.element);
    where.append(el('div', { class: 'details' }, labelled('level', this.#level), this.#refusal, this.#ofVolume));
    store.on('view', (view) => this.#render(view));
  }

  #render(view) {
    this.#renderLevels(view);
    const inVolume = view.ndisplay === 3;
    this.#ofVolume.hidden = !inVolume;
    if (!inVolume) return;
    const { fov } = view.camera.volume;
    this.#perspective.checked = fov > 0;
    this.#fov.input.disabled = fov === 0;
    this.#fov.held.truth = fov || FOV.usual;
    this.#renderCrop(view);
    this.#cuts.render(view);
  }

  #renderLevels({ levels, level, policy, dataset }) {
    const key = JSON.stringify([dataset, levels]);
    if (key !== this.#levels) {
      this.#levels = key;
      this.#refusal.hidden = true;
      this.#level.replaceChildren(el('option', { value: 'auto' }, 'automatic'),
        ...levels.map(({ index, shape }) => el('option', { value: index }, `${index}: ${shape.join(' × ')}`)));
    }
    this.#level.value = policy === 'auto' ? 'auto' : String(level);
  }

  /** A level that does not fit is refused with the reason, which stands here until another one is chosen. */
  async #choose(choice) {
    const ack = choice === 'auto'
      ? await this.#updates.set('multiscale', 'main', 'policy', 'auto')
      : await this.#updates.set('multiscale', 'main', 'level', Number(choice));
    this.#refusal.hidden = ack.status !== 'rejected';
    if (ack.status === 'rejected') this.#refusal.textContent = ack.error.message;
    if (this.#store.view) this.#renderLevels(this.#store.view);
  }

  #renderCrop(view) {
    const axes = volumeAxes(view);
    const key = JSON.stringify(axes.map((number) => view.axes[number]));
    if (key !== this.#cropped) {
      this.#cropped = key;
      this.#rows = axes.map((number) => new Crop(number, view.axes[number], this.#updates));
      this.#crop.replaceChildren(el('span', { class: 'heading' }, 'crop box'), ...this.#rows.map((row) => row.element));
    }
    this.#rows.forEach((row) => row.render(view));
  }

  /** Another field of view, as much in the picture. */
  async #look(fov) {
    const { volume } = this.#store.view.camera;
    const distance = distanceFor(seenHeight(volume), fov);
    const ack = await this.#updates.set('camera', 'main', 'set', { fov, distance });
    return { ...ack, applied_value: fov };
  }
}

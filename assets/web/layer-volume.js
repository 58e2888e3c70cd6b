// How one layer is drawn in a volume: rendering, slab, sampling.
import { el, fillSelect, labelled } from './dom.js';
import { figure } from './format.js';
import { slider } from './slider.js';
import { along, basis, box, pointAt, reach, unit, volumeAxes } from './world.js';

const RENDERINGS = ['mip', 'minip', 'attenuated_mip', 'average', 'translucent', 'additive', 'iso'];
/** Renderings in which what lies behind is weakened. */
const WEAKENED = new Set(['attenuated_mip', 'translucent', 'additive']);
const DEPICTIONS = ['volume', 'plane'];
const SEEN = 'as seen';
const OBLIQUE = 'oblique';
/** How near an axis a normal counts as the axis. */
const EXACT = 1e-6;

export class LayerVolume {
  #set;
  #labels;
  #view = null;
  #normal = [0, 0, 1];
  #selects;
  #sliders;
  #rows;

  /** `set(key, value)` returns the promise of an acknowledgement. */
  constructor(name, isLabels, set) {
    this.#set = set;
    this.#labels = isLabels;
    const select = (key, title) => this.#select(title, name, (value) => this.#set(key, value));
    const number = (key, title, of) => slider({ name: `${title} of ${name}${of.unit ?? ''}`, ...of }, (value) => this.#set(key, value));
    this.#selects = {
      rendering: select('rendering', 'Rendering'),
      depiction: select('depiction', 'Depiction'),
      normal: this.#select('Normal of the slab', name, (choice) => this.#set('plane_normal', this.#chosen(choice))),
    };
    this.#sliders = {
      attenuation: number('attenuation', 'Attenuation', { min: 1e-4, max: 1, log: true, lowest: 0, usual: 0.05 }),
      iso: number('iso_threshold', 'Threshold of the surface', {}),
      step: number('sample_step', 'Sample step', { unit: ', voxels', min: 0.1, max: 4, step: 0.1, usual: 1 }),
      thickness: number('plane_thickness', 'Thickness of the slab', { unit: ', voxels', min: 1, max: 1000, log: true, usual: 1 }),
      position: slider({ name: `Position of the slab of ${name}`, usual: 0, text: (far) => this.#place(far) },
        (far) => this.#move(far)),
    };
    const row = (text, { input, output }) => labelled(text, input, output);
    this.#rows = {
      rendering: labelled('rendering', this.#selects.rendering),
      attenuation: row('attenuation', this.#sliders.attenuation),
      iso: row('threshold', this.#sliders.iso),
      depiction: labelled('depiction', this.#selects.depiction),
      normal: labelled('normal', this.#selects.normal),
      position: row('position', this.#sliders.position),
      thickness: row('thickness', this.#sliders.thickness),
      step: row('step', this.#sliders.step),
    };
    this.element = el('div', { class: 'volume' }, ...Object.values(this.#rows));
  }

  /** Shows what the server says. */
  render({ controls, range }, view) {
    this.#view = view;
    this.#normal = unit(controls.plane_normal);
    const slab = controls.depiction === 'plane';
    const shown = {
      rendering: !this.#labels, attenuation: !this.#labels && WEAKENED.has(controls.rendering),
      iso: !this.#labels && controls.rendering === 'iso', depiction: true, normal: slab, position: slab, thickness: slab,
      step: true,
    };
    for (const [name, row] of Object.entries(this.#rows)) row.hidden = !shown[name];
    fillSelect(this.#selects.rendering, RENDERINGS, controls.rendering);
    fillSelect(this.#selects.depiction, DEPICTIONS, controls.depiction);
    fillSelect(this.#selects.normal, [...this.#axes(), SEEN], this.#named());
    this.#sliders.attenuation.held.truth = controls.attenuation;
    this.#sliders.iso.range = thresholds(controls, range);
    this.#sliders.iso.held.truth = controls.iso_threshold;
    this.#sliders.step.held.truth = controls.sample_step;
    this.#sliders.thickness.held.truth = controls.plane_thickness;
    const most = reach(this.#normal, view);
    this.#sliders.position.range = [-most, most];
    // No point is the middle.
    const at = controls.plane_position;
    this.#sliders.position.held.truth = at?.length === 3 ? along(at, this.#normal, view) : 0;
  }

  /** Labels of x, y and z. */
  #axes() {
    return volumeAxes(this.#view).map((number) => this.#view.axes[number].label);
  }

  #named() {
    const at = this.#normal.findIndex((part) => Math.abs(part) > 1 - EXACT);
    return at < 0 ? OBLIQUE : this.#axes()[at];
  }

  /** The normal that a word of the menu means. */
  #chosen(choice) {
    if (choice === SEEN) return basis(this.#view.camera.volume.angles).forward;
    const at = this.#axes().indexOf(choice);
    return at < 0 ? this.#normal : [0, 1, 2].map((i) => Number(i === at));
  }

  async #move(far) {
    const ack = await this.#set('plane_position', far === 0 ? [] : pointAt(far, this.#normal, this.#view));
    return { ...ack, applied_value: far };
  }

  /** Where the slab lies: on an axis in the world, else from the middle. */
  #place(far) {
    if (!this.#view) return '';
    const at = this.#normal.findIndex((part) => Math.abs(part) > 1 - EXACT);
    return figure(at < 0 ? far : pointAt(far, this.#normal, this.#view)[at]);
  }

  #select(title, name, send) {
    const select = el('select', { 'aria-label': `${title} of ${name}` });
    select.addEventListener('change', async () => {
      const ack = await send(select.value);
      if (ack.status !== 'accepted') select.value = select.dataset.truth;
    });
    return select;
  }
}

/** Where thresholds are looked for: about the contrast limits, within what the type spans, which may be far more. */
function thresholds({ contrast_limits: [low, high], iso_threshold }, range) {
  const span = high - low;
  const ends = [Math.max(range[0], low - span), Math.min(range[1], high + span)];
  return [Math.min(ends[0], iso_threshold), Math.max(ends[1], iso_threshold)];
}

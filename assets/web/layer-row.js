// One layer: eye, colour, name, contrast; behind the arrow everything else.
import { el, fillSelect, icon, labelled } from './dom.js';
import { shortType } from './format.js';
import { Held } from './held.js';
import { LayerVolume } from './layer-volume.js';
import { slider } from './slider.js';
import { Span } from './span.js';

const BLENDINGS = ['opaque', 'translucent', 'additive', 'minimum', 'maximum', 'average', 'multiplicative'];
const INTERPOLATIONS = ['nearest', 'linear', 'cubic'];
const PROJECTIONS = ['none', 'sum', 'mean', 'min', 'max'];

/** Thickest outline of labels, voxels. */
const CONTOUR = 8;

/** A colour that stands for a named map on its swatch: a ramp's own, of a table the middle. */
const SWATCHES = {
  gray: '#ffffff', gray_r: '#808080', red: '#ff0000', green: '#00ff00', blue: '#0000ff', cyan: '#00ffff',
  magenta: '#ff00ff', yellow: '#ffff00', viridis: '#21918c', magma: '#b73779', inferno: '#bc3754',
  plasma: '#cc4778', cividis: '#7d7c78', turbo: '#a4fc3c',
};

export class LayerRow {
  #id;
  #name;
  #updates;
  #labels;
  #visible = true;
  #eye;
  #swatch;
  #colour;
  #contrast;
  #colormap;
  #selects;
  #sliders;
  #selected;
  #alone;
  #slab;
  #volume;

  constructor(layer, place, updates) {
    const name = layer.name || layer.id;
    this.#id = layer.id;
    this.#name = name;
    this.#updates = updates;
    this.#labels = layer.kind === 'labels';
    this.#eye = el('button', {
      type: 'button', class: 'eye', title: place < 9 ? `${name} on or off (${place + 1})` : `${name} on or off`,
      'aria-label': `Show ${name}`, onclick: () => this.toggle(),
    });
    this.#swatch = el('input', {
      type: 'color', class: 'swatch', 'aria-label': `Colour of ${name}`, title: 'Colour',
      oninput: () => this.#colour.sent(this.#swatch.value, this.#set('colormap', this.#swatch.value)),
    });
    this.#colour = new Held((colormap) => this.#showColormap(colormap)).watch(this.#swatch);
    this.#contrast = new Span(`Contrast limits of ${name}`, (limits) => this.#set('contrast_limits', limits));
    this.#colormap = this.#select('colormap', 'Colormap');
    this.#selects = { blending: this.#select('blending', 'Blending'),
      interpolation: this.#select('interpolation', 'Interpolation'),
      projection: this.#select('projection', 'Projection of the thick slice') };
    this.#sliders = { opacity: this.#slider('opacity', 'Opacity', 0, 1, 0.01, 1),
      gamma: this.#slider('gamma', 'Gamma', 0.1, 3, 0.01, 1) };
    this.#slab = labelled('slab', this.#selects.projection);
    this.#volume = new LayerVolume(name, this.#labels, (key, value) => this.#set(key, value));
    const opacity = labelled('opacity', this.#sliders.opacity.input, this.#sliders.opacity.output);
    const blending = labelled('blending', this.#selects.blending);
    const details = el('div', { class: 'details', hidden: true, id: `details-${place}` },
      ...(this.#labels ? [opacity, blending, ...this.#ofLabels()] : [
        labelled('colormap', this.#colormap),
        opacity,
        labelled('gamma', this.#sliders.gamma.input, this.#sliders.gamma.output),
        blending,
        labelled('sampling', this.#selects.interpolation),
        this.#slab,
        el('button', {
          type: 'button', class: 'auto', title: 'Contrast from what is shown', 'aria-label': `Automatic contrast of ${name}`,
          onclick: () => this.#set('auto_contrast', {}),
        }, 'auto contrast'),
      ]), this.#volume.element);
    const more = el('button', {
      type: 'button', class: 'more', 'aria-label': `More of ${name}`, 'aria-expanded': 'false',
      'aria-controls': details.id,
      onclick: () => {
        details.hidden = !details.hidden;
        more.setAttribute('aria-expanded', String(!details.hidden));
      },
    }, icon('more'));
    this.element = el('section', { class: 'layer', 'aria-label': name },
      el('div', { class: 'head' }, this.#eye, ...(this.#labels ? [] : [this.#swatch]), el('span', { class: 'name', title: name }, name),
        el('span', { class: 'dtype' }, shortType(layer.dtype)), more),
      ...(this.#labels ? [] : [this.#contrast.element]), details);
  }

  toggle() {
    this.#set('visible', !this.#visible);
  }

  /** Shows what the server says. */
  render(layer, colormaps, view) {
    const { controls, range, dtype } = layer;
    const inVolume = view.ndisplay === 3;
    this.#volume.element.hidden = !inVolume;
    if (inVolume) this.#volume.render(layer, view);
    this.#slab.hidden = inVolume;
    this.#visible = controls.visible;
    this.element.classList.toggle('off', !controls.visible);
    this.#eye.setAttribute('aria-pressed', String(controls.visible));
    this.#eye.replaceChildren(icon(controls.visible ? 'eye' : 'closed'));
    fillSelect(this.#selects.blending, BLENDINGS, controls.blending);
    this.#sliders.opacity.held.truth = controls.opacity;
    if (this.#labels) {
      this.#sliders.contour.held.truth = controls.contour;
      this.#selected.held.truth = controls.selected_label;
      this.#alone.checked = controls.show_selected_label;
      return;
    }
    fillSelect(this.#colormap, colormaps, controls.colormap);
    fillSelect(this.#selects.interpolation, INTERPOLATIONS, controls.interpolation);
    fillSelect(this.#selects.projection, PROJECTIONS, controls.projection);
    this.#colour.truth = controls.colormap;
    this.#contrast.render(controls.contrast_limits, range, /^u?int/.test(dtype));
    this.#sliders.gamma.held.truth = controls.gamma;
  }

  /** What only labels have: outlines, and one id that is shown alone. */
  #ofLabels() {
    this.#sliders.contour = this.#slider('contour', 'Outline', 0, CONTOUR, 1, 0);
    const id = el('input', { type: 'number', min: 0, step: 1, 'aria-label': `Selected id of ${this.#name}` });
    const held = new Held((value) => { if (document.activeElement !== id) id.value = value; }).watch(id);
    id.addEventListener('change', () => {
      const value = Math.round(Number(id.value));
      if (id.value !== '' && Number.isSafeInteger(value)) held.sent(value, this.#set('selected_label', value));
    });
    this.#selected = { held };
    this.#alone = el('input', {
      type: 'checkbox', 'aria-label': `Only the selected id of ${this.#name}`,
      onchange: () => this.#set('show_selected_label', this.#alone.checked),
    });
    const { input, output } = this.#sliders.contour;
    return [labelled('outline', input, output), labelled('id', id), labelled('id alone', this.#alone)];
  }

  #set(key, value) {
    return this.#updates.set('layer', this.#id, key, value);
  }

  #showColormap(colormap) {
    const colour = colormap.startsWith('#') ? colormap : SWATCHES[colormap] ?? '#808080';
    this.#swatch.value = colour;
    this.#contrast.track.style.setProperty('--colour', colour);
  }

  #select(key, title) {
    const select = el('select', { 'aria-label': `${title} of ${this.#name}` });
    select.addEventListener('change', async () => {
      const ack = await this.#set(key, select.value);
      if (ack.status !== 'accepted') select.value = select.dataset.truth;
    });
    return select;
  }

  #slider(key, title, min, max, step, usual) {
    const text = (value) => (step < 1 ? value.toFixed(2) : String(value));
    return slider({ name: `${title} of ${this.#name}`, min, max, step, usual, text }, (value) => this.#set(key, value));
  }
}

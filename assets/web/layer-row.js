// One layer: eye, colour, name, contrast; behind the arrow everything else.
import { Contrast } from './contrast.js';
import { el, fillSelect, icon } from './dom.js';
import { shortType } from './format.js';
import { Held } from './held.js';

const BLENDINGS = ['opaque', 'translucent', 'additive', 'minimum', 'maximum', 'average', 'multiplicative'];
const INTERPOLATIONS = ['nearest', 'linear'];

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
  #visible = true;
  #eye;
  #swatch;
  #colour;
  #contrast;
  #colormap;
  #selects;
  #sliders;

  constructor(layer, place, updates) {
    const name = layer.name || layer.id;
    this.#id = layer.id;
    this.#name = name;
    this.#updates = updates;
    this.#eye = el('button', {
      type: 'button', class: 'eye', title: place < 9 ? `${name} on or off (${place + 1})` : `${name} on or off`,
      'aria-label': `Show ${name}`, onclick: () => this.toggle(),
    });
    this.#swatch = el('input', {
      type: 'color', class: 'swatch', 'aria-label': `Colour of ${name}`, title: 'Colour',
      oninput: () => this.#colour.sent(this.#swatch.value, this.#set('colormap', this.#swatch.value)),
    });
    this.#colour = new Held((colormap) => this.#showColormap(colormap)).watch(this.#swatch);
    this.#contrast = new Contrast(name, (limits) => this.#set('contrast_limits', limits));
    this.#colormap = this.#select('colormap', 'Colormap');
    this.#selects = { blending: this.#select('blending', 'Blending'),
      interpolation: this.#select('interpolation', 'Interpolation') };
    this.#sliders = { opacity: this.#slider('opacity', 'Opacity', 0, 1, 0.01, 1),
      gamma: this.#slider('gamma', 'Gamma', 0.1, 3, 0.01, 1) };
    const details = el('div', { class: 'details', hidden: true, id: `details-${place}` },
      labelled('colormap', this.#colormap),
      labelled('opacity', this.#sliders.opacity.input, this.#sliders.opacity.output),
      labelled('gamma', this.#sliders.gamma.input, this.#sliders.gamma.output),
      labelled('blending', this.#selects.blending),
      labelled('sampling', this.#selects.interpolation));
    const more = el('button', {
      type: 'button', class: 'more', 'aria-label': `More of ${name}`, 'aria-expanded': 'false',
      'aria-controls': details.id,
      onclick: () => {
        details.hidden = !details.hidden;
        more.setAttribute('aria-expanded', String(!details.hidden));
      },
    }, icon('more'));
    this.element = el('section', { class: 'layer', 'aria-label': name },
      el('div', { class: 'head' }, this.#eye, this.#swatch, el('span', { class: 'name', title: name }, name),
        el('span', { class: 'dtype' }, shortType(layer.dtype)), more),
      this.#contrast.element, details);
  }

  toggle() {
    this.#set('visible', !this.#visible);
  }

  /** Shows what the server says. */
  render({ controls, range, dtype }, colormaps) {
    this.#visible = controls.visible;
    this.element.classList.toggle('off', !controls.visible);
    this.#eye.setAttribute('aria-pressed', String(controls.visible));
    this.#eye.replaceChildren(icon(controls.visible ? 'eye' : 'closed'));
    fillSelect(this.#colormap, colormaps, controls.colormap);
    fillSelect(this.#selects.blending, BLENDINGS, controls.blending);
    fillSelect(this.#selects.interpolation, INTERPOLATIONS, controls.interpolation);
    this.#colour.truth = controls.colormap;
    this.#contrast.render(controls.contrast_limits, range, dtype);
    this.#sliders.opacity.held.truth = controls.opacity;
    this.#sliders.gamma.held.truth = controls.gamma;
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
    const output = el('output');
    const input = el('input', { type: 'range', min, max, step, 'aria-label': `${title} of ${this.#name}` });
    const held = new Held((value) => {
      input.value = value;
      input.style.setProperty('--at', (Math.min(max, Math.max(min, value)) - min) / (max - min));
      output.textContent = value.toFixed(2);
    }).watch(input);
    const send = (value) => held.sent(value, this.#set(key, value));
    input.addEventListener('input', () => send(Number(input.value)));
    input.addEventListener('dblclick', () => send(usual));
    return { input, output, held };
  }
}

function labelled(text, ...parts) {
  return el('label', {}, el('span', {}, text), ...parts);
}

// The bar on top: what is open, what else may be opened, and the few buttons.
import { $, el, icon, types } from './dom.js';
import { shortType } from './format.js';

const FOLDED = 'lucida.panel.folded';

export class Bar {
  #updates;
  #connection;
  #status;

  constructor(store, updates, connection, status) {
    this.#updates = updates;
    this.#connection = connection;
    this.#status = status;
    $('panel-toggle').append(icon('panel'));
    $('panel-toggle').onclick = () => fold(!document.body.classList.contains('folded'));
    $('fit').append(icon('fit'));
    $('fit').onclick = () => this.#updates.reset();
    $('help-open').onclick = () => $('help').showModal();
    $('help-close').onclick = () => $('help').close();
    $('datasets').onchange = ({ target }) => this.#open(target.value, store);
    addEventListener('keydown', (event) => this.#key(event));
    store.on('scene', () => this.#render(store));
    store.on('view', () => this.#render(store));
    store.on('residency', showLoading);
    fold(recall());
  }

  #render({ scene, view }) {
    if (!view) return;
    const datasets = scene?.metadata?.datasets ?? [];
    const several = datasets.length > 1;
    $('datasets').hidden = !several;
    $('dataset').hidden = several;
    $('dataset').textContent = view.dataset;
    if (several) {
      const select = $('datasets');
      const key = JSON.stringify(datasets);
      if (select.dataset.key !== key) {
        select.dataset.key = key;
        select.replaceChildren(...datasets.map(({ name, path }) => el('option', { value: path }, name)));
      }
      select.value = datasets.find(({ name }) => name === view.dataset)?.path ?? '';
    }
    const sizes = view.axes.map(({ label, size }) => `${label} ${size}`);
    const channels = view.layers.filter(({ kind }) => kind !== 'labels').length;
    const labels = view.layers.length - channels;
    if (labels > 0) sizes.unshift(labels > 1 ? `${labels} labels` : 'labels');
    if (channels > 1) sizes.unshift(`${channels} channels`);
    const types = [...new Set(view.layers.map(({ dtype }) => shortType(dtype)))];
    $('shape').textContent = [sizes.join('  '), types.join(' ')].filter(Boolean).join(' · ');
    document.title = `${view.dataset} · Lucida`;
    $('picture').setAttribute('aria-label', `Image: ${view.dataset}`);
  }

  async #open(path, store) {
    const reply = await this.#connection.call('napari.load_zarr', { path });
    if (reply.status === 'error') this.#status.notice(`${reply.message} (${reply.code})`);
    if (reply.status !== 'ok') this.#render(store);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || types(event.target)) return;
    if (event.key === 'p' || event.key === 'P') $('panel-toggle').click();
    if (event.key === '?') $('help').showModal();
  }
}

/** The hairline under the bar: how much of what the view wants is there. */
function showLoading({ resident, wanted, waiting }) {
  const line = $('loading');
  const part = wanted > 0 ? resident / wanted : 1;
  line.hidden = !waiting && part >= 1;
  line.setAttribute('aria-valuenow', String(Math.round(part * 100)));
  line.style.setProperty('--part', String(Math.min(1, part)));
}

function fold(folded) {
  document.body.classList.toggle('folded', folded);
  $('panel-toggle').setAttribute('aria-expanded', String(!folded));
  try {
    localStorage.setItem(FOLDED, String(folded));
  } catch {
    // Without storage the panel is simply open again next time.
  }
}

function recall() {
  try {
    return localStorage.getItem(FOLDED) === 'true';
  } catch {
    return false;
  }
}

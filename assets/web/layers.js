// The list of layers, the first drawn at the bottom of the picture and at the top of the list.
import { LayerRow } from './layer-row.js';

export class LayerList {
  #place;
  #store;
  #updates;
  #rows = [];
  #built = '';

  constructor(where, store, updates) {
    this.#place = where;
    this.#store = store;
    this.#updates = updates;
    store.on('view', (view) => this.#render(view));
    store.on('scene', () => { if (store.view) this.#render(store.view); });
  }

  /** Switches the layer at this place of the list on or off. */
  toggle(place) {
    this.#rows[place]?.toggle();
  }

  #render(view) {
    const layers = [...view.layers].sort((a, b) => a.order - b.order);
    const built = JSON.stringify([view.dataset, layers.map(({ id, name, dtype, kind }) => [id, name, dtype, kind])]);
    if (built !== this.#built) {
      this.#built = built;
      this.#rows = layers.map((layer, i) => new LayerRow(layer, i, this.#updates));
      this.#place.replaceChildren(...this.#rows.map((row) => row.element));
    }
    const colormaps = this.#store.scene?.metadata?.colormaps ?? [];
    layers.forEach((layer, i) => this.#rows[i].render(layer, colormaps, view));
  }
}

// The switch between plane and volume.
import { $, types } from './dom.js';

export class Mode {
  #store;
  #updates;

  constructor(store, updates) {
    this.#store = store;
    this.#updates = updates;
    $('mode-2').onclick = () => this.#show(2);
    $('mode-3').onclick = () => this.#show(3);
    addEventListener('keydown', (event) => this.#key(event));
    store.on('view', (view) => render(view));
  }

  #show(ndisplay) {
    if (this.#store.view && ndisplay !== this.#store.view.ndisplay) {
      this.#updates.set('view', 'main', 'ndisplay', ndisplay);
    }
  }

  /** D, or ctrl+Y as in napari. */
  #key(event) {
    if (event.defaultPrevented || types(event.target) || !this.#store.view) return;
    const control = event.ctrlKey || event.metaKey;
    const pressed = event.key.toLowerCase() === (control ? 'y' : 'd');
    if (!pressed || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (!event.repeat) this.#show(this.#store.view.ndisplay === 3 ? 2 : 3);
  }
}

function render({ ndisplay, axes }) {
  $('mode-2').setAttribute('aria-pressed', String(ndisplay === 2));
  $('mode-3').setAttribute('aria-pressed', String(ndisplay === 3));
  const flat = axes.length < 3;
  $('mode-3').toggleAttribute('disabled', flat);
  $('mode-3').title = flat ? 'The image has two axes only' : 'Volume (D)';
}

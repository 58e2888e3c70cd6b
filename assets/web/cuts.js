// Free clip planes: each is laid across what is looked at, and then pushed along its normal.
import { el } from './dom.js';
import { slider } from './slider.js';
import { along, basis, pointAt, reach, unit } from './world.js';

/** As many as the server takes. */
const MOST = 6;

export class Cuts {
  #store;
  #updates;
  #rows = [];
  #list;
  #add;

  constructor(store, updates) {
    this.#store = store;
    this.#updates = updates;
    this.#list = el('div');
    this.#add = el('button', {
      type: 'button', class: 'auto', title: 'Cut away what lies before the point looked at', onclick: () => this.#cut(),
    }, 'cut as seen');
    this.element = el('div', { role: 'group', 'aria-label': 'Clip planes' }, this.#list, this.#add);
  }

  /** Shows what the server says. */
  render(view) {
    const planes = view.clip?.planes ?? [];
    if (planes.length !== this.#rows.length) {
      this.#rows = planes.map((_, i) => this.#row(i));
      this.#list.replaceChildren(...this.#rows.map((row) => row.element));
    }
    this.#add.disabled = planes.length >= MOST;
    planes.forEach(({ position, normal }, i) => {
      const most = reach(unit(normal), view);
      this.#rows[i].place.range = [-most, most];
      this.#rows[i].place.held.truth = along(position, unit(normal), view);
    });
  }

  #row(i) {
    const name = `Cut ${i + 1}`;
    const place = slider({ name }, (far) => this.#push(i, far));
    const away = el('button', {
      type: 'button', title: `Take ${name.toLowerCase()} away`, 'aria-label': `Take ${name.toLowerCase()} away`,
      onclick: () => this.#send(this.#planes.filter((_, n) => n !== i)),
    }, '×');
    const element = el('div', { class: 'cut' }, el('span', {}, name.toLowerCase()), place.input, place.output, away);
    return { element, place };
  }

  get #planes() {
    return this.#store.view.clip.planes;
  }

  #cut() {
    const { angles, center } = this.#store.view.camera.volume;
    this.#send([...this.#planes, { position: center, normal: basis(angles).forward }]);
  }

  async #push(i, far) {
    const planes = [...this.#planes];
    const normal = unit(planes[i].normal);
    planes[i] = { position: pointAt(far, normal, this.#store.view), normal };
    const ack = await this.#send(planes);
    return { ...ack, applied_value: far };
  }

  #send(planes) {
    return this.#updates.set('clip', 'main', 'planes', planes);
  }
}

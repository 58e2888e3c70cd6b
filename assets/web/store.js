// What the server last said. The last notify.view is the truth; nothing here is guessed.

const TOPICS = {
  'notify.scene': 'scene', 'notify.view': 'view', 'notify.residency': 'residency', 'notify.stream': 'stream',
};

export class Store {
  scene = null;
  view = null;
  residency = null;
  stream = null;
  #listeners = { scene: [], view: [], residency: [], stream: [] };

  /** Hears a topic from now on, and at once what is known of it. */
  on(topic, listener) {
    this.#listeners[topic].push(listener);
    if (this[topic]) listener(this[topic]);
  }

  /** Takes one notice; topics that the page has no use for are left alone. */
  accept(type, payload) {
    const topic = TOPICS[type];
    if (!topic) return;
    this[topic] = payload;
    for (const listener of this.#listeners[topic]) listener(payload);
  }
}

// The pictures, seen from the page: everything happens in the worker, off the main thread.

export class Pixels {
  #worker;
  #handlers;
  #connected = null;

  /** Handlers: `shown(picture)`, `needKeyframe()`, `fault({ message, codec, fatal })`. */
  constructor(canvas, handlers) {
    this.#handlers = handlers;
    this.#worker = new Worker(new URL('pixels-worker.js', import.meta.url), { type: 'module', name: 'pixels' });
    this.#worker.onmessage = ({ data }) => this.#handlers[data.kind]?.(data);
    this.#worker.onerror = (event) => {
      this.#handlers.fault({ message: event.message || 'the worker could not be loaded', fatal: true });
    };
    const surface = canvas.transferControlToOffscreen();
    this.#worker.postMessage({ kind: 'surface', surface }, [surface]);
  }

  connect(url, acknowledge) {
    this.#connected = { kind: 'connect', url, acknowledge: Boolean(acknowledge) };
    this.#worker.postMessage(this.#connected);
  }

  disconnect() {
    this.#connected = null;
    this.#worker.postMessage({ kind: 'disconnect' });
  }

  /** Takes the parameter sets of notify.stream. */
  configure({ avcc }) {
    const bytes = Uint8Array.from(atob(avcc), (c) => c.charCodeAt(0));
    this.#worker.postMessage({ kind: 'configure', avcc: bytes });
  }

  /** Begins again with a fresh socket and decoder. */
  restart() {
    if (this.#connected) this.#worker.postMessage(this.#connected);
  }
}

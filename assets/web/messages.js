// What must be said in the middle of the picture. Only what needs an answer stands there.
import { el } from './dom.js';

export class Messages {
  #place;
  #canvas;
  #timer = 0;
  #about = '';

  /** Called by the button that tries again. */
  retry = () => {};

  constructor(place, canvas) {
    this.#place = place;
    this.#canvas = canvas;
  }

  /** The browser, or the address it was given, cannot show pictures. */
  unsupported(missing) {
    const port = location.port || (location.protocol === 'https:' ? '443' : '80');
    const local = `http://localhost:8080/${location.search}`;
    const secure = globalThis.isSecureContext;
    this.#say('unsupported', 'This browser cannot show the pictures here', [
      el('p', {}, `It lacks ${missing.join(' and ')}.`),
      secure
        ? el('p', {}, 'Chrome, Edge, Safari and Firefox have it in their current versions.')
        : el('p', {}, 'Browsers decode video only for pages from localhost or https. On your own machine run'),
      ...(secure ? [] : [
        el('pre', {}, `ssh -L 8080:127.0.0.1:${port} ${location.hostname}`),
        el('p', {}, 'and open ', el('a', { href: local }, 'http://localhost:8080/'),
          ', or serve with ', el('code', {}, '--tls-cert'), ' and ', el('code', {}, '--tls-key'), '.'),
      ]),
    ]);
  }

  /** Follows the connection. */
  connection({ state, retryAt, reason, code, refused, had }) {
    if (state === 'open') this.#clear();
    if (state === 'connecting' && !this.#about) this.#say('connecting', 'Connecting …', []);
    if (state !== 'closed') return;
    this.#canvas.classList.add('dimmed');
    if (code) {
      this.#say('rejected', 'The server refused this page', [
        el('p', {}, reason || 'It gave no reason.'), el('p', {}, el('code', {}, code)), this.#button('Try again'),
      ]);
      return;
    }
    const countdown = el('span', { 'aria-hidden': 'true' });
    const title = refused ? 'The server does not let this page in' : had ? 'The server is gone' : 'No server answers';
    const why = refused
      ? 'It is running. If it was started with a token, open the address that it printed at its start.'
      : reason || 'The picture comes back by itself when the server does.';
    this.#say('closed', title, [el('p', {}, why), el('p', { class: 'countdown' }, countdown), this.#button('Retry now')]);
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((retryAt - performance.now()) / 1000));
      countdown.textContent = seconds > 0 ? `Next attempt in ${seconds} s` : 'Trying …';
    };
    tick();
    this.#timer = setInterval(tick, 250);
  }

  /** Passing faults are repaired by a keyframe; only lasting ones are told. */
  decodeFault({ message, codec, fatal }, again) {
    if (!fatal) return;
    this.#canvas.classList.add('dimmed');
    const button = el('button', { type: 'button', onclick: () => { this.#clear(); again(); } }, 'Try again');
    this.#say('decode', 'The pictures cannot be decoded', [
      el('p', {}, message || 'The browser gave no reason.'), el('p', {}, el('code', {}, codec ?? 'no codec')), button,
    ]);
  }

  /** A picture has come: what stood in the way no longer does. */
  pictureShown() {
    if (this.#about === 'decode') this.#clear();
  }

  #button(text) {
    return el('button', { type: 'button', onclick: () => this.retry() }, text);
  }

  #say(about, title, parts) {
    clearInterval(this.#timer);
    const held = this.#place.contains(document.activeElement);
    this.#about = about;
    this.#place.dataset.about = about;
    this.#place.replaceChildren(el('h2', {}, title), ...parts);
    this.#place.hidden = false;
    // Said again, the button stays under the hand that holds it.
    if (held) this.#place.querySelector('button')?.focus();
  }

  #clear() {
    clearInterval(this.#timer);
    this.#about = '';
    this.#place.hidden = true;
    this.#place.replaceChildren();
    this.#canvas.classList.remove('dimmed');
  }
}

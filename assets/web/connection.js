// The state socket: handshake, heartbeats, answers to intents, and coming back when it breaks.

const PROTOCOL = 2;
/** Seconds until the next attempt: doubled each time, with a fifth of chance so that clients do not march in step. */
const BACKOFF = { first: 0.5, most: 10 };
/** Send times kept for measuring; older ones were never answered by a picture. */
const REMEMBERED = 256;

/** What a lost connection answers in place of an acknowledgement. */
const LOST = Object.freeze({ status: 'lost' });

export class Connection {
  #handlers;
  #socket = null;
  #session = null;
  #had = false;
  #attempt = 0;
  #timer = 0;
  #watchdog = 0;
  #counter = 0;
  #acks = new Map();
  #replies = new Map();
  #sent = new Map();

  /**
   * `handlers.state({ state, … })` hears connecting, open (session, features) and closed: reason, code where it
   * was refused for good, else retryAt, `had` where there ever was a session, `refused` where the server answers;
   * `handlers.frame(type, payload)` hears every notice.
   */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** The address of one of the server's sockets, beside this page, with the page's own token. */
  url(name, query = {}) {
    const url = new URL(name, document.baseURI);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.hash = '';
    url.search = String(new URLSearchParams(query));
    const token = new URLSearchParams(location.search).get('token');
    if (token) url.searchParams.set('token', token);
    return url.href;
  }

  start() {
    clearTimeout(this.#timer);
    this.#handlers.state({ state: 'connecting' });
    const socket = new WebSocket(this.url('state'));
    this.#socket = socket;
    let opened = false;
    let ending = null;
    socket.onopen = () => {
      opened = true;
      this.#send('session.hello', {
        protocols: [PROTOCOL],
        client: { name: 'lucida-page', version: '1', platform: navigator.platform || 'web' },
        features: {
          'notify.scene': true, 'notify.layers': true, 'notify.stream': true,
          'notify.dims': false, 'notify.camera': false, 'call.command': true,
          'lucida.view': true, 'lucida.frames': true,
        },
        resume_tokens: { 'notify.scene': null, 'notify.layers': null, 'notify.stream': null },
      });
    };
    socket.onmessage = ({ data }) => {
      const frame = parse(data);
      if (!frame || this.#socket !== socket) return;
      if (frame.type === 'session.reject') ending = { code: frame.payload.code, reason: frame.payload.message };
      else if (frame.type === 'session.goodbye') ending = { reason: frame.payload.message };
      else if (frame.type === 'session.welcome') ending = this.#welcome(frame.payload) ?? ending;
      else this.#receive(frame);
    };
    socket.onclose = () => {
      if (this.#socket === socket) this.#lost(opened, ending);
    };
  }

  /** Stops waiting for the next attempt. Does nothing while a connection stands or is being made. */
  retryNow() {
    if (this.#socket) return;
    this.#attempt = 0;
    this.start();
  }

  /** Sends one intent. Resolves with the payload of its acknowledgement, or `{ status: 'lost' }`. */
  update(scope, target, key, value) {
    if (!this.#session) return Promise.resolve(LOST);
    const number = hex(++this.#counter);
    const intent_id = `intent-${number}`;
    const frame_id = `state-${number}`;
    this.#sent.set(intent_id, performance.timeOrigin + performance.now());
    if (this.#sent.size > REMEMBERED) this.#sent.delete(this.#sent.keys().next().value);
    return new Promise((resolve) => {
      this.#acks.set(frame_id, resolve);
      this.#send('state.update', { scope, target, key, value }, { frame_id, intent_id });
    });
  }

  /** Calls a command. Resolves with the payload of its reply, status "ok", "error" or "lost". */
  call(command, kwargs = {}) {
    if (!this.#session) return Promise.resolve(LOST);
    const frame_id = `cmd-${hex(++this.#counter)}`;
    return new Promise((resolve) => {
      this.#replies.set(frame_id, resolve);
      this.#send('call.command', { command, kwargs, origin: 'ui' }, { frame_id });
    });
  }

  /** When the oldest of these intents was sent, in milliseconds since the epoch; each is measured once. */
  sentAt(intents) {
    let oldest;
    for (const id of intents) {
      const at = this.#sent.get(id);
      this.#sent.delete(id);
      if (at !== undefined && !(at > oldest)) oldest = at;
    }
    return oldest;
  }

  #welcome(payload) {
    if (!payload.features['lucida.view']?.enabled) {
      this.#socket.close();
      return { code: 'unsupported_server', reason: 'the server does not offer lucida.view' };
    }
    this.#session = payload.session;
    this.#had = true;
    this.#attempt = 0;
    this.#alive();
    this.#handlers.state({ state: 'open', session: payload.session.id, features: payload.features });
    return null;
  }

  #receive({ type, payload, frame_id }) {
    this.#alive();
    if (type === 'session.heartbeat') this.#send('session.ack', {});
    else if (type === 'ack.state') settle(this.#acks, payload);
    else if (type === 'reply.command' || type === 'error.command') settle(this.#replies, payload);
    else this.#handlers.frame(type, payload, frame_id);
  }

  /** A server that promised heartbeats and is silent for longer than one and a half is gone, whatever TCP thinks. */
  #alive() {
    clearTimeout(this.#watchdog);
    const beat = this.#session?.heartbeat_s;
    if (beat > 0) {
      const socket = this.#socket;
      this.#watchdog = setTimeout(() => {
        socket.onclose = null;
        socket.close();
        if (this.#socket === socket) this.#lost(true, { reason: 'no sign of life from the server' });
      }, Math.max(beat + 1, beat * 1.5) * 1000);
    }
  }

  async #lost(opened, ending) {
    clearTimeout(this.#watchdog);
    this.#socket = this.#session = null;
    for (const waiting of [this.#acks, this.#replies]) {
      waiting.forEach((resolve) => resolve(LOST));
      waiting.clear();
    }
    this.#sent.clear();
    if (ending?.code) {
      // A refusal stays one until somebody changes something.
      this.#handlers.state({ state: 'closed', ...ending });
      return;
    }
    const wait = Math.min(BACKOFF.most, BACKOFF.first * 2 ** this.#attempt++) * (0.8 + 0.4 * Math.random()) * 1000;
    this.#timer = setTimeout(() => this.start(), wait);
    const now = { state: 'closed', retryAt: performance.now() + wait, reason: ending?.reason, had: this.#had };
    this.#handlers.state(now);
    if (!opened && (await serverAnswers()) && !this.#socket) this.#handlers.state({ ...now, refused: true });
  }

  /** @param {{ frame_id?: string, intent_id?: string }} ids */
  #send(type, payload, ids = {}) {
    const frame_id = ids.frame_id ?? `${type.slice(type.indexOf('.') + 1)}-${hex(++this.#counter)}`;
    const session = this.#session ? { session: this.#session.id } : {};
    const envelope = { type, version: PROTOCOL, timestamp: Date.now() / 1000, ...session, ...ids, frame_id, payload };
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(envelope));
  }
}

const hex = (number) => number.toString(16).padStart(8, '0');

function parse(text) {
  try {
    const frame = JSON.parse(text);
    return frame && typeof frame.type === 'string' && frame.payload ? frame : null;
  } catch {
    return null;
  }
}

function settle(waiting, payload) {
  const resolve = waiting.get(payload.in_reply_to);
  waiting.delete(payload.in_reply_to);
  resolve?.(payload);
}

/** Whether the server is up although it refused the socket. */
async function serverAnswers() {
  try {
    return (await fetch(new URL('healthz', document.baseURI), { cache: 'no-store' })).ok;
  } catch {
    return false;
  }
}

// Puts the page together: who hears what, and nothing else.
import { AxisRows } from './axes.js';
import { Bar } from './bar.js';
import { CanvasSize } from './canvas-size.js';
import { Connection } from './connection.js';
import { LayerList } from './layers.js';
import { Messages } from './messages.js';
import { Mode } from './mode.js';
import { Orientation } from './orientation.js';
import { Pixels } from './pixels.js';
import { Status } from './status.js';
import { Store } from './store.js';
import { missingAbilities } from './support.js';
import { Updates } from './updates.js';
import { ViewInput } from './view-input.js';
import { ViewPanel } from './view-panel.js';
import { $ } from './dom.js';

const facts = document.body.dataset;
const store = new Store();
const messages = new Messages($('message'), $('picture'));

const missing = missingAbilities();
if (missing.length > 0) {
  facts.state = 'unsupported';
  messages.unsupported(missing);
} else {
  start();
}

function start() {
  const connection = new Connection({ state: follow, frame: (type, payload) => store.accept(type, payload) });
  const updates = new Updates(connection);
  const status = new Status(store);
  const pixels = new Pixels($('picture'), {
    shown(picture) {
      facts.frames = String(Number(facts.frames) + 1);
      facts.revision = String(picture.revision ?? '');
      messages.pictureShown();
      status.shown(picture, connection.sentAt(picture.intents));
    },
    needKeyframe: () => connection.call('napari.pixel.request_keyframe'),
    fault: (fault) => messages.decodeFault(fault, () => pixels.restart()),
  });
  const canvasSize = new CanvasSize($('stage'), $('picture'), (size) =>
    updates.set('stream', 'main', 'canvas', size));
  const axes = new AxisRows($('axes'), store, updates);
  const layers = new LayerList($('layers'), store, updates);
  new Bar(store, updates, connection, status);
  new Mode(store, updates);
  new ViewPanel($('view'), store, updates);
  new Orientation($('orientation'), store);
  new ViewInput($('picture'), { store, updates, axes, layers });

  let unsized = false;
  store.on('view', (view) => {
    facts.level = String(view.level);
    facts.mode = view.mode;
    facts.pose = JSON.stringify(view.camera[view.mode]);
    if (!unsized) return;
    unsized = false;
    // The rows that this view brings are laid out in the next frame, and take their part of the window.
    requestAnimationFrame(() => requestAnimationFrame(() => canvasSize.tell()));
  });
  store.on('residency', (residency) => { facts.waiting = String(residency.waiting); });
  store.on('stream', (stream) => pixels.configure(stream));
  updates.rejected = (error) => status.notice(`${error.message} (${error.code})`);

  messages.retry = () => connection.retryNow();
  addEventListener('online', () => connection.retryNow());
  connection.start();

  function follow(now) {
    facts.state = now.state;
    messages.connection(now);
    if (now.state === 'open') {
      pixels.connect(connection.url('pixels', { session: now.session }), now.features['lucida.frames']?.enabled);
      unsized = true;
    } else {
      pixels.disconnect();
      axes.stop();
      status.silent();
    }
  }
}

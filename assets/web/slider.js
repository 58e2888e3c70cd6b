// A slider with its number beside it.
import { el } from './dom.js';
import { figure } from './format.js';
import { Held } from './held.js';

/** Positions of a slider whose steps are not those of its values. */
const FINE = 1000;

/**
 * Makes one. `send(value)` returns the promise of an acknowledgement whose applied value is the slider's. A double
 * click sends `usual`. Without a `step` any value can be had. With `log`, positions are even in the logarithm from
 * `min` to `max`, and the first one stands for `lowest`.
 */
export function slider({ name, min = 0, max = 1, step = 0, usual = undefined, log = false, lowest = min, text = figure }, send) {
  const even = step === 0 || log;
  const output = el('output');
  const input = el('input', { type: 'range', min: 0, max: 1, step: 'any', 'aria-label': name });
  const value = (position) => {
    if (!log) return even ? min + (max - min) * position : position;
    return position <= 0 ? lowest : min * (max / min) ** position;
  };
  const position = (shown) => {
    if (!log) return even ? (shown - min) / (max - min || 1) : shown;
    return shown <= min ? 0 : Math.log(shown / min) / Math.log(max / min);
  };
  const held = new Held((shown) => {
    const at = position(shown);
    input.value = at;
    const part = even ? at : (at - min) / (max - min || 1);
    input.style.setProperty('--at', Math.min(1, Math.max(0, part)));
    input.setAttribute('aria-valuetext', text(shown));
    output.textContent = text(shown);
  }).watch(input);
  const told = (shown) => held.sent(shown, send(shown));
  const made = {
    input,
    output,
    held,
    /** Ends that depend on the data. */
    set range([low, high]) {
      [min, max] = [low, high];
      if (!even) [input.min, input.max, input.step] = [min, max, step];
    },
  };
  if (even) [input.min, input.max, input.step] = [0, 1, 1 / FINE];
  made.range = [min, max];
  input.addEventListener('input', () => told(value(Number(input.value))));
  if (usual !== undefined) input.addEventListener('dblclick', () => told(usual));
  return made;
}

// Making and finding elements.

/**
 * The element with this id.
 * @type {(id: string) => any}
 */
export const $ = (id) => document.getElementById(id);

/**
 * Makes an element. `on…` properties become listeners, properties the element knows are set,
 * everything else becomes an attribute.
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Whether keys belong to this element: it is typed into or chosen from. */
export const types = (target) => target.matches('input:not([type="range"], [type="color"]), select, textarea, dialog, dialog *');

/** A label round what it names. */
export const labelled = (text, ...parts) => el('label', {}, el('span', {}, text), ...parts);

const SVG = 'http://www.w3.org/2000/svg';

/** Strokes of a 16 × 16 grid. */
const STROKES = {
  panel: 'M2.5 4h11M2.5 8h11M2.5 12h11',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  play: 'M5 3.2v9.6L12.5 8z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  more: 'M4.5 6.5 8 10l3.5-3.5',
  eye: 'M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8zM8 6.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6z',
  closed: 'M1.5 7.5s2.5 3.7 6.5 3.7 6.5-3.7 6.5-3.7M3.7 9.9l-1 1.6M8 11.2V13M12.3 9.9l1 1.6',
};

/** An icon, hidden from assistive technology: its button carries the name. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', `icon ${name}`);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', STROKES[name]);
  svg.append(path);
  return svg;
}

/** Options of a select from words; `selected` is added where it is not among them and kept as the truth. */
export function fillSelect(select, words, selected) {
  const all = words.includes(selected) ? words : [selected, ...words];
  if (all.length !== select.options.length || all.some((word, i) => select.options[i].value !== word)) {
    select.replaceChildren(...all.map((word) => el('option', { value: word }, word.replaceAll('_', ' '))));
  }
  select.value = select.dataset.truth = selected;
}

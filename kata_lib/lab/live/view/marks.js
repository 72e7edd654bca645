// The marks of changes: a line at each moment, and words above it that never touch their neighbours'.

import { MARKS_AT } from "./axes.js";

/** @import { Axes } from "./axes.js" */
/** @import { MarkedChange } from "./protocol.js" */
/** @import { Shape } from "./shapes.js" */

const APART = 8; // pixels between two words
const SAID = 3; // changes that are said one by one where their words are one
const LINES_APART = 3;

/**
 * Words above the changes that they are about, with the room that they take.
 *
 * @typedef {{ words: string[], from: number, to: number, left: number, right: number, text: string }} Label
 */

/**
 * Return the marks of the changes within the minute.
 *
 * @param {MarkedChange[]} changes
 * @param {number} end the second at which the axis ends
 * @param {Axes} axes
 * @param {(text: string) => number} widthOf
 * @returns {Shape[]}
 */
export function markShapes(changes, end, axes, widthOf) {
  const marked = changes.filter(({ mark, at }) => mark !== null && axes.x(at - end) >= axes.left);
  const places = marked.map(({ mark, at }) => ({ mark: mark ?? "", x: Math.round(axes.x(at - end)) }));
  const said = places.filter(({ mark }) => mark);
  return [
    ...linesAt(
      places.map(({ x }) => x),
      axes,
    ),
    ...labels(said, axes, widthOf).map(({ text, left, right }) => ({
      kind: "mark",
      text,
      x: (left + right) / 2,
      y: MARKS_AT,
      anchor: "middle",
    })),
  ];
}

/**
 * Return a line in each panel for each place, one for places that no eye tells apart.
 *
 * @param {number[]} places
 * @param {Axes} axes
 * @returns {Shape[]}
 */
function linesAt(places, { panels }) {
  const apart = places.filter((x, i) => i === 0 || x - /** @type {number} */ (places[i - 1]) >= LINES_APART);
  return apart.map((x) => ({
    kind: "change-line",
    d: panels.map(({ top, bottom }) => `M${x + 0.5},${top}V${bottom}`).join(""),
  }));
}

/**
 * Return the labels of marks in their order: those that would touch are one.
 *
 * @param {{ mark: string, x: number }[]} marks
 * @param {Axes} axes
 * @param {(text: string) => number} widthOf
 */
function labels(marks, axes, widthOf) {
  /** @type {Label[]} */
  const found = [];
  for (const { mark, x } of marks) {
    let label = labelOf([mark], x, x, axes, widthOf);
    for (let before = found.at(-1); before && before.right + APART > label.left; before = found.at(-1)) {
      found.pop();
      label = labelOf([...before.words, ...label.words], before.from, label.to, axes, widthOf);
    }
    found.push(label);
  }
  return found;
}

/**
 * @param {string[]} words
 * @param {number} from
 * @param {number} to
 * @param {Axes} axes
 * @param {(text: string) => number} widthOf
 * @returns {Label}
 */
function labelOf(words, from, to, { left, right }, widthOf) {
  const text = words.length > SAID ? `${words.length} changes` : words.join(", ");
  const width = widthOf(text);
  const start = Math.max(left, Math.min((from + to - width) / 2, right - width));
  return { words, from, to, left: start, right: start + width, text };
}

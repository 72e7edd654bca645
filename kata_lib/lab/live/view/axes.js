// Where things stand in the picture: three panels, one below the other, over the same seconds. All in pixels of the
// picture's place, whose width may change at any time.

/** @import { Settings } from "./protocol.js" */

/** @typedef {"share" | "failed" | "latency"} PanelName */

/**
 * A panel's room and its scale; unit: what its figures are in.
 *
 * @typedef {{ name: PanelName, title: string, unit: string, top: number, bottom: number, low: number, high: number, step: number }} Panel
 */

/**
 * The picture's scales. x: from seconds, which are at most 0; steps: seconds between two ticks.
 *
 * @typedef {{ width: number, left: number, right: number, seconds: number, x: (seconds: number) => number, panels: Panel[] }} Axes
 */

export const HEIGHT = 396;
export const MARKS_AT = 28; // the line on which the changes' words stand
const LEFT = 58;
const RIGHT = 12;
const TICK_WIDTH = 34; // of the longest word at the axis of seconds, with a space beside it
const FLOOR = { failed: 10, latency: 10 }; // a quiet panel's upper end: a scale that follows noise says nothing
const BELOW = 2; // per cent of the scale: a line at 0 is seen whole

/** @type {[PanelName, string, string, number, number][]} */
const ROOMS = [
  ["share", "share of answers", " %", 36, 196],
  ["failed", "errors of each version", " %", 224, 272],
  ["latency", "latency in ms, median to p95", "", 300, 356],
];

/**
 * Return the scales for a place of this width.
 *
 * @param {number} width
 * @param {Record<"failed" | "latency", number>} most the largest value of the minute
 * @param {Settings} settings
 * @returns {Axes}
 */
export function axesOf(width, most, { minute, top: highest }) {
  const room = Math.max(1, width - LEFT - RIGHT);
  const ticks = [10, 20, 30].find((seconds) => (room * seconds) / minute >= TICK_WIDTH);
  return {
    width,
    left: LEFT,
    right: LEFT + room,
    seconds: ticks ?? minute,
    x: (seconds) => LEFT + (room * (minute + seconds)) / minute,
    panels: ROOMS.map(([name, title, unit, top, bottom]) => {
      const high = name === "share" ? highest : roundAbove(Math.max(most[name], FLOOR[name]));
      const step = name === "share" ? 25 : high / 2;
      return { name, title, unit, top, bottom, low: (-BELOW * high) / 100, high, step };
    }),
  };
}

/**
 * Return how many pixels below the upper edge a value stands; what is above the scale stands at its end.
 *
 * @param {Panel} panel
 * @param {number} value
 */
export const y = ({ top, bottom, low, high }, value) =>
  top + ((bottom - top) * (high - Math.min(value, high))) / (high - low);

/**
 * Return the values at which a panel has a tick.
 *
 * @param {Panel} panel
 */
export const ticksOf = ({ high, step }) =>
  Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => i * step);

/**
 * Return the next of 1, 2, 5, 10, 20, 50 and so on: a scale that moves seldom.
 *
 * @param {number} value
 */
function roundAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * /** @type {number} */ ([1, 2, 5, 10].find((digit) => digit * power >= value));
}

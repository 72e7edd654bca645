// The picture as shapes: paths and words with their places, from lines and axes. Nothing here knows the page.

import { ticksOf, y } from "./axes.js";

/** @import { Axes, Panel } from "./axes.js" */
/** @import { Line } from "./lines.js" */
/** @import { StyleOf } from "./styles.js" */

/**
 * A path, or words where d is missing; kind: what it looks like, which the style sheet says.
 *
 * @typedef {{ kind: string, d?: string, color?: string, dash?: string, text?: string, x?: number, y?: number, anchor?: string }} Shape
 */

/** @typedef {(x: number, y: number) => string} Mark */

/** @type {Mark} */
const CROSS = (x, y) => `M${x - 1.5},${y - 4}h3v2.5h2.5v3h-2.5v2.5h-3v-2.5h-2.5v-3h2.5z`;
/** @type {Record<string, Mark>} */
const SYMBOLS = {
  circle: (x, y) => `M${x - 3},${y}a3,3 0 1 0 6,0a3,3 0 1 0 -6,0z`,
  square: (x, y) => `M${x - 3},${y - 3}h6v6h-6z`,
  diamond: (x, y) => `M${x},${y - 4}l4,4l-4,4l-4,-4z`,
};
/** @type {Record<string, string>} */
const DASHES = { solid: "", dash: "7 4", dashdot: "7 3 2 3", longdash: "11 4", dot: "2 3" };

const HALF_SECOND = 0.4; // how far a band reaches beyond its first and last second

/**
 * Return what stands still while lines move: grid, ticks and titles.
 *
 * @param {Axes} axes
 * @param {number} minute
 * @returns {Shape[]}
 */
export function frameShapes(axes, minute) {
  return [...axes.panels.flatMap((panel) => panelFrame(axes, panel)), ...secondsAxis(axes, minute)];
}

/**
 * @param {Axes} axes
 * @param {Panel} panel
 * @returns {Shape[]}
 */
function panelFrame({ left, right }, panel) {
  const { title, unit, top, bottom } = panel;
  const ticks = ticksOf(panel).map((value) => ({ value, at: y(panel, value) }));
  return [
    { kind: "grid", d: ticks.map(({ at }) => `M${left},${at}H${right}`).join("") },
    { kind: "axis", d: `M${left},${top}V${bottom}H${right}` },
    { kind: "title", text: title, x: left, y: panel.name === "share" ? 12 : top - 8, anchor: "start" },
    ...ticks.map(({ value, at }) => ({
      kind: "tick",
      text: `${value}${unit}`,
      x: left - 6,
      y: at + 4,
      anchor: "end",
    })),
  ];
}

/**
 * @param {Axes} axes
 * @param {number} minute
 * @returns {Shape[]}
 */
function secondsAxis({ seconds, x, panels, left, right }, minute) {
  const bottom = panels.at(-1)?.bottom ?? 0;
  const ticks = Array.from({ length: minute / seconds + 1 }, (_, i) => i * seconds);
  return [
    { kind: "axis", d: ticks.map((ago) => `M${x(-ago)},${bottom}v4`).join("") },
    ...ticks.map((ago) => ({
      kind: "tick",
      text: String(ago),
      x: x(-ago),
      y: bottom + 17,
      anchor: "middle",
    })),
    { kind: "title", text: "seconds ago", x: (left + right) / 2, y: bottom + 34, anchor: "middle" },
  ];
}

/**
 * Return a line's shapes.
 *
 * @param {Line} line
 * @param {Axes} axes
 * @param {StyleOf} styleOf
 * @returns {Shape[]}
 */
export function lineShapes(line, axes, styleOf) {
  const panel = /** @type {Panel} */ (axes.panels.find(({ name }) => name === line.panel));
  const { color, dash, symbol } = styleOf(line.name);
  /** @param {(number | null)[]} values */
  const points = (values) => values.map((value, i) => point(axes, panel, line.x[i] ?? 0, value));
  if (line.kind === "band") {
    return [
      {
        kind: "band",
        color,
        d: bandPath(points(line.y), points(line.to ?? []), axes.x(HALF_SECOND) - axes.x(0)),
      },
    ];
  }
  if (line.kind !== "values") return [{ kind: `${line.kind}-line`, d: stepPath(points(line.y)) }];
  const mark = SYMBOLS[symbol] ?? CROSS;
  const marked = line.panel === "failed" ? line.y.map((value) => value || null) : line.y; // none at no failures
  return [
    { kind: "line", color, dash: DASHES[dash] ?? "", d: linePath(points(line.y)) },
    {
      kind: "marks",
      color,
      d: points(marked)
        .map((at) => (at ? mark(...at) : ""))
        .join(""),
    },
  ];
}

/**
 * Return a version's line and mark as a legend shows them, in a room of this size.
 *
 * @param {string} name
 * @param {StyleOf} styleOf
 * @param {number} width
 * @param {number} height
 * @returns {Shape[]}
 */
export function sampleShapes(name, styleOf, width, height) {
  const { color, dash, symbol } = styleOf(name);
  return [
    { kind: "line", color, dash: DASHES[dash] ?? "", d: `M0,${height / 2}H${width}` },
    { kind: "marks", color, d: (SYMBOLS[symbol] ?? CROSS)(width / 2, height / 2) },
  ];
}

/** @typedef {[number, number] | null} Point */

/**
 * @param {Axes} axes
 * @param {Panel} panel
 * @param {number} seconds
 * @param {number | null} value
 * @returns {Point}
 */
function point(axes, panel, seconds, value) {
  if (value === null) return null;
  return [rounded(Math.max(axes.left, axes.x(seconds))), rounded(y(panel, value))];
}

/** @param {number} pixels */
const rounded = (pixels) => Math.round(10 * pixels) / 10;

/** @param {Point[]} points */
function linePath(points) {
  return points.map((at, i) => (at ? `${points[i - 1] ? "L" : "M"}${at}` : "")).join("");
}

/** @param {Point[]} points */
function stepPath(points) {
  const to = (/** @type {[number, number]} */ [x, y], /** @type {boolean} */ on) =>
    on ? `H${x}V${y}` : `M${x},${y}`;
  return points.map((at, i) => (at ? to(at, Boolean(points[i - 1])) : "")).join("");
}

/**
 * Return the room between two lines, each run of seconds by itself.
 *
 * @param {Point[]} lower
 * @param {Point[]} upper
 * @param {number} beyond
 */
function bandPath(lower, upper, beyond) {
  let d = "";
  for (let i = 0; i < lower.length; i += 1) {
    const begin = i;
    while (lower[i] && upper[i]) i += 1;
    if (i === begin) continue;
    const there = widened(lower.slice(begin, i), beyond);
    const back = widened(upper.slice(begin, i), beyond).reverse();
    d += `M${[...there, ...back].join("L")}z`;
  }
  return d;
}

/**
 * @param {Point[]} points
 * @param {number} beyond
 */
function widened(points, beyond) {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return [];
  return [[rounded(first[0] - beyond), first[1]], ...points, [rounded(last[0] + beyond), last[1]]];
}

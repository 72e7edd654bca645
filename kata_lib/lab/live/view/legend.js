// The legend below the picture: a sample and a name for each version, and for each other line that is there.

import { sampleShapes } from "./shapes.js";
import { fill, find, write } from "./shell.js";
import { drawShapes, newSvg } from "./svg.js";

/** @import { Line } from "./lines.js" */
/** @import { Shape } from "./shapes.js" */
/** @import { StyleOf } from "./styles.js" */

const WIDTH = 30;
const HEIGHT = 12;
const FLAT = `M0,${HEIGHT / 2}H${WIDTH}`;

/**
 * Show what lines there are.
 *
 * @param {HTMLElement} list
 * @param {Line[]} lines
 * @param {StyleOf} styleOf
 */
export function fillLegend(list, lines, styleOf) {
  const names = [...new Set(lines.filter(({ kind }) => kind === "values").map(({ name }) => name))];
  const others = lines.filter(({ kind }) => kind === "pods");
  const items = [
    ...names.map((name) => ({
      words: name === "unknown" ? "version unknown" : name,
      sample: sampleShapes(name, styleOf, WIDTH, HEIGHT),
    })),
    ...(lines.some(({ kind }) => kind === "asked")
      ? [{ words: "asked for", sample: flat("asked-line") }]
      : []),
    ...others.map(({ name }) => ({ words: `${name} by its pods alone`, sample: flat("pods-line") })),
  ];
  fill(list, items, newItem, (item, { words, sample }) => {
    drawShapes(find(item, "svg", SVGSVGElement), sample, WIDTH, HEIGHT);
    write(find(item, "span", HTMLElement), words);
  });
}

/**
 * @param {string} kind
 * @returns {Shape[]}
 */
const flat = (kind) => [{ kind, d: FLAT }];

function newItem() {
  const item = document.createElement("li");
  item.append(newSvg(), document.createElement("span"));
  return item;
}

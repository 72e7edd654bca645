// Shapes in the page: paths and words of an SVG that stay the same elements from picture to picture.

import { fill, write } from "./shell.js";

/** @import { Shape } from "./shapes.js" */

const SVG = "http://www.w3.org/2000/svg";

/** Return an SVG for drawShapes; a reader of screens is told by what stands around it. */
export function newSvg() {
  const svg = document.createElementNS(SVG, "svg");
  set(svg, { "aria-hidden": "true" });
  svg.append(document.createElementNS(SVG, "g"), document.createElementNS(SVG, "g"));
  return svg;
}

/**
 * Show these shapes and no others, words above paths.
 *
 * @param {SVGSVGElement} svg
 * @param {Shape[]} shapes
 * @param {number} width
 * @param {number} height
 */
export function drawShapes(svg, shapes, width, height) {
  set(svg, { width, height });
  const [paths, words] = /** @type {[Element, Element]} */ ([svg.firstElementChild, svg.lastElementChild]);
  fill(
    paths,
    shapes.filter(({ d }) => d !== undefined),
    () => document.createElementNS(SVG, "path"),
    (path, { kind, d = "", color = "", dash = "" }) =>
      set(path, { class: kind, d, color, "stroke-dasharray": dash }),
  );
  fill(
    words,
    shapes.filter(({ text }) => text !== undefined),
    () => document.createElementNS(SVG, "text"),
    (element, { kind, text = "", x = 0, y = 0, anchor = "" }) => {
      set(element, { class: kind, x, y, "text-anchor": anchor });
      write(element, text);
    },
  );
}

/**
 * Set attributes that are others than before; "" is none.
 *
 * @param {Element} element
 * @param {Record<string, string | number>} attributes
 */
function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === "") element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
  }
}

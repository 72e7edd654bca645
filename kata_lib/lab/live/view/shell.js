// What each view is made of: its place in the page, and how to find and change what stands in it.

import { HEIGHT } from "./axes.js";

/** @import { Model } from "./loop.js" */

export const PICTURE = `<div class="picture" style="height: ${HEIGHT}px"><div class="plot" role="img"></div></div>
  <ul class="legend" aria-label="Lines of the picture"></ul>`;

/**
 * Make an element the place of a view, instead of the still picture for readers without a kernel.
 *
 * @param {HTMLElement} el
 * @param {Model} model
 * @param {{ classes: string[], label: string, html: string }} furniture
 */
export function furnish(el, model, { classes, label, html }) {
  el.classList.add(...classes);
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", label);
  // JupyterLab would take the slider's keys: as shortcuts, and as a move of the caret through outputs.
  el.dataset.lmSuppressShortcuts = "true";
  el.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") leave(el);
  });
  el.innerHTML = html;
  el.dataset.still = model.get("still");
  const hide = el.appendChild(document.createElement("style"));
  hide.textContent = `body:has([data-still="${el.dataset.still}"]:not([data-silent])) .kata-still-${el.dataset.still} { display: none }`;
}

/**
 * Give the focus back to the cell, where the notebook's own keys work: Tab alone would lead out of the notebook.
 *
 * @param {HTMLElement} el
 */
function leave(el) {
  const cell = el.closest(".jp-Cell");
  if (cell instanceof HTMLElement) cell.focus();
}

/**
 * Return the first element of a kind that a selector finds; an Error where there is none.
 *
 * @template {Element} E
 * @param {ParentNode} place
 * @param {string} selector
 * @param {new () => E} kind
 */
export function find(place, selector, kind) {
  const found = place.querySelector(selector);
  if (found instanceof kind) return found;
  throw new Error(`expected ${kind.name} at ${selector}; found ${found}`);
}

/**
 * Write a text; the same one again would cost the browser a layout.
 *
 * @param {Node} node
 * @param {string} text
 */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Have as many children as values, and show each value in its child.
 *
 * @template {Element} E, V
 * @param {Element} list
 * @param {V[]} values
 * @param {() => E} make
 * @param {(child: E, value: V, i: number) => void} show
 */
export function fill(list, values, make, show) {
  while (list.children.length > values.length) list.lastElementChild?.remove();
  values.forEach((value, i) => {
    const child = list.children[i] ?? list.appendChild(make());
    show(/** @type {E} */ (child), value, i);
  });
}

// The tables below the pictures, and the chips that name a version in its colour.

import { fill, find, write } from "./shell.js";

/** @import { StyleOf } from "./styles.js" */

const WATCHED = "It may be watched: at all looks together it misses in one of twenty samples at most.";
export const SEQUENCE = `<th scope="col" title="${WATCHED}">95 % confidence sequence</th>`;

/**
 * Show rows, each with its version in front.
 *
 * @param {HTMLTableSectionElement} body
 * @param {{ version: string, cells: string[] }[]} rows
 * @param {StyleOf} styleOf
 */
export function fillTable(body, rows, styleOf) {
  fill(body, rows, newRow, (line, { version, cells }) => {
    paintChip(find(line, "span", HTMLElement), version, styleOf);
    for (const [i, text] of cells.entries()) write(line.cells[i + 1] ?? newCell(line, body), text);
  });
}

function newRow() {
  const line = document.createElement("tr");
  const head = line.appendChild(document.createElement("th"));
  head.scope = "row";
  head.append(document.createElement("span"));
  return line;
}

/**
 * Add a cell that knows what it is called, for a narrow page, which has no room for heads.
 *
 * @param {HTMLTableRowElement} line
 * @param {HTMLTableSectionElement} body
 */
function newCell(line, body) {
  const cell = line.insertCell();
  const head = body.parentElement?.querySelectorAll("thead th")[cell.cellIndex];
  cell.dataset.label = head?.textContent ?? "";
  return cell;
}

/**
 * Make an element the chip of a version.
 *
 * @param {HTMLElement} chip
 * @param {string} version
 * @param {StyleOf} styleOf
 */
export function paintChip(chip, version, styleOf) {
  if (chip.textContent === version) return;
  const { color, ink } = styleOf(version);
  chip.className = "chip";
  chip.textContent = version;
  chip.style.background = color;
  chip.style.color = ink;
}

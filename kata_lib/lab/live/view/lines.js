// The picture's lines, as plotly takes them: whole seconds, what was asked for, and the marks of the changes.

import { RIGHT, sharesAxis } from "./axes.js";
import { changesOf, newestOf, podsOf, rowsOf, versionsOf } from "./store.js";

/** @import { MarkedChange, Second, Settings } from "./protocol.js" */
/** @import { PictureStore } from "./store.js" */
/** @import { StyleOf } from "./styles.js" */

/** @typedef {{ x: number[], y: (number | null)[], name?: string, text?: string[] } & Record<string, unknown>} Line */

const QUIET = "#777777";

/**
 * Return all lines, in an order that stays the same as long as the versions do.
 *
 * @param {PictureStore} store
 * @param {Settings} settings
 * @param {StyleOf} styleOf
 * @returns {Line[]}
 */
export function lines(store, settings, styleOf) {
  const end = Math.floor(store.now) + 1;
  const rows = rowsOf(store).filter(([second]) => second < end - 1);
  const answered = rows.filter(([, answers]) => answers > 0);
  return [
    ...versionsOf(store).flatMap((version) => shareLines(version, answered, end, styleOf)),
    askedLine(changesOf(store), end, settings),
    ...podsLine(podsOf(store), settings),
    marksLine(changesOf(store), end, settings),
    failedLine(rows, end, settings),
  ];
}

/**
 * Return a version's interval, as the space between two lines, and its share.
 *
 * @param {string} version
 * @param {Second[]} rows
 * @param {number} end
 * @param {StyleOf} styleOf
 * @returns {Line[]}
 */
function shareLines(version, rows, end, styleOf) {
  const { color, symbol, dash } = styleOf(version);
  const x = rows.map(([second]) => second + 0.5 - end);
  /** @param {0 | 1 | 2} at */
  const part = (at) => rows.map((row) => row[3][version]?.[at] ?? null);
  const edge = { x, mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false };
  return [
    { ...edge, y: part(1) },
    { ...edge, y: part(2), fill: "tonexty", fillcolor: `${color}33` },
    {
      x,
      y: part(0),
      mode: "lines+markers",
      name: version,
      line: { color, width: 2, dash },
      marker: { color, size: 6, symbol },
      hoverinfo: "text",
      text: rows.map((row) => `${version}: ${row[3][version]?.[0]} % of ${row[1]}`),
    },
  ];
}

/**
 * Return each version's share as it was asked for, one after the other, as one line.
 *
 * @param {MarkedChange[]} changes
 * @param {number} end
 * @param {Settings} settings
 * @returns {Line}
 */
function askedLine(changes, end, { minute, paper }) {
  /** @type {number[]} */
  const x = [];
  /** @type {(number | null)[]} */
  const y = [];
  for (const version of new Set(changes.flatMap((change) => Object.keys(change.after ?? {})))) {
    for (const change of changes) {
      x.push(Math.max(-minute, change.at - end));
      y.push(change.after?.[version] ?? null);
    }
    x.push(RIGHT, RIGHT);
    y.push(y.at(-1) ?? null, null);
  }
  const line = { color: paper.ink, width: 2.5, dash: "dot", shape: "hv" };
  return { x, y, mode: "lines", name: "asked for", hoverinfo: "skip", line };
}

/**
 * @param {Record<string, number>} pods
 * @param {Settings} settings
 * @returns {Line[]}
 */
function podsLine(pods, { minute }) {
  const version = newestOf(pods);
  const share = pods[version ?? ""];
  if (share === undefined) return [];
  const line = { color: QUIET, width: 1, dash: "longdash" };
  const name = `${version} by its pods alone`;
  return [{ x: [-minute, RIGHT], y: [share, share], mode: "lines", name, hoverinfo: "skip", line }];
}

/**
 * Return the marks: lines from bottom to top with words above; neighbours' words stand in two rows. They begin
 * with nothing, for plotly clips the words of a line that was empty when it was drawn first.
 *
 * @param {MarkedChange[]} changes
 * @param {number} end
 * @param {Settings} settings
 * @returns {Line}
 */
function marksLine(changes, end, settings) {
  const [x, text] = [[RIGHT], [""]];
  /** @type {(number | null)[]} */
  const y = [null];
  for (const { at, mark, number } of changes) {
    if (mark === null || at <= end - settings.minute) continue;
    x.push(at - end, at - end, at - end);
    y.push(...sharesAxis(settings), null);
    text.push("", mark && number % 2 ? `${mark}<br> ` : mark, "");
  }
  return {
    x,
    y,
    text,
    mode: "lines+text",
    name: "changes",
    hoverinfo: "skip",
    showlegend: false,
    line: { color: QUIET, width: 1 },
    textposition: "top center",
    textfont: { size: 11 },
    cliponaxis: false,
  };
}

/**
 * @param {Second[]} rows
 * @param {number} end
 * @param {Settings} settings
 * @returns {Line}
 */
function failedLine(rows, end, { paper }) {
  const failed = rows.filter((row) => row[2] > 0);
  return {
    x: failed.map((row) => row[0] + 0.5 - end),
    y: failed.map((row) => row[2]),
    mode: "markers",
    name: "failed",
    marker: { color: paper.ink, symbol: "x", size: 9 },
    hoverinfo: "skip",
  };
}

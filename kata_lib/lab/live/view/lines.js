// What the picture shows, in seconds and values: each version's share, errors and latency, and the shares asked for.

import { changesOf, newestOf, podsOf, rowsOf, versionsOf } from "./store.js";

/** @import { PanelName } from "./axes.js" */
/** @import { Second, VersionSecond } from "./protocol.js" */
/** @import { PictureStore } from "./store.js" */

/**
 * A line of one panel; to: the other edge of a band. A null is a gap.
 *
 * @typedef {{ panel: PanelName, name: string, kind: "values" | "band" | "asked" | "pods", x: number[], y: (number | null)[], to?: (number | null)[] }} Line
 */

/** @typedef {"share" | "low" | "high" | "failed" | "p50" | "p95"} Part */

/** @type {Record<Part, 0 | 1 | 2 | 3 | 4 | 5>} */
const AT = { share: 0, low: 1, high: 2, failed: 3, p50: 4, p95: 5 };

/**
 * Return all lines, bands before what stands on them; the seconds are those before now.
 *
 * @param {PictureStore} store
 * @param {{ minute: number }} settings
 * @returns {Line[]}
 */
export function linesOf(store, { minute }) {
  const end = Math.floor(store.now) + 1;
  const rows = whole(store, end, minute);
  const x = rows.map((row) => (row ? row[0] + 0.5 - end : Number.NaN));
  const versions = versionsOf(store);
  /** @param {string} version @param {Part} part */
  const part = (version, part) => rows.map((row) => row?.[3][version]?.[AT[part]] ?? null);
  /** @param {PanelName} panel @param {string} name @param {Part} from @param {Part} to @returns {Line} */
  const band = (panel, name, from, to) => ({
    panel,
    name,
    kind: "band",
    x,
    y: part(name, from),
    to: part(name, to),
  });
  /** @param {PanelName} panel @param {string} name @param {Part} of @returns {Line} */
  const values = (panel, name, of) => ({ panel, name, kind: "values", x, y: part(name, of) });
  return [
    ...versions.flatMap((name) => [band("share", name, "low", "high"), band("latency", name, "p50", "p95")]),
    ...versions.map((name) => values("share", name, "share")),
    ...asked(store, end, minute),
    ...podsLine(store, minute),
    ...versions.flatMap((name) => [values("failed", name, "failed"), values("latency", name, "p50")]),
  ];
}

/**
 * Return the whole seconds in which something was asked, with nothing where seconds are missing between two.
 *
 * @param {PictureStore} store
 * @param {number} end
 * @param {number} minute
 */
function whole(store, end, minute) {
  /** @type {(Second | null)[]} */
  const rows = [];
  for (const row of rowsOf(store)) {
    const within = row[0] < end - 1 && row[0] >= end - minute;
    if (!within || (row[1] === 0 && row[2] === 0)) continue;
    const before = rows.at(-1);
    if (before && row[0] - before[0] > 1) rows.push(null);
    rows.push(row);
  }
  return rows;
}

/**
 * Return each version's share as it was asked for within the minute, a step at each change.
 *
 * @param {PictureStore} store
 * @param {number} end
 * @param {number} minute
 * @returns {Line[]}
 */
function asked(store, end, minute) {
  const all = changesOf(store);
  const within = all.filter((_, i) => (all[i + 1]?.at ?? end) > end - minute);
  const versions = [...new Set(within.flatMap((change) => Object.keys(change.after ?? {})))].sort();
  return versions.map((name) => ({
    panel: "share",
    name,
    kind: "asked",
    x: [...within.map((change) => Math.max(-minute, change.at - end)), 0],
    y: [...within, within.at(-1)].map((change) => change?.after?.[name] ?? null),
  }));
}

/**
 * Return the newest version's share by its pods alone, where that is known.
 *
 * @param {PictureStore} store
 * @param {number} minute
 * @returns {Line[]}
 */
function podsLine(store, minute) {
  const pods = podsOf(store);
  const name = newestOf(pods) ?? "";
  const share = pods[name];
  if (share === undefined) return [];
  return [{ panel: "share", name, kind: "pods", x: [-minute, 0], y: [share, share] }];
}

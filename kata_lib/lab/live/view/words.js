// What is said in words: the tables' cells, the last change, and the sentence for a screen reader.

/** @import { LabChange, LabWords, Metric } from "./protocol.js" */

const NONE = "–";

/** @param {number} share */
export const percent = (share) => `${Math.round(10 * share) / 10} %`;

/**
 * @template T
 * @param {T | null | undefined} value
 * @param {(value: T) => string} words
 */
const orNone = (value, words = String) => (value == null ? NONE : words(value));

/** @param {{ low: number, high: number }} ends */
const interval = ({ low, high }) => `${low.toFixed(1)} to ${high.toFixed(1)} %`;

/** @param {Record<string, number>} shares */
const eachShare = (shares) =>
  Object.entries(shares)
    .sort()
    .map(([version, share]) => `${version} ${percent(share)}`)
    .join(", ");

/**
 * Say what was asked for: of two versions the newer one's share, of more all.
 *
 * @param {Record<string, number> | null} shares
 */
export function sharesWords(shares) {
  if (shares === null) return "no weights";
  const [newest, ...older] = Object.entries(shares).sort().reverse();
  return newest && older.length < 2 ? percent(newest[1]) : eachShare(shares);
}

/**
 * Say after how long a change was seen; nothing of what was there at the beginning.
 *
 * @param {LabChange | undefined} change
 */
export function seenWords(change) {
  if (!change || change.number === 0) return "";
  const who = change.by === "you" ? "" : " (from elsewhere)";
  const what = `${sharesWords(change.before)} → ${sharesWords(change.after)}${who}`;
  if (change.seen_ms === null) return `${what}: not to be seen in the answers yet`;
  const requests = change.requests === 1 ? "1 request" : `${change.requests} requests`;
  return `${what}: seen after ${change.seen_ms} ms, ${requests}`;
}

/** @param {Record<string, number>} pods */
export const podsWords = (pods) =>
  Object.keys(pods).length ? `Without weights, by the pods: ${eachShare(pods)}.` : "";

/** @param {LabWords} words */
export const captionWords = ({ since }) =>
  `Since the last change: ${since.reduce((sum, share) => sum + share.count, 0)} answers`;

/** @param {LabWords} words */
export const speedWords = ({ recent }) =>
  `${recent.rate} requests/s, ${recent.failed || "none"} failed in ten seconds`;

/**
 * Return the live lab's table: a row for each version that answered or is asked for.
 *
 * @param {LabWords} words
 * @param {Record<string, number> | null} asked
 */
export function versionRows({ since, recent }, asked) {
  const shares = new Map(since.map((share) => [share.version, share]));
  const versions = [...new Set([...shares.keys(), ...Object.keys(recent.versions)])].sort();
  return versions.map((version) => {
    const found = shares.get(version);
    const answered = found?.share == null ? null : found;
    const [p50, p95, failed] = recent.versions[version] ?? [null, null, 0];
    const cells = [
      orNone(asked?.[version], percent),
      orNone(found?.count),
      orNone(found?.share, percent),
      orNone(answered, interval),
      orNone(p50),
      orNone(p95),
      String(failed),
    ];
    return { version, cells };
  });
}

/**
 * Return a release's table: a row for each metric of each version.
 *
 * @param {Metric[]} metrics
 */
export const metricRows = (metrics) =>
  metrics.map((row) => ({
    version: row.version,
    cells: [
      row.metric,
      String(row.requests),
      orNone(row.good, percent),
      row.good === null ? NONE : interval(row),
      orNone(row.least, percent),
    ],
  }));

/**
 * Say in one sentence what is asked for and what answers.
 *
 * @param {LabWords} words
 * @param {Record<string, number> | null} asked
 */
export function spokenWords({ since, recent }, asked) {
  const wanted = asked ? `${sharesWords(asked)} asked for` : "no weights set";
  const answered = since.filter((found) => found.share !== null);
  const seen =
    answered.map((found) => `${found.version} ${found.share} percent`).join(", ") || "no answers yet";
  return `${wanted}; answers: ${seen}${recent.failed ? `; ${recent.failed} requests failed` : ""}.`;
}

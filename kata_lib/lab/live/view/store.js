// What the frames said, put together: seconds and changes of the last minute, and the newest words.

/** @import { MarkedChange, LabWords, ReleaseWords, Second } from "./protocol.js" */

/**
 * What a picture is drawn from. stale: something has changed that stands still between two ticks.
 *
 * @template {MarkedChange} C, W
 * @typedef {object} Store
 * @property {Map<number, Second>} seconds
 * @property {Map<number, C>} changes
 * @property {W | null} words
 * @property {number} now
 * @property {boolean} stale
 */

/** @typedef {Store<MarkedChange, LabWords | ReleaseWords>} PictureStore */

/**
 * What a frame adds to a store.
 *
 * @template {MarkedChange} C, W
 * @typedef {{ whole: boolean, now: number, seconds: Second[], changes: C[], words?: W | null }} PictureNews
 */

/**
 * @template {MarkedChange} C, W
 * @returns {Store<C, W>}
 */
export function emptyStore() {
  return { seconds: new Map(), changes: new Map(), words: null, now: 0, stale: true };
}

/**
 * Put a frame's news into a store, and forget the seconds that are older than the picture's minute.
 *
 * @template {MarkedChange} C, W
 * @param {Store<C, W>} store
 * @param {PictureNews<C, W>} news
 * @param {{ minute: number }} settings
 */
export function merge(store, news, { minute }) {
  if (news.whole) {
    store.seconds.clear();
    store.changes.clear();
  }
  for (const row of news.seconds) store.seconds.set(row[0], row);
  for (const change of news.changes) store.changes.set(change.number, change);
  for (const second of store.seconds.keys()) if (second < news.now - minute - 1) store.seconds.delete(second);
  // Whole seconds and marks stand still between two ticks; only the second that runs moves.
  store.stale ||= news.whole || news.changes.length > 0 || Math.floor(news.now) !== Math.floor(store.now);
  store.words = news.words ?? store.words;
  store.now = news.now;
}

/** @param {Store<MarkedChange, unknown>} store */
export const rowsOf = (store) => [...store.seconds.values()].sort((a, b) => a[0] - b[0]);

/**
 * @template {MarkedChange} C
 * @param {Store<C, unknown>} store
 */
export const changesOf = (store) => [...store.changes.values()].sort((a, b) => a.number - b.number);

/**
 * @template {MarkedChange} C
 * @param {Store<C, unknown>} store
 */
export const lastChange = (store) => changesOf(store).at(-1);

/**
 * Return the last version by name, which is the one that is being released.
 *
 * @param {Record<string, number>} shares
 */
export const newestOf = (shares) => Object.keys(shares).sort().at(-1);

/**
 * Return the shares that the pods' numbers alone would make; a release's words have none.
 *
 * @param {PictureStore} store
 * @returns {Record<string, number>}
 */
export const podsOf = ({ words }) => (words && "pods" in words ? words.pods : {});

/**
 * Return the versions that have a line: those that are asked for or whose pods are there, and those that answered.
 *
 * @param {PictureStore} store
 */
export function versionsOf(store) {
  const asked = Object.keys(lastChange(store)?.after ?? podsOf(store));
  const answered = [...store.seconds.values()].flatMap((row) => Object.keys(row[3]));
  return [...new Set([...asked, ...answered])].sort();
}

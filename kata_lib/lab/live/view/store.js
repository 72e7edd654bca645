// What the frames said, put together: seconds and changes of the last minute, and the newest words.
const MINUTE = 60;

function emptyStore() {
  return { seconds: new Map(), changes: new Map(), words: null, number: 0, now: 0, stale: true, heard: performance.now() };
}

function merge(store, frame) {
  if (frame.whole) {
    store.seconds.clear();
    store.changes.clear();
  }
  for (const row of frame.seconds) store.seconds.set(row[0], row);
  for (const change of frame.changes) store.changes.set(change.number, change);
  for (const number of store.seconds.keys()) if (number < frame.now - MINUTE - 1) store.seconds.delete(number);
  // Whole seconds and marks stand still between two ticks; only the second that runs moves.
  store.stale ||= frame.whole || frame.changes.length > 0 || Math.floor(frame.now) !== Math.floor(store.now);
  store.words = frame.words ?? store.words;
  store.now = frame.now;
  store.heard = performance.now();
}

const rowsOf = (store) => [...store.seconds.values()].sort((a, b) => a[0] - b[0]);
const changesOf = (store) => [...store.changes.values()].sort((a, b) => a.number - b.number);
const lastChange = (store) => changesOf(store).at(-1);
const newestOf = (shares) => Object.keys(shares).sort().at(-1);

function versionsOf(store) {
  const found = new Set(Object.keys(lastChange(store)?.after ?? store.words?.pods ?? {}));
  for (const row of store.seconds.values()) for (const version of Object.keys(row[3])) found.add(version);
  return [...found].sort();
}

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  changesOf,
  emptyStore,
  lastChange,
  merge,
  podsOf,
  rowsOf,
  versionsOf,
} from "../../kata_lib/lab/live/view/store.js";
import { change, news, second, WORDS } from "./frames.js";
import { SETTINGS } from "./settings.js";

/** @import { LabChange, LabNews, LabWords } from "../../kata_lib/lab/live/view/protocol.js" */
/** @import { Store } from "../../kata_lib/lab/live/view/store.js" */

/** @param {Partial<LabNews>[]} frames */
function storeOf(...frames) {
  /** @type {Store<LabChange, LabWords>} */
  const store = emptyStore();
  for (const frame of frames) {
    store.stale = false;
    merge(store, news(frame), SETTINGS);
  }
  return store;
}

test("a second that comes again replaces the one that was there", () => {
  const store = storeOf({ now: 2, seconds: [second(1), second(0)] }, { now: 2.1, seconds: [second(1, 40)] });
  assert.deepEqual(rowsOf(store), [second(0), second(1, 40)]);
});

test("seconds older than the picture's minute are forgotten", () => {
  const store = storeOf({ now: 1, seconds: [second(0), second(1)] }, { now: 62, seconds: [second(62)] });
  assert.deepEqual(
    rowsOf(store).map(([at]) => at),
    [1, 62],
  );
});

test("a whole frame replaces everything but words that it does not have", () => {
  const before = { now: 5, seconds: [second(4)], changes: [change({ number: 3 })], words: WORDS };
  const store = storeOf(before, { whole: true, now: 6, seconds: [second(5)], changes: [change()] });
  assert.deepEqual(rowsOf(store), [second(5)]);
  assert.deepEqual(changesOf(store), [change()]);
  assert.equal(store.words, WORDS);
});

test("a change that was seen replaces the one that was not", () => {
  const store = storeOf(
    { changes: [change(), change({ number: 1 })] },
    { changes: [change({ number: 1, seen_ms: 80 })] },
  );
  assert.equal(lastChange(store)?.seen_ms, 80);
  assert.equal(changesOf(store).length, 2);
});

for (const [what, frame, stale] of /** @type {[string, Partial<LabNews>, boolean][]} */ ([
  ["news of the second that runs", { now: 5.3, seconds: [second(5)] }, false],
  ["another second", { now: 6 }, true],
  ["a change", { now: 5.3, changes: [change({ number: 1 })] }, true],
  ["everything", { now: 5.3, whole: true }, true],
])) {
  test(`${what} ${stale ? "makes" : "does not make"} the picture stale`, () => {
    assert.equal(storeOf({ now: 5.2 }, frame).stale, stale);
  });
}

test("a picture stays stale until it is drawn", () => {
  const store = storeOf({ now: 5.2 });
  merge(store, news({ now: 6 }), SETTINGS);
  merge(store, news({ now: 6.1 }), SETTINGS);
  assert.equal(store.stale, true);
});

test("versions are those asked for, or whose pods are there, and those that answered", () => {
  assert.deepEqual(versionsOf(storeOf({ words: WORDS })), ["v1", "v2"]);
  assert.deepEqual(versionsOf(storeOf({ changes: [change({ after: { v3: 100 } })], words: WORDS })), ["v3"]);
  assert.deepEqual(versionsOf(storeOf({ seconds: [second(0)], changes: [change({ after: { v3: 100 } })] })), [
    "v1",
    "v2",
    "v3",
  ]);
});

test("a release says nothing of pods", () => {
  assert.deepEqual(podsOf({ ...emptyStore(), words: { note: "" } }), {});
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { linesOf } from "../../kata_lib/lab/live/view/lines.js";
import { emptyStore, merge } from "../../kata_lib/lab/live/view/store.js";
import { stylesOf } from "../../kata_lib/lab/live/view/styles.js";
import { change, news, second, WORDS } from "./frames.js";
import { SETTINGS } from "./settings.js";

/** @import { LabChange, LabNews, LabWords } from "../../kata_lib/lab/live/view/protocol.js" */
/** @import { Store } from "../../kata_lib/lab/live/view/store.js" */

const styleOf = stylesOf(SETTINGS);

/** @param {Partial<LabNews>} frame */
function lines(frame) {
  /** @type {Store<LabChange, LabWords>} */
  const store = emptyStore();
  merge(store, news({ changes: [change()], ...frame }), SETTINGS);
  return new Map(linesOf(store, SETTINGS).map((line) => [`${line.panel} ${line.kind} ${line.name}`, line]));
}

test("each whole second is a point in its middle, and the one that runs is none", () => {
  const v2 = lines({ now: 3.4, seconds: [second(1), second(2, 20), second(3, 90)] }).get("share values v2");
  assert.deepEqual([v2?.x, v2?.y], [[-2.5, -1.5], [10, 20]]); // biome-ignore format: two rows
});

test("a second in which nobody asked is a gap, also where several are missing", () => {
  const found = lines({ now: 9, seconds: [second(1), second(2, 10, 0), second(3), second(7)] });
  assert.deepEqual(found.get("share values v2")?.y, [10, null, 10, null, 10]);
});

test("failures without an answer are errors and no share", () => {
  const found = lines({ now: 3, seconds: [[1, 0, 100, { v2: [null, null, null, 100, null, null] }]] });
  assert.deepEqual(found.get("share values v2")?.y, [null]);
  assert.deepEqual(found.get("failed values v2")?.y, [100]);
  assert.deepEqual(found.get("latency values v2")?.y, [null]);
});

test("errors and latency have the seconds of the shares", () => {
  const found = lines({ now: 3, seconds: [second(1)] });
  assert.deepEqual(found.get("failed values v1")?.y, [0]);
  const latency = found.get("latency band v2");
  assert.deepEqual([latency?.x, latency?.y, latency?.to], [[-2.5], [4], [12]]);
});

test("what was asked for goes on to the right edge, and begins at the left one", () => {
  const changes = [change(), change({ number: 1, at: 40, after: { v1: 50, v2: 50 } })];
  const asked = lines({ now: 59.5, changes }).get("share asked v2");
  assert.deepEqual([asked?.x, asked?.y], [[-60, -20, 0], [10, 50, 50]]); // biome-ignore format: two rows
  const older = [...changes, change({ number: 2, at: 90, after: { v1: 0, v2: 100 } })];
  const later = lines({ now: 119.5, changes: older }).get("share asked v2");
  assert.deepEqual([later?.x, later?.y], [[-60, -30, 0], [50, 100, 100]]); // biome-ignore format: two rows
});

test("the newest version's part by its pods is a line, where that is known", () => {
  assert.deepEqual(lines({ words: WORDS }).get("share pods v2")?.y, [33.3, 33.3]);
  assert.equal(lines({ words: { ...WORDS, pods: {} } }).has("share pods v2"), false);
});

test("every version has its lines, also one that nobody has asked yet", () => {
  const found = lines({ changes: [change({ after: { v1: 90, v2: 10, v3: 0 } })] });
  for (const version of ["v1", "v2", "v3"]) assert.ok(found.has(`share values ${version}`));
});

test("a subset looks as its version, and an unknown version as any other", () => {
  assert.equal(styleOf("name-v2"), SETTINGS.styles.v2);
  assert.equal(styleOf("unknown"), SETTINGS.other);
});

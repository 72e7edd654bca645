import assert from "node:assert/strict";
import { test } from "node:test";

import { heightOf, layout, runningRight, sharesAxis } from "../../kata_lib/lab/live/view/axes.js";
import { lines } from "../../kata_lib/lab/live/view/lines.js";
import { emptyStore, merge } from "../../kata_lib/lab/live/view/store.js";
import { stylesOf } from "../../kata_lib/lab/live/view/styles.js";
import { change, news, second, WORDS } from "./frames.js";
import { SETTINGS } from "./settings.js";

/** @import { LabChange, LabNews, LabWords } from "../../kata_lib/lab/live/view/protocol.js" */
/** @import { Store } from "../../kata_lib/lab/live/view/store.js" */

const styleOf = stylesOf(SETTINGS);

/** @param {Partial<LabNews>} frame */
function linesOf(frame) {
  /** @type {Store<LabChange, LabWords>} */
  const store = emptyStore();
  merge(store, news({ changes: [change()], ...frame }), SETTINGS);
  return new Map(lines(store, SETTINGS, styleOf).map((line) => [line.name, line]));
}

test("each whole second is a point in its middle, and the one that runs is none", () => {
  const v2 = linesOf({ now: 3.4, seconds: [second(1), second(2, 20), second(3, 90)] }).get("v2");
  assert.deepEqual(
    [v2?.x, v2?.y],
    [
      [-2.5, -1.5],
      [10, 20],
    ],
  );
  assert.deepEqual(v2?.text, ["v2: 10 % of 50", "v2: 20 % of 50"]);
});

test("a second without answers is no point, and its failures are a mark", () => {
  const found = linesOf({ now: 3, seconds: [[1, 0, 100, {}]] });
  assert.deepEqual([found.get("v1")?.x, found.get("failed")?.y], [[], [100]]);
});

test("what was asked for goes on to the right edge, version by version", () => {
  const changes = [change(), change({ number: 1, at: 40, after: { v1: 50, v2: 50 } })];
  const asked = linesOf({ now: 59.5, changes }).get("asked for");
  assert.deepEqual(asked?.x, [-60, -20, 0.5, 0.5, -60, -20, 0.5, 0.5]);
  assert.deepEqual(asked?.y, [90, 50, 50, null, 10, 50, 50, null]);
});

test("marks stand where the changes were, neighbours' words in two rows", () => {
  const changes = [
    change(),
    change({ number: 1, at: 10, mark: "…" }),
    change({ number: 2, at: 70, mark: "80 ms" }),
    change({ number: 3, at: 80, mark: "90 ms" }),
    change({ number: 5, at: 90, mark: "" }),
  ];
  const marks = linesOf({ now: 99.5, changes }).get("changes");
  assert.deepEqual(
    marks?.text?.filter((words) => words),
    ["80 ms", "90 ms<br> "],
  );
  assert.deepEqual(marks?.x, [0.5, -30, -30, -30, -20, -20, -20, -10, -10, -10]);
  assert.deepEqual(marks?.y.slice(0, 4), [null, -2, 105, null]);
});

test("the newest version's part by its pods is a line, where that is known", () => {
  assert.deepEqual(linesOf({ words: WORDS }).get("v2 by its pods alone")?.y, [33.3, 33.3]);
  assert.equal(linesOf({ words: { ...WORDS, pods: {} } }).has("v2 by its pods alone"), false);
});

test("the lines are the same ones from frame to frame", () => {
  const names = [...linesOf({ now: 3, seconds: [second(1)], words: WORDS }).keys()];
  assert.deepEqual([...linesOf({ now: 9, seconds: [second(7)], words: WORDS }).keys()], names);
});

test("a subset looks as its version, and an unknown version as any other", () => {
  assert.equal(styleOf("name-v2"), SETTINGS.styles.v2);
  assert.equal(styleOf("unknown"), SETTINGS.other);
});

test("the second that runs stands where the axes would have it", () => {
  const [low, high] = sharesAxis(SETTINGS);
  assert.deepEqual([heightOf(high, SETTINGS), heightOf(low, SETTINGS)], [36, 300 - 76]);
  assert.equal(runningRight(SETTINGS), `calc(7px + (100% - 72px) * ${1 / 60.5})`);
});

test("the axis of seconds is the minute of the settings", () => {
  const { xaxis, yaxis } = layout({ ...SETTINGS, minute: 30 });
  assert.deepEqual(
    [xaxis.range, xaxis.ticktext],
    [
      [-30, 0.5],
      [30, 20, 10, 0],
    ],
  );
  assert.deepEqual(yaxis.range, [-2, 105]);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  captionWords,
  metricRows,
  podsWords,
  seenWords,
  sharesWords,
  speedWords,
  spokenWords,
  versionRows,
} from "../../kata_lib/lab/live/view/words.js";
import { change, WORDS } from "./frames.js";

/** @import { LabWords } from "../../kata_lib/lab/live/view/protocol.js" */

const ASKED = { v1: 90, v2: 10 };

test("of two versions the newer one's share is said, of more all", () => {
  assert.equal(sharesWords({ v2: 10, v1: 90 }), "10 %");
  assert.equal(sharesWords({ v1: 50, v2: 40, v3: 10 }), "v1 50 %, v2 40 %, v3 10 %");
  assert.equal(sharesWords({ v1: 66.6666, v2: 33.3333 }), "33.3 %");
  assert.equal(sharesWords(null), "no weights");
});

for (const [parts, words] of /** @type {const} */ ([
  [{ number: 0 }, ""],
  [{ seen_ms: null }, "10 % → 50 %: not to be seen in the answers yet"],
  [{ seen_ms: 80, requests: 1 }, "10 % → 50 %: seen after 80 ms, 1 request"],
  [{ seen_ms: 80, requests: 12 }, "10 % → 50 %: seen after 80 ms, 12 requests"],
  [{ by: "elsewhere", after: null }, "10 % → no weights (from elsewhere): not to be seen in the answers yet"],
])) {
  test(`a change is told: ${words || "nothing of the first"}`, () => {
    const made = change({ number: 1, before: ASKED, after: { v1: 50, v2: 50 }, by: "you", ...parts });
    assert.equal(seenWords(made), words);
  });
}

test("nothing is told of no change", () => assert.equal(seenWords(undefined), ""));

test("the pods' part is told where there are pods", () => {
  assert.equal(podsWords(WORDS.pods), "Without weights, by the pods: v1 66.7 %, v2 33.3 %.");
  assert.equal(podsWords({}), "");
});

test("caption and speed", () => {
  assert.equal(captionWords(WORDS), "Since the last change: 10 answers");
  assert.equal(speedWords(WORDS), "50 requests/s, none failed in ten seconds");
  const failing = { ...WORDS, recent: { ...WORDS.recent, failed: 3 } };
  assert.equal(speedWords(failing), "50 requests/s, 3 failed in ten seconds");
});

test("a version has a row if it answered or is asked for", () => {
  /** @type {LabWords} */
  const failing = { ...WORDS, recent: { rate: 50, failed: 7, versions: { v3: [null, null, 7] } } };
  assert.deepEqual(versionRows(failing, ASKED), [
    { version: "v1", cells: ["90 %", "9", "90 %", "59.6 to 98.2 %", "–", "–", "0"] },
    { version: "v2", cells: ["10 %", "1", "10 %", "1.8 to 40.4 %", "–", "–", "0"] },
    { version: "v3", cells: ["–", "–", "–", "–", "–", "–", "7"] },
  ]);
});

test("of no answers there is no share", () => {
  const since = [{ version: "v1", count: 0, share: null, low: 0, high: 100 }];
  const [row] = versionRows({ ...WORDS, since }, null);
  assert.deepEqual(row, { version: "v1", cells: ["–", "0", "–", "–", "2.5", "4", "0"] });
  assert.equal(spokenWords({ ...WORDS, since }, null), "no weights set; answers: no answers yet.");
});

test("a screen reader hears shares and failures", () => {
  assert.equal(spokenWords(WORDS, ASKED), "10 % asked for; answers: v1 90 percent, v2 10 percent.");
  const failing = { ...WORDS, recent: { ...WORDS.recent, failed: 3 } };
  assert.match(spokenWords(failing, ASKED), /v2 10 percent; 3 requests failed\.$/);
});

test("a metric that counted nothing has no figures", () => {
  const counted = {
    version: "name-v2",
    metric: "success-rate",
    requests: 40,
    good: 97.5,
    low: 87.1,
    high: 99.6,
    least: 95,
  };
  const nothing = { ...counted, requests: 0, good: null, low: 0, high: 100, least: null };
  assert.deepEqual(metricRows([counted, nothing]), [
    { version: "name-v2", cells: ["success-rate", "40", "97.5 %", "87.1 to 99.6 %", "95 %"] },
    { version: "name-v2", cells: ["success-rate", "0", "–", "–", "–"] },
  ]);
});

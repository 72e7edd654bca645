import assert from "node:assert/strict";
import { test } from "node:test";

import { Answers } from "../../kata_lib/lab/live/view/answers.js";
import { SETTINGS } from "./settings.js";

/** @import { TestContext } from "node:test" */

/** @param {TestContext} t */
function answers({ mock }) {
  mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {number[]} */
  const sent = [];
  return { answers: new Answers(SETTINGS, (number) => sent.push(number)), sent, timers: mock.timers };
}

test("one answer, two seconds after the first frame, speaks for all until then", (t) => {
  const { answers: made, sent, timers } = answers(t);
  for (let number = 1; number <= 19; number++) {
    made.drawn(number);
    timers.tick(100);
  }
  assert.deepEqual(sent, []);
  timers.tick(100);
  assert.deepEqual(sent, [19]);
});

test("twenty frames are answered at once, and the clock begins anew", (t) => {
  const { answers: made, sent, timers } = answers(t);
  for (let number = 1; number <= 21; number++) made.drawn(number);
  assert.deepEqual(sent, [20]);
  timers.tick(1999);
  assert.deepEqual(sent, [20]);
  timers.tick(1);
  assert.deepEqual(sent, [20, 21]);
});

test("after a new beginning nothing from before is waited for", (t) => {
  const { answers: made, sent } = answers(t);
  made.begin(100);
  made.drawn(101);
  assert.deepEqual(sent, []);
});

test("without a frame there is no answer", (t) => {
  const { sent, timers } = answers(t);
  timers.tick(60_000);
  assert.deepEqual(sent, []);
});

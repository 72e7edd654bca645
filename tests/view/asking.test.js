import assert from "node:assert/strict";
import { test } from "node:test";

import { Asking } from "../../kata_lib/lab/live/view/asking.js";

/** @import { TestContext } from "node:test" */
/** @import { SetWeight } from "../../kata_lib/lab/live/view/protocol.js" */

/** @param {TestContext} t */
function asking({ mock }) {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  /** @type {SetWeight[]} */
  const sent = [];
  return { asking: new Asking((message) => sent.push(message)), sent, timers: mock.timers };
}

test("of keys in quick succession the first goes out at once, and the last", (t) => {
  const { asking: made, sent, timers } = asking(t);
  for (let value = 1; value <= 20; value++) {
    made.ask("v2", value);
    timers.tick(30);
  }
  timers.tick(200);
  assert.deepEqual(
    sent.map(({ value }) => value),
    [1, 20],
  );
});

test("a drag is one weight: the one at which it ends, however long it takes", (t) => {
  const { asking: made, sent, timers } = asking(t);
  made.drag("v2");
  for (let value = 1; value <= 20; value++) {
    made.ask("v2", value);
    timers.tick(300);
  }
  assert.deepEqual(sent, []);
  made.drag("");
  timers.tick(0);
  assert.deepEqual(
    sent.map(({ value }) => value),
    [20],
  );
});

test("a slider is a person's until the kernel has handled what they asked for", (t) => {
  const { asking: made, sent, timers } = asking(t);
  made.ask("v2", 30);
  assert.deepEqual([made.holds("v1"), made.holds("v2")], [false, true]);
  timers.tick(0);
  made.handled(0);
  assert.equal(made.holds("v2"), true);
  made.handled(sent[0]?.number ?? Number.NaN);
  assert.equal(made.holds("v2"), false);
});

test("what was handled is old when another weight is on its way", (t) => {
  const { asking: made, sent, timers } = asking(t);
  made.ask("v2", 30);
  timers.tick(0);
  made.ask("v2", 40);
  made.handled(sent[0]?.number ?? Number.NaN);
  assert.equal(made.holds("v2"), true);
});

test("a slider that is dragged is held until it is let go", (t) => {
  const { asking: made } = asking(t);
  made.drag("v2");
  assert.equal(made.holds("v2"), true);
  made.drag("");
  assert.equal(made.holds("v2"), false);
});

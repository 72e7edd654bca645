import assert from "node:assert/strict";
import { test } from "node:test";

import { axesOf } from "../../kata_lib/lab/live/view/axes.js";
import { markShapes } from "../../kata_lib/lab/live/view/marks.js";
import { change } from "./frames.js";
import { SETTINGS } from "./settings.js";

const CHARACTER = 6;
const axes = axesOf(670, { failed: 0, latency: 0 }, SETTINGS); // ten pixels a second, from 58 to 658

/**
 * Return the words of marks at these seconds ago, with the room that each takes, and the number of lines.
 *
 * @param {[number, string | null][]} marks
 */
function said(marks) {
  const changes = marks.map(([ago, mark], number) => change({ number, at: 60 - ago, mark }));
  const shapes = markShapes(changes, 60, axes, (text) => CHARACTER * text.length);
  const words = shapes.flatMap(({ text, x = 0 }) => {
    const half = (CHARACTER * (text?.length ?? 0)) / 2;
    return text ? [{ text, left: x - half, right: x + half }] : [];
  });
  return { words, lines: shapes.filter(({ d }) => d).length };
}

const texts = (/** @type {[number, string | null][]} */ marks) => said(marks).words.map(({ text }) => text);

test("a mark's words stand above its line", () => {
  const { words, lines } = said([[30, "80 ms"]]);
  assert.deepEqual(words, [{ text: "80 ms", left: 343, right: 373 }]);
  assert.equal(lines, 1);
});

test("words that would touch are one label, many are counted", () => {
  assert.deepEqual(texts([[30, "80 ms"], [29, "90 ms"], [10, "70 ms"]]), ["80 ms, 90 ms", "70 ms"]); // biome-ignore format: one row
  assert.deepEqual(texts([30, 29, 28, 27].map((ago) => [ago, "80 ms"])), ["4 changes"]);
});

test("no two labels touch and none leaves the axes, wherever the marks are", () => {
  for (let apart = 0.1; apart < 8; apart += 0.3) {
    const marks = Array.from(
      { length: 8 },
      (_, i) => /** @type {[number, string]} */ ([60 - i * apart, "128 ms"]),
    );
    const { words } = said(marks);
    for (const [i, { left, right }] of words.entries()) {
      assert.ok(left >= axes.left && right <= axes.right);
      const next = words[i + 1];
      assert.ok(next === undefined || next.left > right);
    }
  }
});

test("a change without a mark, or from before the minute, is not marked; one without words is a line", () => {
  assert.deepEqual(said([[30, null], [61, "80 ms"]]), { words: [], lines: 0 }); // biome-ignore format: one row
  assert.deepEqual(said([[30, ""]]), { words: [], lines: 1 });
});

test("lines that no eye tells apart are one", () => {
  assert.equal(said([[30, ""], [29.9, ""], [20, ""]]).lines, 2); // biome-ignore format: one row
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { axesOf, ticksOf, y } from "../../kata_lib/lab/live/view/axes.js";
import { frameShapes, lineShapes } from "../../kata_lib/lab/live/view/shapes.js";
import { stylesOf } from "../../kata_lib/lab/live/view/styles.js";
import { SETTINGS } from "./settings.js";

/** @import { Line } from "../../kata_lib/lab/live/view/lines.js" */

const QUIET = { failed: 0, latency: 0 };
const axes = axesOf(670, QUIET, SETTINGS);
const [share] = axes.panels;

/** @param {Partial<Line>} line */
const shapesOf = (line) =>
  lineShapes({ panel: "share", name: "v2", kind: "values", x: [], y: [], ...line }, axes, stylesOf(SETTINGS));

test("the axis of seconds is the minute of the settings, with ticks that have room", () => {
  assert.deepEqual([axes.x(-60), axes.x(0), axes.seconds], [58, 658, 10]);
  assert.equal(axesOf(200, QUIET, SETTINGS).seconds, 20);
  assert.equal(axesOf(150, QUIET, SETTINGS).seconds, 30);
});

test("the axis of shares stands still, the others grow by steps", () => {
  assert.deepEqual(share && ticksOf(share), [0, 25, 50, 75, 100]);
  const highs = (/** @type {number} */ most) =>
    axesOf(670, { failed: most, latency: most }, SETTINGS).panels.map(({ high }) => high);
  assert.deepEqual(highs(0), [105, 10, 10]);
  assert.deepEqual(highs(11), [105, 20, 20]);
  assert.deepEqual(highs(100), [105, 100, 100]);
});

test("a value above the scale stands at its end, and zero above its bottom", () => {
  if (!share) throw new Error("no panel");
  assert.equal(y(share, 200), share.top);
  assert.ok(y(share, 0) < share.bottom);
});

test("a gap parts a line, its band and its marks", () => {
  const x = [-5.5, -4.5, -2.5, -1.5];
  const [line, marks] = shapesOf({ x: [-5.5, -4.5, Number.NaN, -1.5], y: [10, 10, null, 10] });
  assert.equal(line?.d?.match(/M/g)?.length, 2);
  assert.equal(marks?.d?.match(/M/g)?.length, 3);
  const [band] = shapesOf({ kind: "band", x, y: [10, 10, null, 10], to: [20, 20, null, 20] });
  assert.equal(band?.d?.match(/z/g)?.length, 2);
});

test("what was asked for goes from step to step", () => {
  const [asked] = shapesOf({ kind: "asked", x: [-60, -30, 0], y: [10, 50, 50] });
  assert.match(asked?.d ?? "", /^M58,[\d.]+H358V[\d.]+H658V[\d.]+$/);
});

test("a second without failures has no mark among the errors", () => {
  const [, marks] = shapesOf({ panel: "failed", x: [-2.5, -1.5], y: [0, 5] });
  assert.equal(marks?.d?.match(/M/g)?.length, 1);
});

test("every panel says what it shows", () => {
  const titles = frameShapes(axes, 60).filter(({ kind }) => kind === "title");
  assert.deepEqual(
    titles.map(({ text }) => text),
    [...axes.panels.map(({ title }) => title), "seconds ago"],
  );
});

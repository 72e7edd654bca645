import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";

import { loadPlotly } from "../../kata_lib/lab/live/view/plotly.js";

/** @import { Model } from "../../kata_lib/lab/live/view/loop.js" */

/** A kernel that hands out a script when the test says so. */
class Kernel {
  asked = 0;
  /** @type {Set<(message: object, buffers: DataView[]) => void>} */
  #hearing = new Set();

  /** @returns {Model} */
  get model() {
    const model = {
      send: () => this.asked++,
      on: (/** @type {string} */ _, /** @type {() => void} */ hear) => this.#hearing.add(hear),
      off: (/** @type {string} */ _, /** @type {() => void} */ hear) => this.#hearing.delete(hear),
    };
    return /** @type {Model} */ (/** @type {unknown} */ (model));
  }

  /** @param {string} text */
  give(text) {
    const { buffer } = new Uint8Array(gzipSync(text));
    for (const hear of this.#hearing) hear({ type: "script" }, [new DataView(buffer)]);
  }
}

beforeEach(() => Reflect.deleteProperty(globalThis, "kataPlotly"));

test("the script is asked for once for all views of a page", async () => {
  const kernel = new Kernel();
  const loading = [loadPlotly(kernel.model), loadPlotly(kernel.model)];
  kernel.give("module.exports = { react: 'drawn' };");
  const [one, two] = await Promise.all(loading);
  assert.equal(one?.react, "drawn");
  assert.equal(one, two);
  assert.equal(kernel.asked, 1);
});

test("a kernel that sends no script is told of, and asked again by the next view", async ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const kernel = new Kernel();
  const loading = loadPlotly(kernel.model);
  mock.timers.tick(20_000);
  await assert.rejects(loading, /The kernel did not send plotly\.js\./);
  const again = loadPlotly(kernel.model);
  kernel.give("module.exports = { react: 'drawn' };");
  assert.equal((await again).react, "drawn");
  assert.equal(kernel.asked, 2);
});

test("a script that is none is told of", async () => {
  const kernel = new Kernel();
  const loading = loadPlotly(kernel.model);
  kernel.give("no script");
  await assert.rejects(loading, SyntaxError);
});

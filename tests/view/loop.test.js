import assert from "node:assert/strict";
import { test } from "node:test";

import { Loop } from "../../kata_lib/lab/live/view/loop.js";
import { SETTINGS } from "./settings.js";

/** @import { TestContext } from "node:test" */
/** @import { Model } from "../../kata_lib/lab/live/view/loop.js" */
/** @import { GraphNews, Message } from "../../kata_lib/lab/live/view/protocol.js" */

/** @typedef {{ words: GraphNews | null, stale: boolean }} State */

/** A page and a kernel whose moments the test decides, and a view that notes what it is told. */
class Bench {
  now = 0;
  visible = true;
  /** @type {(() => void)[]} */
  pictures = [];
  /** @type {Message[]} */
  said = [];
  /** @type {string[]} */
  drawn = [];
  /** @type {string[]} */
  notes = [];
  closed = 0;
  /** @type {Set<(message: object) => void>} */
  #hearing = new Set();
  #number = 0;

  /** @param {TestContext} t */
  constructor({ mock }) {
    mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    this.timers = mock.timers;
    const model = {
      get: () => SETTINGS,
      send: (/** @type {Message} */ message) => this.said.push(message),
      on: (/** @type {string} */ _, /** @type {(message: object) => void} */ hear) => this.#hearing.add(hear),
      off: (/** @type {string} */ _, /** @type {(message: object) => void} */ hear) =>
        this.#hearing.delete(hear),
    };
    const page = {
      now: () => this.now,
      atNextPicture: (/** @type {() => void} */ draw) => void this.pictures.push(draw),
      isVisible: () => this.visible,
      wantsLessMotion: () => false,
    };
    this.loop = new Loop(/** @type {Model} */ (/** @type {unknown} */ (model)), this.kind(), page);
    this.stop = this.loop.listen();
  }

  kind() {
    return {
      empty: () => /** @type {State} */ ({ words: null, stale: true }),
      merge: (/** @type {State} */ state, /** @type {GraphNews} */ news) => {
        state.words = news;
        state.stale = true;
      },
      load: async () => {},
      view: () => ({
        draw: (/** @type {State} */ { words }) => void this.drawn.push(words?.note ?? ""),
        note: (/** @type {string} */ words) => void this.notes.push(words),
        close: () => void this.closed++,
      }),
    };
  }

  async show() {
    const el = /** @type {HTMLElement} */ (/** @type {unknown} */ ({ dataset: {} }));
    const close = this.loop.show(el);
    await Promise.resolve();
    return { el, close };
  }

  /** @param {string} note */
  frame(note) {
    const frame = { type: "frame", number: ++this.#number, news: { view: "graph", note } };
    for (const hear of this.#hearing) hear(frame);
  }

  picture() {
    for (const draw of this.pictures.splice(0)) draw();
  }

  /** @param {number} seconds */
  wait(seconds) {
    for (let i = 0; i < seconds; i++) {
      this.now += 1000;
      this.timers.tick(1000);
    }
  }
}

test("a view that is there asks for everything", async (t) => {
  const bench = new Bench(t);
  assert.deepEqual(bench.said, []);
  await bench.show();
  assert.deepEqual(bench.said, [{ type: "shown", calm: false }]);
});

test("frames between two pictures of the page are drawn once, and answered", async (t) => {
  const bench = new Bench(t);
  const { el } = await bench.show();
  bench.frame("one");
  bench.frame("two");
  assert.equal(bench.pictures.length, 1);
  bench.picture();
  assert.deepEqual([bench.drawn, el.dataset.frames], [["two"], "1"]);
  bench.wait(2);
  assert.deepEqual(bench.said.at(-1), { type: "drawn", number: 2 });
});

test("a page that draws nothing answers nothing", async (t) => {
  const bench = new Bench(t);
  await bench.show();
  for (let i = 0; i < 30; i++) bench.frame("unseen");
  bench.wait(5);
  assert.deepEqual(bench.said, [{ type: "shown", calm: false }]);
});

test("without a view nothing is drawn or answered", async (t) => {
  const bench = new Bench(t);
  const { close } = await bench.show();
  close();
  bench.frame("one");
  bench.picture();
  bench.wait(10);
  assert.deepEqual([bench.drawn, bench.closed, bench.said.length], [[], 1, 1]);
});

test("a view that is gone before what it needs has come is never made", async (t) => {
  const bench = new Bench(t);
  const close = bench.loop.show(/** @type {HTMLElement} */ ({}));
  close();
  await Promise.resolve();
  assert.deepEqual([bench.said, bench.closed], [[], 0]);
});

test("a silent kernel is noted and asked again every six seconds while the page is visible", async (t) => {
  const bench = new Bench(t);
  await bench.show();
  bench.wait(5);
  assert.equal(bench.notes.length, 0);
  bench.wait(7);
  assert.equal(bench.notes.length, 2);
  assert.match(bench.notes[0] ?? "", /No word from the kernel/);
  assert.equal(bench.said.length, 3);
  bench.visible = false;
  bench.wait(12);
  assert.equal(bench.said.length, 3);
});

test("a kernel that speaks is not asked", async (t) => {
  const bench = new Bench(t);
  await bench.show();
  for (let i = 0; i < 6; i++) {
    bench.wait(5);
    bench.frame("here");
  }
  assert.deepEqual(bench.notes, []);
});

test("two views of a widget show the same", async (t) => {
  const bench = new Bench(t);
  await bench.show();
  await bench.show();
  bench.frame("one");
  bench.picture();
  assert.deepEqual(bench.drawn, ["one", "one"]);
});

test("what is no longer listened to is not heard", async (t) => {
  const bench = new Bench(t);
  await bench.show();
  bench.stop();
  bench.frame("one");
  assert.equal(bench.pictures.length, 0);
});

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
  closed = 0;
  /** @type {Map<string, Set<(message: object) => void>>} */
  #hearing = new Map();
  #number = 0;

  /** @param {TestContext} t */
  constructor({ mock }) {
    mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    this.timers = mock.timers;
    const model = {
      get: () => SETTINGS,
      send: (/** @type {Message} */ message) => this.said.push(message),
      on: (/** @type {string} */ what, /** @type {(message: object) => void} */ hear) =>
        this.hearing(what).add(hear),
      off: (/** @type {string} */ what, /** @type {(message: object) => void} */ hear) =>
        this.hearing(what).delete(hear),
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
      view: () => ({
        draw: (/** @type {State} */ { words }) => void this.drawn.push(words?.note ?? ""),
        close: () => void this.closed++,
      }),
    };
  }

  show() {
    const el = /** @type {HTMLElement} */ (/** @type {unknown} */ ({ dataset: {} }));
    return { el, close: this.loop.show(el) };
  }

  /** @param {string} what */
  hearing(what) {
    const found = this.#hearing.get(what) ?? new Set();
    this.#hearing.set(what, found);
    return found;
  }

  /** @param {string} what @param {object} message */
  happens(what, message = {}) {
    for (const hear of this.hearing(what)) hear(message);
  }

  /** @param {string} note */
  frame(note) {
    const frame = { type: "frame", number: ++this.#number, news: { view: "graph", note } };
    this.happens("msg:custom", frame);
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

test("a view that is there asks for everything", (t) => {
  const bench = new Bench(t);
  assert.deepEqual(bench.said, []);
  bench.show();
  assert.deepEqual(bench.said, [{ type: "shown", calm: false }]);
});

test("frames between two pictures of the page are drawn once, and answered", (t) => {
  const bench = new Bench(t);
  const { el } = bench.show();
  bench.frame("one");
  bench.frame("two");
  assert.equal(bench.pictures.length, 1);
  bench.picture();
  assert.deepEqual([bench.drawn, el.dataset.frames], [["two"], "1"]);
  bench.wait(2);
  assert.deepEqual(bench.said.at(-1), { type: "drawn", number: 2 });
});

test("a page that draws nothing answers nothing", (t) => {
  const bench = new Bench(t);
  bench.show();
  for (let i = 0; i < 30; i++) bench.frame("unseen");
  bench.wait(5);
  assert.deepEqual(bench.said, [{ type: "shown", calm: false }]);
});

test("without a view nothing is drawn or answered", (t) => {
  const bench = new Bench(t);
  const { close } = bench.show();
  close();
  bench.frame("one");
  bench.picture();
  bench.wait(10);
  assert.deepEqual([bench.drawn, bench.closed, bench.said.length], [[], 1, 1]);
});

test("a silent kernel is asked every six seconds while the page is visible, and silence shows the still", (t) => {
  const bench = new Bench(t);
  const { el } = bench.show();
  bench.frame("here");
  bench.picture();
  bench.wait(7);
  assert.deepEqual([bench.said.length, "silent" in el.dataset], [3, false]); // shown, drawn, shown
  bench.wait(6);
  assert.deepEqual([bench.said.length, "silent" in el.dataset], [4, true]);
  bench.visible = false;
  bench.wait(12);
  assert.equal(bench.said.length, 4);
  bench.frame("back");
  bench.picture();
  assert.equal("silent" in el.dataset, false);
});

test("a page that was hidden asks first and shows no still", (t) => {
  const bench = new Bench(t);
  const { el } = bench.show();
  bench.frame("here");
  bench.visible = false;
  bench.wait(60);
  bench.visible = true;
  bench.wait(2);
  assert.equal("silent" in el.dataset, false);
  assert.deepEqual(bench.said.at(-1), { type: "shown", calm: false });
});

test("a kernel that ended shows the still at once", (t) => {
  const bench = new Bench(t);
  const { el } = bench.show();
  bench.happens("comm_live_update");
  assert.equal("silent" in el.dataset, true);
});

test("a kernel that speaks is not asked", (t) => {
  const bench = new Bench(t);
  bench.show();
  for (let i = 0; i < 6; i++) {
    bench.wait(5);
    bench.frame("here");
  }
  assert.equal(bench.said.filter(({ type }) => type === "shown").length, 1);
});

test("two views of a widget show the same", (t) => {
  const bench = new Bench(t);
  bench.show();
  bench.show();
  bench.frame("one");
  bench.picture();
  assert.deepEqual(bench.drawn, ["one", "one"]);
});

test("what is no longer listened to is not heard", (t) => {
  const bench = new Bench(t);
  bench.show();
  bench.stop();
  bench.frame("one");
  assert.equal(bench.pictures.length, 0);
});

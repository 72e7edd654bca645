// The browser's half of a live view's loop, the same for all views. Each frame from the kernel is merged into what is
// known, drawn at the page's next picture, and answered now and then: without answers the kernel sends no more. A
// hidden tab draws nothing, and so answers nothing.

import { Answers } from "./answers.js";

/** @import { AnyModel, Initialize, Render } from "@anywidget/types" */
/** @import { Frame, Message, Script, Settings } from "./protocol.js" */

/** @typedef {{ settings: Settings, still: string }} Traits */
/** @typedef {AnyModel<Traits>} Model */

/**
 * What is known; words: null before the first whole frame. stale: not drawn yet.
 *
 * @typedef {{ words: unknown, stale: boolean }} State
 */

/**
 * One picture of what is known, in one place of the page.
 *
 * @template {State} S
 * @typedef {{ draw(state: S): void, note(words: string): void, close(): void }} View
 */

/**
 * What a kind of view says of itself. load: brings what its views draw with.
 *
 * @template {State} S, N, T
 * @typedef {object} Kind
 * @property {() => S} empty
 * @property {(state: S, news: N, settings: Settings) => void} merge
 * @property {(model: Model) => Promise<T>} load
 * @property {(el: HTMLElement, model: Model, say: (message: Message) => void, tools: T) => View<S>} view
 */

const SILENT = "No word from the kernel for some seconds. If it was restarted, run this cell again.";
const LOOK_MS = 1000;

/** What the loop needs of the page; a test has one of its own. */
export const PAGE = {
  now: () => performance.now(),
  /** @param {() => void} draw */
  atNextPicture: (draw) => void requestAnimationFrame(draw),
  isVisible: () => document.visibilityState === "visible",
  wantsLessMotion: () => matchMedia("(prefers-reduced-motion: reduce)").matches,
};

/**
 * The loop of one widget, which may have several views.
 *
 * @template {State} S, N, T
 */
export class Loop {
  #model;
  #kind;
  #page;
  #settings;
  #state;
  #answers;
  /** @type {Map<View<S>, HTMLElement>} */
  #views = new Map();
  #number = 0;
  #drawn = 0;
  #planned = false;
  #heard;

  /**
   * @param {Model} model
   * @param {Kind<S, N, T>} kind
   * @param {typeof PAGE} page
   */
  constructor(model, kind, page = PAGE) {
    this.#model = model;
    this.#kind = kind;
    this.#page = page;
    this.#settings = model.get("settings");
    this.#state = kind.empty();
    this.#answers = new Answers(this.#settings, (number) => this.say({ type: "drawn", number }));
    this.#heard = page.now();
  }

  /**
   * Tell the kernel something.
   *
   * @param {Message} message
   */
  say(message) {
    this.#model.send(message);
  }

  /** Hear the kernel until the function that this returns is called. */
  listen() {
    /** @param {Frame | Script} message */
    const hear = (message) => message.type === "frame" && this.#hear(message);
    this.#model.on("msg:custom", hear);
    return () => this.#model.off("msg:custom", hear);
  }

  /**
   * Show a view in a place of the page until the function that this returns is called.
   *
   * @param {HTMLElement} el
   */
  show(el) {
    /** @type {View<S> | undefined} */
    let view;
    let gone = false;
    const watch = setInterval(() => this.#watch(), LOOK_MS);
    this.#kind.load(this.#model).then(
      (tools) => {
        if (gone) return;
        view = this.#kind.view(el, this.#model, (message) => this.say(message), tools);
        this.#views.set(view, el);
        this.#begin();
      },
      (error) => {
        el.textContent = `${error.message} Run this cell again.`;
      },
    );
    return () => {
      gone = true;
      clearInterval(watch);
      if (view === undefined) return;
      this.#views.delete(view);
      view.close();
    };
  }

  /** @param {Frame} frame */
  #hear({ number, news }) {
    this.#kind.merge(this.#state, /** @type {N} */ (news), this.#settings);
    this.#number = number;
    this.#heard = this.#page.now();
    if (!this.#planned) this.#page.atNextPicture(() => this.#draw());
    this.#planned = true;
  }

  #draw() {
    this.#planned = false;
    if (this.#views.size === 0 || this.#state.words === null) return;
    this.#drawn += 1;
    for (const [view, el] of this.#views) {
      view.draw(this.#state);
      el.dataset.frames = String(this.#drawn);
    }
    this.#state.stale = false;
    this.#answers.drawn(this.#number);
  }

  /** The browser has nothing yet, or has lost the thread: the kernel sends everything. */
  #begin() {
    this.#heard = this.#page.now();
    this.#answers.begin(this.#number);
    this.say({ type: "shown", calm: this.#page.wantsLessMotion() });
  }

  #watch() {
    if (this.#views.size === 0 || this.#page.now() - this.#heard < 1000 * this.#settings.silence_seconds)
      return;
    for (const view of this.#views.keys()) view.note(SILENT);
    if (this.#page.isVisible()) this.#begin();
  }
}

/**
 * Return what anywidget takes of a kind of view: for each widget a loop.
 *
 * @template {State} S, N, T
 * @param {Kind<S, N, T>} kind
 * @returns {() => { initialize: Initialize<Traits>, render: Render<Traits> }}
 */
export const widget = (kind) => () => {
  /** @type {Loop<S, N, T>} */
  let loop;
  return {
    initialize({ model }) {
      loop = new Loop(model, kind);
      return loop.listen();
    },
    render: ({ el }) => loop.show(el),
  };
};

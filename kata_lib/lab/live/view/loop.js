// The browser's half of a live view's loop, the same for all views. Each frame from the kernel is merged into what is
// known, drawn at the page's next picture, and answered now and then: without answers the kernel sends no more. A
// hidden tab draws nothing, and so answers nothing. A view whose kernel is silent makes room for its still picture.

import { Answers } from "./answers.js";

/** @import { AnyModel, Initialize, Render } from "@anywidget/types" */
/** @import { Frame, Message, Settings } from "./protocol.js" */

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
 * @typedef {{ draw(state: S): void, close(): void }} View
 */

/**
 * What a kind of view says of itself.
 *
 * @template {State} S, N
 * @typedef {object} Kind
 * @property {() => S} empty
 * @property {(state: S, news: N, settings: Settings) => void} merge
 * @property {(el: HTMLElement, model: Model, say: (message: Message) => void) => View<S>} view
 */

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
 * @template {State} S, N
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
  #waits = false;

  /**
   * @param {Model} model
   * @param {Kind<S, N>} kind
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
    try {
      this.#model.send(message);
    } catch {
      this.#silence(); // there is no way to a kernel that has ended
    }
  }

  /** Hear the kernel until the function that this returns is called. */
  listen() {
    /** @param {Frame} message */
    const hear = (message) => message.type === "frame" && this.#hear(message);
    const lose = () => this.#silence(); // what follows is silence, or a frame that says otherwise
    this.#model.on("msg:custom", hear);
    this.#model.on("comm_live_update", lose);
    return () => {
      this.#model.off("msg:custom", hear);
      this.#model.off("comm_live_update", lose);
    };
  }

  /**
   * Show a view in a place of the page until the function that this returns is called.
   *
   * @param {HTMLElement} el
   */
  show(el) {
    const watch = setInterval(() => this.#watch(), LOOK_MS);
    const view = this.#kind.view(el, this.#model, (message) => this.say(message));
    this.#views.set(view, el);
    this.#begin();
    return () => {
      clearInterval(watch);
      this.#views.delete(view);
      view.close();
    };
  }

  /** @param {Frame} frame */
  #hear({ number, news }) {
    this.#kind.merge(this.#state, /** @type {N} */ (news), this.#settings);
    this.#number = number;
    this.#heard = this.#page.now();
    this.#waits = false;
    if (!this.#planned) this.#page.atNextPicture(() => this.#draw());
    this.#planned = true;
  }

  #draw() {
    this.#planned = false;
    if (this.#views.size === 0 || this.#state.words === null) return;
    this.#drawn += 1;
    for (const [view, el] of this.#views) {
      view.draw(this.#state);
      delete el.dataset.silent;
      el.dataset.frames = String(this.#drawn);
    }
    this.#state.stale = false;
    this.#answers.drawn(this.#number);
  }

  /** The browser has nothing yet, or has lost the thread: the kernel sends everything. */
  #begin() {
    this.#waits = true;
    this.#heard = this.#page.now();
    this.#answers.begin(this.#number);
    this.say({ type: "shown", calm: this.#page.wantsLessMotion() });
  }

  /** Ask a kernel that is silent for everything; if it was asked before, there is only the still picture. */
  #watch() {
    const silent = this.#page.now() - this.#heard >= 1000 * this.#settings.silence_seconds;
    if (this.#views.size === 0 || !silent || !this.#page.isVisible()) return;
    if (this.#waits) this.#silence();
    this.#begin();
  }

  #silence() {
    for (const el of this.#views.values()) el.dataset.silent = "";
  }
}

/**
 * Return what anywidget takes of a kind of view: for each widget a loop.
 *
 * @template {State} S, N
 * @param {Kind<S, N>} kind
 * @returns {() => { initialize: Initialize<Traits>, render: Render<Traits> }}
 */
export const widget = (kind) => () => {
  /** @type {Loop<S, N>} */
  let loop;
  return {
    initialize({ model }) {
      loop = new Loop(model, kind);
      return loop.listen();
    },
    render: ({ el }) => loop.show(el),
  };
};

// The live graph, and the live picture of users, in the browser: shows what the kernel drew.

import { widget } from "./loop.js";
import { find, furnish, write } from "./shell.js";

/** @import { Model } from "./loop.js" */
/** @import { GraphNews } from "./protocol.js" */

/** @typedef {{ words: GraphNews | null, stale: boolean }} Graph */

const HTML = `<div class="graph kata-picture" role="img" aria-label="Graph of who calls whom: no requests yet">
  </div><div class="note" role="status"></div>`;

class GraphView {
  #picture;
  #note;

  /**
   * @param {HTMLElement} el
   * @param {Model} model
   */
  constructor(el, model) {
    furnish(el, model, { classes: ["kata-graph"], label: "Live picture", html: HTML });
    this.#picture = find(el, ".graph", HTMLElement);
    this.#note = find(el, ".note", HTMLElement);
  }

  /** @param {Graph} graph */
  draw({ words }) {
    if (words?.svg) {
      this.#picture.innerHTML = words.svg;
      this.#picture.setAttribute("aria-label", words.alt ?? "");
    }
    write(this.#note, words?.note ?? "");
  }

  close() {}
}

export default widget({
  empty: () => /** @type {Graph} */ ({ words: null, stale: true }),
  merge(graph, /** @type {GraphNews} */ news) {
    graph.words = news;
  },
  view: (el, model) => new GraphView(el, model),
});

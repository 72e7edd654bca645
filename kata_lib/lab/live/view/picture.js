// The picture of the last minute, drawn by plotly once a second and at each change.

import { layout } from "./axes.js";
import { lines } from "./lines.js";

/** @import { PictureStore } from "./store.js" */
/** @import { Plotly } from "./plotly.js" */
/** @import { Settings } from "./protocol.js" */
/** @import { StyleOf } from "./styles.js" */

const AT_ONCE = { mode: "immediate", transition: { duration: 0 }, frame: { duration: 0, redraw: false } };

/** One picture in its place; visible: whether the place is in sight. */
export class Picture {
  #plotly;
  #place;
  #settings;
  #styleOf;
  #observer;
  #names = "";
  #drawn = false;
  visible = false;

  /**
   * @param {Plotly} plotly
   * @param {HTMLElement} place
   * @param {Settings} settings
   * @param {StyleOf} styleOf
   */
  constructor(plotly, place, settings, styleOf) {
    this.#plotly = plotly;
    this.#place = place;
    this.#settings = settings;
    this.#styleOf = styleOf;
    // Asked for whether a place is visible, a browser would compute the page's layout at each frame.
    this.#observer = new IntersectionObserver((entries) => {
      this.visible = entries.at(-1)?.isIntersecting ?? false;
      this.#drawn &&= this.visible;
    });
    this.#observer.observe(place);
  }

  /**
   * Draw what is known. The axes stand still; as long as the lines are the same ones, they alone are moved, at half
   * the cost. A line that was empty is another one: plotly's legend had left it out.
   *
   * @param {PictureStore} store
   */
  draw(store) {
    if (this.#drawn && !store.stale) return;
    const drawn = lines(store, this.#settings, this.#styleOf);
    const names = drawn.map((line) => line.x.length > 0 && line.name).join();
    if (names === this.#names) {
      const data = drawn.map(({ x, y, text = "" }) => ({ x, y, text }));
      // It fails where a newer one came before it.
      this.#plotly.animate(this.#place, { data, traces: [...data.keys()] }, AT_ONCE).catch(() => {});
    } else {
      const config = { displayModeBar: false, responsive: true };
      this.#plotly.react(this.#place, drawn, layout(this.#settings), config);
    }
    this.#names = names;
    this.#drawn = true;
  }

  close() {
    this.#observer.disconnect();
    this.#plotly.purge(this.#place);
  }
}

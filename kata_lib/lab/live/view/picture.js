// The picture of the last minute: drawn once a second, at each change, and whenever its place has another width.

import { axesOf, HEIGHT } from "./axes.js";
import { fillLegend } from "./legend.js";
import { linesOf } from "./lines.js";
import { markShapes } from "./marks.js";
import { frameShapes, lineShapes } from "./shapes.js";
import { changesOf } from "./store.js";
import { drawShapes, newSvg } from "./svg.js";

/** @import { Axes, PanelName } from "./axes.js" */
/** @import { Line } from "./lines.js" */
/** @import { Settings } from "./protocol.js" */
/** @import { PictureStore } from "./store.js" */
/** @import { StyleOf } from "./styles.js" */

const MARK_FONT = "11px sans-serif"; // as the style sheet has it

/** One picture in its place; visible: whether the place is in sight. axes: as last drawn. */
export class Picture {
  #place;
  #legend;
  #settings;
  #styleOf;
  #sight;
  #size;
  #svg;
  #pen;
  #width;
  #drawn = false;
  /** @type {PictureStore | undefined} */
  #store;
  visible = false;
  /** @type {Axes} */
  axes;

  /**
   * @param {HTMLElement} place
   * @param {HTMLElement} legend a list below it
   * @param {Settings} settings
   * @param {StyleOf} styleOf
   */
  constructor(place, legend, settings, styleOf) {
    this.#place = place;
    this.#legend = legend;
    this.#settings = settings;
    this.#styleOf = styleOf;
    this.#width = place.clientWidth;
    this.axes = axesOf(this.#width, { failed: 0, latency: 0 }, settings);
    this.#svg = place.appendChild(newSvg());
    this.#pen = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
    this.#pen.font = MARK_FONT;
    // Asked for whether a place is visible, a browser would compute the page's layout at each frame.
    this.#sight = new IntersectionObserver((entries) => {
      this.visible = entries.at(-1)?.isIntersecting ?? false;
      this.#drawn &&= this.visible;
    });
    this.#sight.observe(place);
    this.#size = new ResizeObserver(() => {
      if ([0, this.#width].includes(place.clientWidth)) return; // a place that is hidden has none
      this.#width = place.clientWidth;
      if (this.#store) this.#show(this.#store);
    });
    this.#size.observe(place);
  }

  /**
   * Draw what is known, if anything of it has changed that stands still between two seconds.
   *
   * @param {PictureStore} store
   */
  draw(store) {
    this.#store = store;
    if (this.#drawn && !store.stale) return;
    this.#show(store);
    this.#drawn = true;
  }

  close() {
    this.#sight.disconnect();
    this.#size.disconnect();
  }

  /** @param {PictureStore} store */
  #show(store) {
    const lines = linesOf(store, this.#settings);
    const most = { failed: largest(lines, "failed"), latency: largest(lines, "latency") };
    const axes = axesOf(this.#width, most, this.#settings);
    const end = Math.floor(store.now) + 1;
    const widthOf = (/** @type {string} */ text) => this.#pen.measureText(text).width;
    const shapes = [
      ...frameShapes(axes, this.#settings.minute),
      ...markShapes(changesOf(store), end, axes, widthOf),
      ...lines.flatMap((line) => lineShapes(line, axes, this.#styleOf)),
    ];
    this.axes = axes;
    drawShapes(this.#svg, shapes, axes.width, HEIGHT);
    fillLegend(this.#legend, lines, this.#styleOf);
    Object.assign(this.#place, { lines }); // for those who look at the page from outside
  }
}

/**
 * @param {Line[]} lines
 * @param {PanelName} panel
 */
const largest = (lines, panel) =>
  Math.max(
    0,
    ...lines.filter((line) => line.panel === panel).flatMap(({ y, to }) => [...y, ...(to ?? [])].map(Number)),
  );

// The second that runs: for each version its interval as a bar and its share as an open mark, over the picture. A
// canvas changes without style, layout or a new order of the page's layers, and so may with each frame.

import { HEIGHT, y } from "./axes.js";

/** @import { Axes } from "./axes.js" */
/** @import { VersionSecond } from "./protocol.js" */
/** @import { PictureStore } from "./store.js" */
/** @import { StyleOf } from "./styles.js" */

const WIDTH = 14;
/** @type {Record<string, string>} */
const SYMBOLS = {
  circle: "M4,0A4,4 0 1 1 -4,0A4,4 0 1 1 4,0Z",
  square: "M-4,-4H4V4H-4Z",
  diamond: "M0,-5L5,0L0,5L-5,0Z",
  cross: "M-2,-5H2V-2H5V2H2V5H-2V2H-5V-2H-2Z",
};

export class Running {
  #canvas;
  #pen;
  #styleOf;
  #where = "";

  /**
   * @param {HTMLElement} picture
   * @param {StyleOf} styleOf
   */
  constructor(picture, styleOf) {
    this.#canvas = picture.appendChild(document.createElement("canvas"));
    this.#canvas.className = "now";
    this.#canvas.ariaHidden = "true";
    this.#styleOf = styleOf;
    this.#pen = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
  }

  /**
   * Draw the second that runs where the picture's axes would have it.
   *
   * @param {PictureStore} store
   * @param {Axes} axes
   */
  draw(store, axes) {
    this.#place(axes);
    const row = store.seconds.get(Math.floor(store.now));
    const versions = row && row[1] > 0 ? row[3] : {};
    Object.assign(this.#canvas, { versions }); // for those who look at the page from outside
    this.#pen.clearRect(-WIDTH / 2, 0, WIDTH, HEIGHT);
    for (const [version, found] of Object.entries(versions).sort()) this.#mark(version, found, axes);
  }

  /** @param {Axes} axes */
  #place(axes) {
    const where = `${axes.width} ${devicePixelRatio}`;
    if (where === this.#where) return;
    this.#where = where;
    this.#canvas.width = WIDTH * devicePixelRatio;
    this.#canvas.height = HEIGHT * devicePixelRatio;
    Object.assign(this.#canvas.style, { left: `${axes.x(-0.5) - WIDTH / 2}px`, width: `${WIDTH}px` });
    this.#pen.scale(devicePixelRatio, devicePixelRatio);
    this.#pen.translate(WIDTH / 2, 0);
    this.#pen.lineWidth = 2;
  }

  /**
   * @param {string} version
   * @param {VersionSecond} found
   * @param {Axes} axes
   */
  #mark(version, [share, low, high], { panels: [panel] }) {
    if (!panel || share === null || low === null || high === null) return;
    const { color, symbol } = this.#styleOf(version);
    const mark = new Path2D(SYMBOLS[symbol]);
    this.#pen.strokeStyle = color;
    this.#pen.stroke(new Path2D(`M0,${y(panel, high)}V${y(panel, low)}`));
    this.#pen.save();
    this.#pen.translate(0, y(panel, share));
    this.#pen.globalCompositeOperation = "destination-out"; // the mark is open, on paper of any colour
    this.#pen.fill(mark);
    this.#pen.globalCompositeOperation = "source-over";
    this.#pen.stroke(mark);
    this.#pen.restore();
  }
}

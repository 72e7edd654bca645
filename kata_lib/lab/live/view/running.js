// The second that runs: for each version its interval as a bar and its share as an open mark, over the picture. A
// canvas changes without style, layout or a new order of the page's layers, and so may with each frame.

import { HEIGHT, heightOf, RUNNING_WIDTH, runningRight } from "./axes.js";

/** @import { Settings } from "./protocol.js" */
/** @import { PictureStore } from "./store.js" */
/** @import { StyleOf } from "./styles.js" */

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
  #settings;
  #styleOf;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Settings} settings
   * @param {StyleOf} styleOf
   */
  constructor(canvas, settings, styleOf) {
    this.#canvas = canvas;
    this.#settings = settings;
    this.#styleOf = styleOf;
    canvas.width = RUNNING_WIDTH * devicePixelRatio;
    canvas.height = HEIGHT * devicePixelRatio;
    canvas.style.width = `${RUNNING_WIDTH}px`;
    canvas.style.right = runningRight(settings);
    this.#pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.#pen.scale(devicePixelRatio, devicePixelRatio);
    this.#pen.translate(RUNNING_WIDTH / 2, 0);
    this.#pen.lineWidth = 2;
    this.#pen.fillStyle = settings.paper.paper;
  }

  /** @param {PictureStore} store */
  draw(store) {
    const row = store.seconds.get(Math.floor(store.now));
    const shares = row && row[1] > 0 ? row[3] : {};
    Object.assign(this.#canvas, { shares }); // for those who look at the page from outside
    this.#pen.clearRect(-RUNNING_WIDTH / 2, 0, RUNNING_WIDTH, HEIGHT);
    for (const [version, interval] of Object.entries(shares).sort()) this.#mark(version, interval);
  }

  /**
   * @param {string} version
   * @param {[number, number, number]} interval
   */
  #mark(version, [share, low, high]) {
    const { color, symbol } = this.#styleOf(version);
    const mark = new Path2D(SYMBOLS[symbol]);
    const [at, bottom, top] = [share, low, high].map((percent) => heightOf(percent, this.#settings));
    this.#pen.strokeStyle = color;
    this.#pen.stroke(new Path2D(`M0,${top}V${bottom}`));
    this.#pen.save();
    this.#pen.translate(0, at ?? 0);
    this.#pen.fill(mark);
    this.#pen.stroke(mark);
    this.#pen.restore();
  }
}

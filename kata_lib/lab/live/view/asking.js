// A weight that a person is choosing: the newest value goes out, not more often than the throttle allows, and until
// the kernel has handled it what the cluster says does not move the slider.

const THROTTLE_MS = 80;

/** @import { SetWeight } from "./protocol.js" */

/** What a person asked for last, and whether it is on its way. */
export class Asking {
  #send;
  #version = "";
  #value = 0;
  #dragged = "";
  #pending = false;
  #number = 0;
  #sent = Number.NEGATIVE_INFINITY;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #later;

  /** @param {(message: SetWeight) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /**
   * Note that a person chose a weight, in per cent.
   *
   * @param {string} version
   * @param {number} value
   */
  ask(version, value) {
    this.#version = version;
    this.#value = value;
    this.#pending = true;
    this.#later ??= setTimeout(() => this.#tell(), Math.max(0, this.#sent + THROTTLE_MS - Date.now()));
  }

  /**
   * Note which version's slider a person holds, "" for none.
   *
   * @param {string} version
   */
  drag(version) {
    this.#dragged = version;
  }

  /**
   * Note the number of the last weight that the kernel has handled.
   *
   * @param {number} number
   */
  handled(number) {
    if (number === this.#number && this.#later === undefined) this.#pending = false;
  }

  /**
   * Return whether a version's slider is a person's now, not the cluster's.
   *
   * @param {string} version
   */
  holds(version) {
    return this.#dragged === version || (this.#pending && this.#version === version);
  }

  #tell() {
    this.#later = undefined;
    this.#number = this.#sent = Date.now();
    this.#send({ type: "weight", version: this.#version, value: this.#value, number: this.#number });
  }
}

// A weight that a person is choosing. A drag is one change: what goes out is where it ended. Of keys that follow each
// other quickly the first goes out at once, and the last. Until the kernel has handled it what the cluster says does not
// move the slider.

const QUIET_MS = 150;

/** @import { SetWeight } from "./protocol.js" */

/** What a person asked for last, and whether it is on its way. */
export class Asking {
  #send;
  #version = "";
  #value = 0;
  #dragged = "";
  #pending = false;
  #number = 0;
  #asked = Number.NEGATIVE_INFINITY;
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
    const quiet = Date.now() - this.#asked > QUIET_MS;
    this.#version = version;
    this.#value = value;
    this.#pending = true;
    this.#asked = Date.now();
    if (!this.#dragged) this.#tellAfter(quiet ? 0 : QUIET_MS);
  }

  /**
   * Note which version's slider a person holds, "" for none any more.
   *
   * @param {string} version
   */
  drag(version) {
    const dropped = this.#dragged !== "" && version === "";
    this.#dragged = version;
    if (dropped && this.#pending) this.#tellAfter(0);
  }

  /**
   * Note the number of the last weight that the kernel has handled.
   *
   * @param {number} number
   */
  handled(number) {
    if (number === this.#number && this.#later === undefined && !this.#dragged) this.#pending = false;
  }

  /**
   * Return whether a version's slider is a person's now, not the cluster's.
   *
   * @param {string} version
   */
  holds(version) {
    return this.#dragged === version || (this.#pending && this.#version === version);
  }

  /** @param {number} ms */
  #tellAfter(ms) {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => this.#tell(), ms);
  }

  #tell() {
    this.#later = undefined;
    this.#number = Date.now();
    this.#send({ type: "weight", version: this.#version, value: this.#value, number: this.#number });
  }
}

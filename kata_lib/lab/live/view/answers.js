// When the browser tells the kernel what it has drawn: each word makes the kernel busy and idle, which JupyterLab
// draws; without any the kernel sends no more.

/** Answers for many frames at once, by the settings' answer_frames and answer_seconds. */
export class Answers {
  #drawn = 0;
  #answered = 0;
  #seconds;
  #frames;
  #send;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #later;

  /**
   * @param {{ answer_frames: number, answer_seconds: number }} settings
   * @param {(number: number) => void} send what tells the kernel the number of the last frame drawn
   */
  constructor({ answer_frames, answer_seconds }, send) {
    this.#frames = answer_frames;
    this.#seconds = answer_seconds;
    this.#send = send;
  }

  /**
   * Note that a frame was drawn: the kernel hears of it now, or soon.
   *
   * @param {number} number
   */
  drawn(number) {
    this.#drawn = number;
    if (number - this.#answered >= this.#frames) this.#answer();
    else this.#later ??= setTimeout(() => this.#answer(), 1000 * this.#seconds);
  }

  /**
   * Note that the kernel will begin anew: it expects no answer for what it sent until then.
   *
   * @param {number} number the last frame that came
   */
  begin(number) {
    this.#answered = number;
  }

  #answer() {
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#answered = this.#drawn;
    this.#send(this.#drawn);
  }
}

// What a person can turn: a slider for two versions, linked ones for more, buttons, pause, clear, the rate.

import { Asking } from "./asking.js";
import { find, write } from "./shell.js";
import { newestOf } from "./store.js";

/** @import { LabWords, Message, Settings } from "./protocol.js" */
/** @import { StyleOf } from "./styles.js" */

/** @type {[string, number][]} */
const BUTTONS = [
  ["Canary 10 %", 10],
  ["50/50", 50],
  ["Promote", 100],
  ["Roll back", 0],
];

export const CONTROLS = `
  <div class="controls">
    <div class="sliders"></div>
    <span class="buttons" role="group" aria-label="Set the weight"></span>
    <span class="traffic" role="group" aria-label="Traffic">
      <label>Requests/s <select class="rate"></select></label>
      <button class="run">Pause</button>
      <button class="clear">Clear</button></span>
  </div>`;

export class Controls {
  #place;
  #styleOf;
  #asking;
  #run;
  #rate;
  #running = true;
  /** @type {Map<string, { input: HTMLInputElement, output: HTMLOutputElement }>} */
  #sliders = new Map();
  /** @type {HTMLButtonElement[]} */
  #buttons;
  /** @type {string | undefined} */
  #newest;
  /** @type {number | undefined} */
  #rateAsked;

  /**
   * @param {HTMLElement} place holds CONTROLS
   * @param {(message: Message) => void} say
   * @param {Settings} settings
   * @param {StyleOf} styleOf
   */
  constructor(place, say, { rates }, styleOf) {
    this.#place = place;
    this.#styleOf = styleOf;
    this.#asking = new Asking(say);
    this.#run = find(place, ".run", HTMLButtonElement);
    this.#rate = find(place, ".rate", HTMLSelectElement);
    this.#buttons = BUTTONS.map(([text, value]) => this.#button(text, value));
    find(place, ".buttons", HTMLElement).append(...this.#buttons);
    for (const rate of rates) this.#addRate(rate);
    this.#run.addEventListener("click", () => say({ type: "run", value: !this.#running }));
    find(place, ".clear", HTMLButtonElement).addEventListener("click", () => say({ type: "clear" }));
    this.#rate.addEventListener("change", () => {
      this.#rateAsked = Number(this.#rate.value);
      say({ type: "rate", value: this.#rateAsked });
    });
  }

  /**
   * Follow what the cluster says, except where a person is at it.
   *
   * @param {LabWords} words
   * @param {Record<string, number> | null} asked
   */
  follow(words, asked) {
    this.#asking.handled(words.handled);
    this.#newest = newestOf(asked ?? {});
    this.#followWeights(asked ?? {}, words.movable);
    this.#running = words.running;
    write(this.#run, words.running ? "Pause" : "Continue");
    this.#followRate(words.rate);
  }

  /**
   * @param {Record<string, number>} asked
   * @param {boolean} movable
   */
  #followWeights(asked, movable) {
    this.#offer(Object.keys(asked).sort());
    for (const [version, { input }] of this.#sliders) {
      input.disabled = !movable;
      if (!this.#asking.holds(version)) this.#set(version, Math.round(asked[version] ?? 0));
    }
    for (const button of this.#buttons) button.disabled = !movable;
  }

  /** @param {number} rate */
  #followRate(rate) {
    if (this.#rateAsked === rate) this.#rateAsked = undefined;
    if (this.#rateAsked !== undefined || Number(this.#rate.value) === rate) return;
    if (![...this.#rate.options].some((option) => Number(option.value) === rate)) this.#addRate(rate);
    this.#rate.value = String(rate);
  }

  /**
   * @param {string} version
   * @param {number} value
   */
  #ask(version, value) {
    this.#set(version, value);
    this.#asking.ask(version, value);
  }

  /**
   * @param {string} version
   * @param {number} value
   */
  #set(version, value) {
    const slider = this.#sliders.get(version);
    if (!slider) return;
    slider.input.value = String(value);
    slider.input.setAttribute("aria-valuetext", `${value} percent to ${version}`);
    write(slider.output, `${value} %`);
  }

  /** @param {string[]} versions */
  #offer(versions) {
    const wanted = versions.length === 2 ? versions.slice(1) : versions;
    if (wanted.join() === [...this.#sliders.keys()].join()) return;
    this.#sliders.clear();
    const sliders = wanted.map((version) => this.#slider(version));
    find(this.#place, ".sliders", HTMLElement).replaceChildren(...sliders);
  }

  /** @param {string} version */
  #slider(version) {
    const label = document.createElement("label");
    label.innerHTML = `Weight of ${version} <input type="range" min="0" max="100" step="1"><output></output>`;
    const input = find(label, "input", HTMLInputElement);
    input.style.accentColor = this.#styleOf(version).color;
    input.addEventListener("input", () => this.#ask(version, input.valueAsNumber));
    input.addEventListener("pointerdown", () => this.#asking.drag(version));
    for (const end of ["pointerup", "pointercancel", "change"])
      input.addEventListener(end, () => this.#asking.drag(""));
    this.#sliders.set(version, { input, output: find(label, "output", HTMLOutputElement) });
    return label;
  }

  /**
   * @param {string} text
   * @param {number} value
   */
  #button(text, value) {
    const button = document.createElement("button");
    button.textContent = text;
    button.addEventListener("click", () => this.#newest && this.#ask(this.#newest, value));
    return button;
  }

  /** @param {number} rate */
  #addRate(rate) {
    this.#rate.add(new Option(String(rate), String(rate)));
  }
}

// The live lab in the browser: what a person can turn, the picture of the last minute, and its figures in words.

import { CONTROLS, Controls } from "./controls.js";
import { widget } from "./loop.js";
import { Picture } from "./picture.js";
import { Running } from "./running.js";
import { fill, find, furnish, PICTURE, write } from "./shell.js";
import { emptyStore, lastChange, merge, newestOf } from "./store.js";
import { stylesOf } from "./styles.js";
import { fillTable, paintChip, SEQUENCE } from "./table.js";
import { captionWords, podsWords, seenWords, speedWords, spokenWords, versionRows } from "./words.js";

/** @import { Model } from "./loop.js" */
/** @import { LabChange, LabWords, LastAnswer, Message } from "./protocol.js" */
/** @import { Store } from "./store.js" */

/** @typedef {Store<LabChange, LabWords>} LabStore */

const SPOKEN_MS = 5000;

const HTML = `${CONTROLS}
  ${PICTURE}
  <div class="below">
    <table>
      <caption></caption>
      <thead><tr><th scope="col">version</th><th scope="col">asked</th><th scope="col">answers</th>
        <th scope="col">share</th>${SEQUENCE}<th scope="col">p50 ms</th>
        <th scope="col">p95 ms</th><th scope="col">failed in 10 s</th></tr></thead>
      <tbody></tbody>
    </table>
    <div class="words"><p class="speed"></p><p class="pods"></p><p class="change"></p>
      <div class="last" aria-hidden="true"></div></div>
  </div>
  <div class="note" role="status"></div>
  <div class="spoken" aria-live="polite"></div>`;

class LabView {
  #el;
  #styleOf;
  #controls;
  #picture;
  #running;
  #body;
  /** @type {LabWords | null} */
  #said = null;
  #spoken = Number.NEGATIVE_INFINITY;

  /**
   * @param {HTMLElement} el
   * @param {Model} model
   * @param {(message: Message) => void} say
   */
  constructor(el, model, say) {
    furnish(el, model, { classes: ["kata-live"], label: "Live traffic and its weights", html: HTML });
    const settings = model.get("settings");
    this.#el = el;
    this.#styleOf = stylesOf(settings);
    this.#controls = new Controls(el, say, settings, this.#styleOf);
    this.#picture = new Picture(this.#find(".plot"), this.#find(".legend"), settings, this.#styleOf);
    this.#running = new Running(this.#find(".picture"), this.#styleOf);
    this.#body = find(el, "tbody", HTMLTableSectionElement);
  }

  /** @param {LabStore} store */
  draw(store) {
    const change = lastChange(store);
    if (store.words && store.words !== this.#said) this.#say(store.words, change);
    const asked = change?.after ?? {};
    this.#el.dataset.weight = String((asked[newestOf(asked) ?? ""] ?? Number.NaN) / 100);
    if (!this.#picture.visible) return;
    this.#picture.draw(store);
    this.#running.draw(store, this.#picture.axes);
  }

  close() {
    this.#picture.close();
  }

  /**
   * @param {LabWords} words
   * @param {LabChange | undefined} change
   */
  #say(words, change) {
    const asked = change?.after ?? null;
    this.#said = words;
    this.#controls.follow(words, asked);
    write(this.#find("caption"), captionWords(words));
    fillTable(this.#body, versionRows(words, asked), this.#styleOf);
    this.#showLast(words.last);
    write(this.#find(".speed"), speedWords(words));
    write(this.#find(".pods"), podsWords(words.pods));
    write(this.#find(".change"), seenWords(change));
    write(this.#find(".note"), words.note);
    this.#speak(spokenWords(words, asked));
  }

  /** @param {LastAnswer[]} last */
  #showLast(last) {
    fill(this.#find(".last"), last, newAnswer, (line, [version, failed, text]) => {
      paintChip(/** @type {HTMLElement} */ (line.firstElementChild), version, this.#styleOf);
      write(/** @type {Node} */ (line.lastChild), failed ? ` failed: ${text}` : ` ${text}`);
    });
  }

  /**
   * Have a screen reader say a sentence, not more often than a person can listen.
   *
   * @param {string} sentence
   */
  #speak(sentence) {
    if (performance.now() - this.#spoken <= SPOKEN_MS) return;
    this.#find(".spoken").textContent = sentence;
    this.#spoken = performance.now();
    this.#find(".plot").setAttribute("aria-label", `Shares in each second of the last minute: ${sentence}`);
  }

  /** @param {string} selector */
  #find(selector) {
    return find(this.#el, selector, HTMLElement);
  }
}

function newAnswer() {
  const line = document.createElement("span");
  line.append(document.createElement("span"), document.createTextNode(""));
  return line;
}

export default widget({
  empty: () => /** @type {LabStore} */ (emptyStore()),
  merge,
  view: (el, model, say) => new LabView(el, model, say),
});

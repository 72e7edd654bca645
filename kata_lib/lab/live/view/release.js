// A release in the browser: the live lab's picture, the plan's steps, a button for each command that makes sense now,
// the figures of both versions, and the decisions.

import { widget } from "./loop.js";
import { Picture } from "./picture.js";
import { fill, find, furnish, PICTURE, write } from "./shell.js";
import { emptyStore, merge } from "./store.js";
import { stylesOf } from "./styles.js";
import { fillTable, SEQUENCE } from "./table.js";
import { metricRows } from "./words.js";

/** @import { Model } from "./loop.js" */
/** @import { MarkedChange, Message, ReleaseWords, Standing } from "./protocol.js" */
/** @import { Store } from "./store.js" */

/** @typedef {Store<MarkedChange, ReleaseWords>} ReleaseStore */

const HTML = `
  <p class="status" role="status"></p>
  <ol class="steps" aria-label="Steps of the plan"></ol>
  <div class="controls"><span class="buttons" role="group" aria-label="Decide"></span></div>
  ${PICTURE}
  <div class="below">
    <table>
      <caption>Counted since the weight last changed</caption>
      <thead><tr><th scope="col">version</th><th scope="col">metric</th><th scope="col">requests</th>
        <th scope="col">good</th>${SEQUENCE}<th scope="col">healthy from</th></tr></thead>
      <tbody></tbody>
    </table>
  </div>
  <ul class="decisions" aria-label="Decisions, newest first"></ul>
  <div class="note" role="status"></div>`;

class ReleaseView {
  #el;
  #styleOf;
  #picture;
  #body;
  /** @type {Map<string, HTMLButtonElement>} */
  #buttons;

  /**
   * @param {HTMLElement} el
   * @param {Model} model
   * @param {(message: Message) => void} say
   */
  constructor(el, model, say) {
    furnish(el, model, {
      classes: ["kata-live", "kata-release"],
      label: "A release and its decisions",
      html: HTML,
    });
    const settings = model.get("settings");
    this.#el = el;
    this.#styleOf = stylesOf(settings);
    this.#picture = new Picture(this.#find(".plot"), this.#find(".legend"), settings, this.#styleOf);
    this.#body = find(el, "tbody", HTMLTableSectionElement);
    this.#buttons = new Map(settings.commands.map((command) => [command, newButton(command, say)]));
    this.#find(".buttons").append(...this.#buttons.values());
  }

  /** @param {ReleaseStore} store */
  draw(store) {
    write(this.#find(".note"), store.words?.note ?? "");
    const standing = store.words?.standing;
    if (!standing) return;
    this.#show(standing);
    if (!this.#picture.visible) return;
    const label = `Planned and observed share in each second of the last minute. ${standing.status}`;
    this.#find(".plot").setAttribute("aria-label", label);
    this.#picture.draw(store);
  }

  close() {
    this.#picture.close();
  }

  /** @param {Standing} standing */
  #show({ phase, status, steps, step, may, metrics, decisions }) {
    this.#el.dataset.phase = phase;
    write(this.#find(".status"), status);
    fill(this.#find(".steps"), steps, newItem, (item, text, i) => {
      write(item, text);
      item.ariaCurrent = i === step ? "step" : null;
      item.classList.toggle("done", step > i);
    });
    for (const [command, button] of this.#buttons) button.hidden = !may.includes(command);
    fillTable(this.#body, metricRows(metrics), this.#styleOf);
    this.#find(".below").hidden = metrics.length === 0;
    fill(this.#find(".decisions"), decisions, newItem, write);
  }

  /** @param {string} selector */
  #find(selector) {
    return find(this.#el, selector, HTMLElement);
  }
}

const newItem = () => document.createElement("li");

/**
 * @param {string} command
 * @param {(message: Message) => void} say
 */
function newButton(command, say) {
  const button = document.createElement("button");
  button.textContent = command.charAt(0).toUpperCase() + command.slice(1);
  button.addEventListener("click", () => say({ type: "do", command }));
  return button;
}

export default widget({
  empty: () => /** @type {ReleaseStore} */ (emptyStore()),
  merge,
  view: (el, model, say) => new ReleaseView(el, model, say),
});

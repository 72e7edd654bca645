// The live lab in the browser. Each frame from the kernel holds what is new; it is drawn, and every two seconds
// the kernel is told which was drawn last: without that it sends no more. A hidden tab draws nothing, and tells nothing.
const SILENCE_MS = 6000;
const SPOKEN_MS = 5000;
const ANSWER_MS = 2000; // each answer makes the kernel busy and idle, which JupyterLab draws
const ANSWER_FRAMES = 20; // of the 30 that the kernel sends without an answer

const HTML = `
  <div class="controls">
    <div class="sliders"></div>
    <span class="buttons" role="group" aria-label="Set the weight"></span>
    <span class="traffic" role="group" aria-label="Traffic">
      <label>Requests/s <select class="rate"></select></label>
      <button class="run">Pause</button>
      <button class="clear">Clear</button></span>
  </div>
  <div class="picture"><div class="plot" role="img"></div><canvas class="now" aria-hidden="true"></canvas></div>
  <div class="below">
    <table>
      <caption></caption>
      <thead><tr><th scope="col">version</th><th scope="col">asked</th><th scope="col">answers</th>
        <th scope="col">share</th><th scope="col" title="It may be watched: at all looks together it misses in one of twenty samples at most.">95 % confidence sequence</th><th scope="col">p50 ms</th>
        <th scope="col">p95 ms</th><th scope="col">failed in 10 s</th></tr></thead>
      <tbody></tbody>
    </table>
    <div class="words"><p class="speed"></p><p class="pods"></p><p class="change"></p>
      <div class="last" aria-hidden="true"></div></div>
  </div>
  <div class="note" role="status"></div>
  <div class="spoken" aria-live="polite"></div>`;

class View {
  constructor(model, el, Plotly, styleOf) {
    Object.assign(this, { styleOf, el, frames: 0, spoken: -Infinity });
    el.classList.add("kata-live");
    el.setAttribute("role", "group");
    el.setAttribute("aria-label", "Live traffic and its weights");
    // JupyterLab would take the slider's keys: as shortcuts, and as a move of the caret through outputs.
    el.dataset.lmSuppressShortcuts = "true";
    el.addEventListener("keydown", (event) => event.stopPropagation());
    el.innerHTML = HTML;
    const find = (selector) => el.querySelector(selector);
    this.parts = { plot: find(".plot"), caption: find("caption"), body: find("tbody"), speed: find(".speed"),
      pods: find(".pods"), change: find(".change"), last: find(".last"), note: find(".note"), spoken: find(".spoken") };
    this.controls = new Controls(find, (message) => model.send(message), styleOf);
    this.picture = new Picture(Plotly, this.parts.plot, styleOf);
    this.running = new Running(find(".now"), styleOf);
    // The still picture for readers without a kernel is not needed while this view lives.
    const hide = el.appendChild(document.createElement("style"));
    hide.textContent = `.kata-still-${model.get("still")} { display: none }`;
  }

  draw(store) {
    const { el } = this;
    const asked = lastChange(store)?.after ?? null;
    if (this.said !== store.words) this.say(store, asked);
    el.dataset.frames = ++this.frames;
    el.dataset.weight = asked ? asked[newestOf(asked)] / 100 : "";
    if (!this.picture.visible) return;
    this.running.draw(store);
    this.picture.draw(store);
  }

  say(store, asked) {
    const { parts, styleOf } = this;
    const { words } = store;
    this.said = words;
    this.controls.follow(words, asked);
    const total = words.since.reduce((sum, share) => sum + share.count, 0);
    write(parts.caption, `Since the last change: ${total} answers`);
    fillTable(parts.body, words, asked, styleOf);
    fillLast(parts.last, words.last, styleOf);
    write(parts.speed, `${words.recent.rate} requests/s, ${words.recent.failed || "none"} failed in ten seconds`);
    write(parts.pods, podsWords(words.pods));
    write(parts.change, seenWords(lastChange(store)));
    write(parts.note, words.note);
    if (performance.now() - this.spoken > SPOKEN_MS) {
      this.spoken = performance.now();
      parts.spoken.textContent = spokenWords(store);
      parts.plot.setAttribute("aria-label", `Shares in each second of the last minute: ${spokenWords(store)}`);
    }
  }
}

export default () => {
  const store = emptyStore();
  const views = new Set();
  let planned = false;
  let [drawn, answered, answering] = [0, 0, undefined];

  function draw(model) {
    planned = false;
    if (views.size === 0 || !store.words) return;
    for (const view of views) view.draw(store);
    store.stale = false;
    drawn = store.number;
    if (drawn - answered >= ANSWER_FRAMES) answer(model);
    else answering ??= setTimeout(() => answer(model), ANSWER_MS);
  }

  function answer(model) {
    clearTimeout(answering);
    answering = undefined;
    answered = drawn;
    model.send({ type: "drawn", number: drawn });
  }

  // The browser has nothing yet, or has lost the thread: the kernel sends everything.
  function begin(model) {
    store.heard = performance.now();
    answered = store.number;
    model.send({ type: "shown", calm: matchMedia("(prefers-reduced-motion: reduce)").matches });
  }

  return {
    initialize({ model }) {
      const hear = (frame) => {
        if (frame.type !== "frame") return;
        merge(store, frame);
        store.number = frame.number;
        if (!planned) requestAnimationFrame(() => draw(model));
        planned = true;
      };
      model.on("msg:custom", hear);
      return () => model.off("msg:custom", hear);
    },

    async render({ model, el }) {
      let view;
      let gone = false;
      const styles = model.get("styles");
      const watch = setInterval(() => {
        if (!view || performance.now() - store.heard < SILENCE_MS) return;
        write(view.parts.note, "No word from the kernel for some seconds. If it was restarted, run this cell again.");
        if (document.visibilityState === "visible") begin(model);
      }, 1000);
      loadPlotly(model).then((Plotly) => {
        if (gone) return;
        view = new View(model, el, Plotly, (version) => styles[version] ?? styles.other);
        views.add(view);
        begin(model);
      }, (error) => (el.textContent = `${error.message} Run this cell again.`));
      return () => {
        gone = true;
        clearInterval(watch);
        if (view) {
          views.delete(view);
          view.picture.purge();
        }
      };
    },
  };
};

// A release in the browser: the live lab's picture, the plan's steps, a button for each command that makes sense now,
// the figures of both versions, and the decisions. Each frame holds everything, and is told back when it is drawn.
const RELEASE_HTML = `
  <p class="status" role="status"></p>
  <ol class="steps" aria-label="Steps of the plan"></ol>
  <div class="controls"><span class="buttons" role="group" aria-label="Decide"></span></div>
  <div class="picture"><div class="plot" role="img"></div></div>
  <div class="below">
    <table>
      <caption>Counted since the weight last changed</caption>
      <thead><tr><th scope="col">version</th><th scope="col">metric</th><th scope="col">requests</th>
        <th scope="col">good</th><th scope="col" title="It may be watched: at all looks together it misses in one of twenty samples at most.">95 % confidence sequence</th><th scope="col">healthy from</th></tr></thead>
      <tbody></tbody>
    </table>
  </div>
  <ul class="decisions" aria-label="Decisions, newest first"></ul>
  <div class="note" role="status"></div>`;
const COMMANDS = ["pause", "resume", "promote", "promote fully", "abort", "retry", "undo"];

class ReleaseView {
  constructor(model, el, Plotly) {
    Object.assign(this, { model, el, frames: 0 });
    el.classList.add("kata-live", "kata-release");
    el.setAttribute("role", "group");
    el.setAttribute("aria-label", "A release and its decisions");
    el.dataset.lmSuppressShortcuts = "true";
    el.addEventListener("keydown", (event) => event.stopPropagation());
    el.innerHTML = RELEASE_HTML;
    const hide = el.appendChild(document.createElement("style"));
    hide.textContent = `.kata-still-${model.get("still")} { display: none }`;
    const styles = model.get("styles");
    this.styleOf = (subset) => styles[subset.split("-").at(-1)] ?? styles.other;
    this.picture = new Picture(Plotly, this.find(".plot"), this.styleOf);
    for (const command of COMMANDS) {
      const button = this.find(".buttons").appendChild(document.createElement("button"));
      button.textContent = command[0].toUpperCase() + command.slice(1);
      button.dataset.command = command;
      button.addEventListener("click", () => model.send({ type: "do", command }));
    }
  }

  find(selector) {
    return this.el.querySelector(selector);
  }

  draw(store) {
    const { words } = store;
    this.el.dataset.frames = ++this.frames;
    write(this.find(".note"), words.note);
    if (!words.steps) return;
    this.el.dataset.phase = words.phase;
    write(this.find(".status"), words.status);
    lines(this.find(".steps"), words.steps, (item, i) => {
      if (i === words.step) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
      item.classList.toggle("done", words.step > i);
    });
    for (const button of this.find(".buttons").children) button.hidden = !words.may.includes(button.dataset.command);
    this.table(words.metrics);
    lines(this.find(".decisions"), words.decisions);
    if (!this.picture.visible) return;
    const plot = this.find(".plot");
    plot.setAttribute("aria-label", `Planned and observed share in each second of the last minute. ${words.status}`);
    this.picture.draw(store);
  }

  table(rows) {
    const body = this.find("tbody");
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach((row, i) => {
      const line = body.rows[i] ?? newRow(body, 5);
      paintChip(line.cells[0].firstChild, row.version, this.styleOf);
      const interval = row.good === null ? "–" : `${row.low.toFixed(1)} to ${row.high.toFixed(1)} %`;
      [row.metric, row.requests, row.good === null ? "–" : percent(row.good), interval, row.least === null ? "–" : percent(row.least)]
        .forEach((text, j) => write(line.cells[j + 1], text));
    });
  }
}

function lines(list, texts, mark = () => {}) {
  while (list.children.length > texts.length) list.lastChild.remove();
  texts.forEach((text, i) => {
    const item = list.children[i] ?? list.appendChild(document.createElement("li"));
    write(item, text);
    mark(item, i);
  });
}

export default {
  async render({ model, el }) {
    const store = emptyStore();
    let view;
    const begin = () => model.send({ type: "shown", calm: matchMedia("(prefers-reduced-motion: reduce)").matches });
    const hear = (frame) => {
      if (frame.type !== "frame") return;
      merge(store, frame);
      requestAnimationFrame(() => {
        view?.draw(store);
        model.send({ type: "drawn", number: frame.number });
      });
    };
    const watch = setInterval(() => {
      if (!view || performance.now() - store.heard < 6000) return;
      write(view.find(".note"), "No word from the kernel for some seconds. If it was restarted, run this cell again.");
      if (document.visibilityState === "visible") begin();
    }, 1000);
    model.on("msg:custom", hear);
    loadPlotly(model).then((Plotly) => {
      view = new ReleaseView(model, el, Plotly);
      begin();
    }, (error) => (el.textContent = `${error.message} Run this cell again.`));
    return () => {
      clearInterval(watch);
      model.off("msg:custom", hear);
      view?.picture.purge();
    };
  },
};

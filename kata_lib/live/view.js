// The live lab in the browser. Each frame from the kernel holds what is new; it is drawn, then answered, and
// without an answer the kernel sends no more. A hidden tab draws nothing, so it does not answer either.

const MINUTE = 60;
const VERSION = "v2";
const SILENCE_MS = 6000;
const SPOKEN_MS = 5000;
const THROTTLE_MS = 80;
const INK = "#333333";

const BUTTONS = [
  ["Canary 10 %", 10],
  ["50/50", 50],
  ["Promote", 100],
  ["Roll back", 0],
];

// plotly.js comes from the kernel's own package, once for the page.
function loadPlotly(model) {
  globalThis.kataPlotly ??= new Promise((resolve, reject) => {
    const late = setTimeout(() => fail(new Error("The kernel did not send plotly.js.")), 20000);
    const fail = (error) => {
      model.off("msg:custom", take);
      globalThis.kataPlotly = undefined;
      reject(error);
    };
    const take = async (message, buffers) => {
      if (message.type !== "script") return;
      clearTimeout(late);
      model.off("msg:custom", take);
      try {
        const unzipped = new Blob([buffers[0]]).stream().pipeThrough(new DecompressionStream("gzip"));
        const module = { exports: {} };
        new Function("module", "exports", await new Response(unzipped).text())(module, module.exports);
        resolve(module.exports);
      } catch (error) {
        fail(error);
      }
    };
    model.on("msg:custom", take);
    model.send({ type: "script" });
  });
  return globalThis.kataPlotly;
}

function emptyStore() {
  return { seconds: new Map(), changes: new Map(), frame: null, frames: 0, heard: performance.now() };
}

function merge(store, frame) {
  if (frame.whole) {
    store.seconds.clear();
    store.changes.clear();
  }
  for (const row of frame.seconds) store.seconds.set(row[0], row);
  for (const change of frame.changes) store.changes.set(change.number, change);
  for (const number of store.seconds.keys()) if (number < frame.now - MINUTE - 1) store.seconds.delete(number);
  store.frame = frame;
  store.heard = performance.now();
}

const percent = (share) => `${Math.round(1000 * share) / 10} %`;
const sorted = (map) => [...map.values()].sort((a, b) => (a[0] ?? a.number) - (b[0] ?? b.number));
const lastChange = (store) => sorted(store.changes).at(-1);

function seenWords(change) {
  if (change.before === null) return "";
  const who = change.by === "you" ? "" : " (from elsewhere)";
  const what = `${percent(change.before)} → ${change.after === null ? "pods' part" : percent(change.after)}${who}`;
  if (change.seen_ms === null) return `${what}: not to be seen in the answers yet`;
  const requests = change.requests === 1 ? "1 answer" : `${change.requests} answers`;
  return `${what}: seen after ${change.seen_ms} ms, ${requests}`;
}

// ---- the picture -------------------------------------------------------------------------------------------

function traces(store, styles) {
  const { now } = store.frame;
  const [color, symbol] = styles[VERSION];
  const rows = sorted(store.seconds);
  const ago = (second) => Math.min(0, second + 0.5 - now);
  const answered = rows.filter((row) => row[1] !== null);
  const x = answered.map((row) => ago(row[0]));
  const whole = (row) => row[0] + 1 <= now;
  const failed = rows.filter((row) => row[5] > 0);
  const asked = { x: [], y: [] };
  for (const change of sorted(store.changes)) {
    asked.x.push(Math.max(-MINUTE, change.at - now));
    asked.y.push(change.after === null ? null : 100 * change.after);
  }
  if (asked.x.length) {
    asked.x.push(0);
    asked.y.push(asked.y.at(-1));
  }
  return [
    { x, y: answered.map((row) => row[2]), mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false },
    { x, y: answered.map((row) => row[3]), mode: "lines", line: { width: 0 }, fill: "tonexty",
      fillcolor: `${color}33`, hoverinfo: "skip", name: "95 % interval" },
    { ...asked, mode: "lines", line: { color: INK, width: 2.5, dash: "dot", shape: "hv" }, name: "asked for" },
    { x, y: answered.map((row) => row[1]), mode: "lines+markers", name: `${VERSION}, each second`,
      line: { color, width: 2 },
      marker: { color, size: 6, symbol: answered.map((row) => (whole(row) ? symbol : `${symbol}-open`)) },
      text: answered.map((row) => `${row[1]} % of ${row[4]}`), hoverinfo: "text" },
    { x: failed.map((row) => ago(row[0])), y: failed.map((row) => row[5]), mode: "markers", name: "failed",
      marker: { color: INK, symbol: "x", size: 9 } },
  ];
}

function layout(store) {
  const { now } = store.frame;
  const marks = sorted(store.changes).filter((c) => c.before !== null && c.at > now - MINUTE);
  const axis = { linecolor: INK, showline: true, zeroline: false, ticks: "outside", fixedrange: true };
  return {
    paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff", font: { family: "sans-serif", color: INK, size: 12 },
    margin: { l: 58, r: 14, t: 36, b: 64 }, height: 300, dragmode: false, hovermode: "closest",
    legend: { orientation: "h", x: 0.5, xanchor: "center", y: -0.22, yanchor: "top" },
    xaxis: { ...axis, range: [-MINUTE, 0.5], dtick: 10, title: { text: "seconds ago", standoff: 4 },
      ticktext: [60, 50, 40, 30, 20, 10, 0], tickvals: [-60, -50, -40, -30, -20, -10, 0], showgrid: false },
    yaxis: { ...axis, range: [-2, 105], ticksuffix: " %", dtick: 25, gridcolor: "#e3e3e3",
      title: { text: "share of answers", standoff: 6 } },
    shapes: marks.map((c) => ({ type: "line", x0: c.at - now, x1: c.at - now, y0: 0, y1: 1, yref: "paper",
      line: { color: "#777777", width: 1 } })),
    annotations: marks.map((c) => ({ x: c.at - now, y: 1, yref: "paper", yanchor: "bottom", showarrow: false,
      xanchor: "center", yshift: 12 * (c.number % 2), font: { size: 11 }, // neighbours stand in two rows
      text: c.seen_ms === null ? "…" : `${c.seen_ms} ms` })),
  };
}

// ---- the words ---------------------------------------------------------------------------------------------

function fillTable(body, frame, styles) {
  const cells = frame.since.map((share) => {
    const [p50, p95] = frame.recent.latencies[share.version] ?? ["–", "–"];
    return [share.version, share.count, `${share.share.toFixed(1)} %`,
      `${share.low.toFixed(1)} to ${share.high.toFixed(1)} %`, p50, p95];
  });
  while (body.rows.length > cells.length) body.deleteRow(-1);
  cells.forEach((row, i) => {
    const line = body.rows[i] ?? newRow(body, row.length);
    line.cells[0].firstChild.style.background = styles[row[0]]?.[0] ?? "#cc79a7";
    line.cells[0].lastChild.textContent = row[0];
    row.slice(1).forEach((text, j) => (line.cells[j + 1].textContent = text));
  });
}

function newRow(body, width) {
  const line = body.insertRow();
  const head = document.createElement("th");
  head.scope = "row";
  const swatch = document.createElement("span");
  swatch.className = "swatch";
  head.append(swatch, document.createTextNode(""));
  line.append(head);
  for (let i = 1; i < width; i++) line.insertCell();
  return line;
}

function fillLast(place, last, styles) {
  while (place.children.length > last.length) place.lastChild.remove();
  last.forEach(([version, text], i) => {
    const line = place.children[i] ?? place.appendChild(document.createElement("span"));
    line.style.borderColor = version ? (styles[version]?.[0] ?? "#cc79a7") : INK;
    line.textContent = version ? text : `failed: ${text}`;
  });
}

function spokenWords(store) {
  const change = lastChange(store);
  const share = store.frame.since.find((s) => s.version === VERSION);
  const asked = change && change.after !== null ? `${percent(change.after)} asked for` : "no weight set";
  const seen = share ? `${share.share} percent of the answers from ${VERSION}` : `no answer from ${VERSION}`;
  const failed = store.frame.recent.failed ? `, ${store.frame.recent.failed} requests failed` : "";
  return `${asked}; ${seen}${failed}.`;
}

const HTML = `
  <div class="controls">
    <label class="slider">Weight of v2
      <input type="range" min="0" max="100" step="1" value="0" disabled>
      <output>–</output></label>
    <span class="buttons" role="group" aria-label="Set the weight"></span>
    <button class="run" aria-pressed="false">Pause</button>
  </div>
  <div class="plot" role="img"></div>
  <div class="below">
    <table>
      <caption></caption>
      <thead><tr><th scope="col">version</th><th scope="col">answers</th><th scope="col">share</th>
        <th scope="col">95 % interval</th><th scope="col">p50 ms</th><th scope="col">p95 ms</th></tr></thead>
      <tbody></tbody>
    </table>
    <div class="words"><p class="rate"></p><p class="change"></p><div class="last" aria-hidden="true"></div></div>
  </div>
  <div class="note" role="status"></div>
  <div class="spoken" aria-live="polite"></div>`;

class View {
  constructor(model, el, Plotly, styles) {
    Object.assign(this, { model, Plotly, styles, el, sent: 0, pending: false, dragging: false, spoken: -Infinity });
    el.classList.add("kata-live");
    el.setAttribute("role", "group");
    el.setAttribute("aria-label", "Live traffic and the weight of v2");
    // JupyterLab would take the slider's keys: as shortcuts, and as a move of the caret through outputs.
    el.dataset.lmSuppressShortcuts = "true";
    el.addEventListener("keydown", (event) => event.stopPropagation());
    el.style.setProperty("--kata-v2", styles[VERSION][0]);
    el.innerHTML = HTML;
    const find = (selector) => el.querySelector(selector);
    this.parts = { slider: find("input"), output: find("output"), run: find(".run"), plot: find(".plot"),
      caption: find("caption"), body: find("tbody"), rate: find(".rate"), change: find(".change"),
      last: find(".last"), note: find(".note"), spoken: find(".spoken") };
    // The still picture for readers without a kernel is not needed while this view lives.
    const hide = el.appendChild(document.createElement("style"));
    hide.textContent = `.kata-still-${model.get("still")} { display: none }`;
    this.listen(find(".buttons"));
  }

  listen(buttons) {
    const { slider, run } = this.parts;
    for (const [text, value] of BUTTONS) {
      const button = buttons.appendChild(document.createElement("button"));
      button.textContent = text;
      button.addEventListener("click", () => this.ask(value));
    }
    slider.addEventListener("input", () => this.ask(slider.valueAsNumber));
    slider.addEventListener("pointerdown", () => (this.dragging = true));
    for (const end of ["pointerup", "pointercancel"]) slider.addEventListener(end, () => (this.dragging = false));
    run.addEventListener("click", () => this.model.send({ type: "run", value: run.dataset.running !== "true" }));
  }

  // A person chose a weight: the newest value goes out, not more often than the throttle allows.
  ask(value) {
    this.setSlider(value);
    this.wanted = value;
    this.pending = true;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.lastSent = performance.now();
      this.sent = Date.now();
      this.model.send({ type: "weight", value: this.wanted, number: this.sent });
    }, Math.max(0, (this.lastSent ?? 0) + THROTTLE_MS - performance.now()));
  }

  setSlider(value) {
    const { slider, output } = this.parts;
    slider.value = value;
    slider.setAttribute("aria-valuetext", `${value} percent to v2`);
    output.textContent = `${value} %`;
  }

  draw(store) {
    const { parts, el } = this;
    const { frame } = store;
    const change = lastChange(store);
    if (frame.handled === this.sent && this.timer === undefined) this.pending = false;
    parts.slider.disabled = !change || change.after === null;
    if (change && change.after !== null && !this.pending && !this.dragging) this.setSlider(Math.round(100 * change.after));
    this.words(store, change);
    el.dataset.frames = ++store.frames;
    el.dataset.weight = change?.after ?? "";
    if (el.offsetParent === null) return;
    this.Plotly.react(parts.plot, traces(store, this.styles), layout(store), { displayModeBar: false, responsive: true });
  }

  words(store, change) {
    const { parts, styles } = this;
    const { frame } = store;
    const total = frame.since.reduce((sum, share) => sum + share.count, 0);
    parts.caption.textContent = `Since the last change: ${total} answers`;
    fillTable(parts.body, frame, styles);
    fillLast(parts.last, frame.last, styles);
    const failed = frame.recent.failed;
    parts.rate.textContent = `${frame.recent.rate} requests/s, ${failed || "none"} failed in ten seconds`;
    parts.change.textContent = change ? seenWords(change) : "";
    parts.run.textContent = frame.running ? "Pause" : "Continue";
    parts.run.dataset.running = frame.running;
    parts.run.setAttribute("aria-pressed", String(!frame.running));
    this.note(frame.note);
    if (performance.now() - this.spoken > SPOKEN_MS) {
      this.spoken = performance.now();
      parts.spoken.textContent = spokenWords(store);
      parts.plot.setAttribute("aria-label", `Share of v2 in each second of the last minute: ${spokenWords(store)}`);
    }
  }

  note(text) {
    if (this.parts.note.textContent !== text) this.parts.note.textContent = text;
  }
}

export default () => {
  const store = emptyStore();
  const views = new Set();

  return {
    initialize({ model }) {
      const hear = (frame) => {
        if (frame.type !== "frame") return;
        merge(store, frame);
        requestAnimationFrame(() => {
          if (views.size === 0 || store.frame !== frame) return;
          model.send({ type: "drawn", number: frame.number }); // on its way while the drawing goes on
          for (const view of views) view.draw(store);
        });
      };
      model.on("msg:custom", hear);
      return () => model.off("msg:custom", hear);
    },

    async render({ model, el }) {
      let view;
      let gone = false;
      const watch = setInterval(() => {
        if (!view || performance.now() - store.heard < SILENCE_MS) return;
        view.note("No word from the kernel for some seconds. If it was restarted, run this cell again.");
      }, 1000);
      loadPlotly(model).then((Plotly) => {
        if (gone) return;
        view = new View(model, el, Plotly, model.get("styles"));
        views.add(view);
        model.send({ type: "shown", calm: matchMedia("(prefers-reduced-motion: reduce)").matches });
      }, (error) => (el.textContent = `${error.message} Run this cell again.`));
      return () => {
        gone = true;
        clearInterval(watch);
        if (view) {
          views.delete(view);
          view.Plotly.purge(view.parts.plot);
        }
      };
    },
  };
};

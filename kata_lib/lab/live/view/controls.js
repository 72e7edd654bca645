// What a person can turn: a slider for two versions, linked ones for more, buttons, pause, clear, the rate.
const THROTTLE_MS = 80;
const BUTTONS = [["Canary 10 %", 10], ["50/50", 50], ["Promote", 100], ["Roll back", 0]];
const RATES = [10, 20, 50, 100, 200, 400];

class Controls {
  constructor(find, send, styleOf) {
    Object.assign(this, { send, styleOf, sliders: new Map(), pending: false, sent: 0, dragging: null });
    this.parts = { sliders: find(".sliders"), buttons: find(".buttons"), run: find(".run"), rate: find(".rate") };
    for (const [text, value] of BUTTONS) {
      const button = this.parts.buttons.appendChild(document.createElement("button"));
      button.textContent = text;
      button.addEventListener("click", () => this.newest && this.ask(this.newest, value));
    }
    for (const rate of RATES) this.addRate(rate);
    const { run, rate } = this.parts;
    run.addEventListener("click", () => send({ type: "run", value: run.dataset.running !== "true" }));
    find(".clear").addEventListener("click", () => send({ type: "clear" }));
    rate.addEventListener("change", () => {
      this.rateAsked = Number(rate.value);
      send({ type: "rate", value: this.rateAsked });
    });
  }

  // A person chose a weight: the newest value goes out, not more often than the throttle allows.
  ask(version, value) {
    this.set(version, value);
    this.wanted = { version, value };
    this.pending = true;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.lastSent = performance.now();
      this.sent = Date.now();
      this.send({ type: "weight", ...this.wanted, number: this.sent });
    }, Math.max(0, (this.lastSent ?? 0) + THROTTLE_MS - performance.now()));
  }

  set(version, value) {
    const slider = this.sliders.get(version);
    if (!slider) return;
    slider.input.value = value;
    slider.input.setAttribute("aria-valuetext", `${value} percent to ${version}`);
    write(slider.output, `${value} %`);
  }

  // Follow what the cluster says, except where a person is at it.
  follow(words, asked) {
    if (words.handled === this.sent && this.timer === undefined) this.pending = false;
    this.newest = newestOf(asked ?? {});
    this.offer(Object.keys(asked ?? {}).sort());
    for (const [version, { input }] of this.sliders) {
      input.disabled = !words.movable;
      const held = this.dragging === version || (this.pending && this.wanted.version === version);
      if (!held) this.set(version, Math.round(asked[version]));
    }
    for (const button of this.parts.buttons.children) button.disabled = !words.movable;
    const { run, rate } = this.parts;
    write(run, words.running ? "Pause" : "Continue");
    run.dataset.running = words.running;
    if (this.rateAsked === words.rate) this.rateAsked = undefined;
    if (this.rateAsked === undefined && Number(rate.value) !== words.rate) {
      if (![...rate.options].some((option) => Number(option.value) === words.rate)) this.addRate(words.rate);
      rate.value = words.rate;
    }
  }

  offer(versions) {
    const wanted = versions.length === 2 ? [versions[1]] : versions;
    if (wanted.join() === [...this.sliders.keys()].join()) return;
    this.sliders.clear();
    this.parts.sliders.replaceChildren(...wanted.map((version) => this.slider(version)));
  }

  slider(version) {
    const label = document.createElement("label");
    label.innerHTML = `Weight of ${version} <input type="range" min="0" max="100" step="1"><output></output>`;
    const [input, output] = [label.querySelector("input"), label.querySelector("output")];
    input.style.accentColor = this.styleOf(version).color;
    input.addEventListener("input", () => this.ask(version, input.valueAsNumber));
    input.addEventListener("pointerdown", () => (this.dragging = version));
    for (const end of ["pointerup", "pointercancel"]) input.addEventListener(end, () => (this.dragging = null));
    this.sliders.set(version, { input, output });
    return label;
  }

  addRate(rate) {
    this.parts.rate.add(new Option(rate, rate));
  }
}

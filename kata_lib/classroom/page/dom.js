/** What the board's pages share: elements whose strings are text, never markup; times; bars; the server's stream. */

const BINS = 8;
const SIGNS = { right: "✓", wrong: "✗", "not enough yet": "…" };

export const $ = (id) => document.getElementById(id);

/** Returns an element with these attributes and children; a string is text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Returns a button with these words that does this. */
export function button(words, press, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, words);
  made.addEventListener("click", press);
  return made;
}

const kept = new WeakMap();

/**
 * Gives an element children, each [key, make]: of a key that was there the child stays, with its focus and what
 * is pressed on it; others are made.
 */
export function keep(parent, items) {
  const before = kept.get(parent) ?? new Map();
  const after = new Map(items.map(([key, make]) => [key, before.get(key) ?? make()]));
  kept.set(parent, after);
  const wanted = [...after.values()];
  const stays = (child, place) => parent.children[place] === child;
  if (wanted.length !== parent.children.length || !wanted.every(stays)) parent.replaceChildren(...wanted);
}

/** Returns for how long something has been so. */
export function lasting(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return "less than a minute";
  return minutes === 1 ? "1 minute" : `${minutes} minutes`;
}

/** Returns how long ago something was. */
export function ago(seconds) {
  return seconds < 60 ? "just now" : `${lasting(seconds)} ago`;
}

/** Returns a check's verdict as a sign. */
export function sign(check, verdict) {
  const kind = verdict === "right" ? "right" : verdict === "wrong" ? "wrong" : "faint";
  return element(
    "span",
    { class: kind, title: `${check}: ${verdict ?? "not tried"}` },
    `${SIGNS[verdict] ?? "·"} `,
  );
}

/** Returns bars, one for each [label, count]. */
export function bars(counts, most = Math.max(1, ...counts.map(([, count]) => count))) {
  return counts.flatMap(([label, count]) => [
    element("span", {}, label),
    element("meter", { min: 0, max: most, value: count, "aria-label": `${label}: ${count}` }),
    element("span", { class: "faint" }, String(count)),
  ]);
}

/** Returns how many samples of ten had how many answers of version 2, as bars. */
export function fewBars(few) {
  if (Object.keys(few).length === 0)
    return [element("span", { class: "faint" }, "No sample of ten requests yet.")];
  return bars(Array.from({ length: 11 }, (_, of) => [String(of), few[of] ?? 0]));
}

/** Returns how many values fall into each of a few equal ranges. */
export function binned(values) {
  const distinct = [...new Set(values)];
  if (distinct.length <= BINS)
    return distinct
      .sort((a, b) => a - b)
      .map((value) => [written(value), values.filter((v) => v === value).length]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const width = (high - low) / BINS;
  return Array.from({ length: BINS }, (_, bin) => {
    const [from, to] = [low + bin * width, low + (bin + 1) * width];
    const inside = values.filter((v) => v >= from && (v < to || bin === BINS - 1)).length;
    return [`${written(from)} to ${written(to)}`, inside];
  });
}

export function written(value) {
  return Number(value.toPrecision(3)).toLocaleString("en");
}

/** Returns the distribution of what was predicted, and what is expected where that is to be shown. */
export function distribution(asked, showExpected) {
  const title = `${asked.question}${asked.unit ? `, in ${asked.unit}` : ""}`;
  const part = element(
    "div",
    { class: "predicted" },
    element("h3", {}, title),
    element("div", { class: "bars" }, ...bars(binned(asked.values))),
  );
  if (showExpected && asked.expected !== null)
    part.append(
      element("p", { class: "expected" }, `Expected: ${written(asked.expected)} ${asked.unit}`.trim()),
    );
  return part;
}

/** Shows a line, or hides it where it is empty. */
export function line(id, text) {
  $(id).hidden = text === "";
  $(id).textContent = text;
}

/** Shows the line that joins, where the class has codes; in a hub one joins by being there. */
export async function showJoining(answer) {
  if (!answer.ok) return;
  const board = new URL(".", location.href).href.replace(/\/$/, "");
  $("join").textContent = `kata class join ${board} --code ${(await answer.json()).learner}`;
  $("joining").hidden = false;
}

/** Returns so many seconds as a clock. */
export function clock(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

/** Counts a timer down in an element; set(left) begins it anew with so many seconds, null ends it. */
export function countdown(where) {
  let end = null;
  const draw = () => {
    where.hidden = end === null;
    if (end === null) return;
    const left = (end - performance.now()) / 1000;
    where.textContent = left > 0 ? clock(left) : "Time is up";
    where.classList.toggle("up", left <= 0);
  };
  setInterval(draw, 250);
  return (left) => {
    end = left === null ? null : performance.now() + left * 1000;
    draw();
  };
}

/** Calls draw with each state that a stream of the server's sends, and says in #connection when there is none; returns it. */
export function watch(path, draw) {
  const stream = new EventSource(path);
  stream.onmessage = (event) => {
    $("connection").textContent = "";
    draw(JSON.parse(event.data));
  };
  stream.onerror = () => {
    $("connection").textContent =
      stream.readyState === EventSource.CLOSED
        ? "The board lets this page in no more; load it again."
        : "No connection to the board; it is tried again.";
  };
  return stream;
}

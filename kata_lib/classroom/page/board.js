/** The board: draws each state that the server sends. What learners wrote becomes text, never markup. */

const SIGNS = { right: "✓", wrong: "✗", "not enough yet": "…" };
const BINS = 8;

const $ = (id) => document.getElementById(id);

/** Returns an element with these attributes and children; a string is text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Returns for how long something has been so. */
function lasting(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return "less than a minute";
  return minutes === 1 ? "1 minute" : `${minutes} minutes`;
}

/** Returns how long ago something was. */
function ago(seconds) {
  return seconds < 60 ? "just now" : `${lasting(seconds)} ago`;
}

function called(row) {
  return $("names").checked ? row.name : `Learner ${row.number}`;
}

/** Draws who needs somebody: raised hands first, then who is stuck, longest first. */
function drawAttention(state) {
  const hands = state.learners.filter((row) => row.hand);
  const stuck = state.learners.filter((row) => row.stuck && !row.hand);
  hands.sort((a, b) => a.hand.since - b.hand.since);
  stuck.sort((a, b) => a.stuck.since - b.stuck.since);
  const open = new Set([...document.querySelectorAll("details[open]")].map((one) => one.dataset.of));
  const items = [
    ...hands.map((row) => {
      const since = ago(state.now - row.hand.since);
      const item = element(
        "li",
        { class: "hand" },
        element("b", {}, called(row)),
        ` raised a hand, ${since}. `,
      );
      item.append(row.hand.finding);
      if (row.hand.analysis) {
        const details = element("details", { "data-of": row.number });
        details.open = open.has(String(row.number));
        details.append(element("summary", {}, "kata analyze"), element("pre", {}, row.hand.analysis));
        item.append(details);
      }
      return item;
    }),
    ...stuck.map((row) => {
      const since = lasting(state.now - row.stuck.since);
      const who = element("b", {}, called(row));
      return element("li", {}, who, ` is stuck on ${row.stuck.check} for ${since}. ${row.stuck.finding}`);
    }),
  ];
  if (items.length === 0) items.push(element("li", { class: "hand" }, "Nobody is stuck, and no hand is up."));
  $("attention").replaceChildren(...items);
}

function drawLearners(state) {
  const steps = Object.entries(state.steps);
  const heads = steps.map(([step, checks]) =>
    element("th", { scope: "col", title: `${step}: ${checks.join(", ")}` }, step.split("-")[0]),
  );
  const rows = state.learners.map((row) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, called(row)),
      ...steps.map(([, checks]) =>
        element("td", {}, ...checks.map((check) => sign(check, row.verdicts[check]))),
      ),
      element("td", { class: "faint" }, row.last ? ago(state.now - row.last) : "joined"),
    ),
  );
  const done = steps.map(
    ([, checks]) =>
      state.learners.filter((row) => checks.every((check) => row.verdicts[check] === "right")).length,
  );
  $("learners").replaceChildren(
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        element("th", { scope: "col" }, "learner"),
        ...heads,
        element("th", { scope: "col" }, "last"),
      ),
    ),
    element("tbody", {}, ...rows),
    element(
      "tfoot",
      {},
      element(
        "tr",
        {},
        element("th", { scope: "row" }, "all done"),
        ...done.map((count) => element("td", {}, `${count}/${rows.length}`)),
        element("td"),
      ),
    ),
  );
}

function sign(check, verdict) {
  const kind = verdict === "right" ? "right" : verdict === "wrong" ? "wrong" : "faint";
  return element(
    "span",
    { class: kind, title: `${check}: ${verdict ?? "not tried"}` },
    `${SIGNS[verdict] ?? "·"} `,
  );
}

/** Returns bars, one for each [label, count]. */
function bars(counts) {
  const most = Math.max(1, ...counts.map(([, count]) => count));
  return counts.flatMap(([label, count]) => [
    element("span", {}, label),
    element("meter", { min: 0, max: most, value: count, "aria-label": `${label}: ${count}` }),
    element("span", { class: "faint" }, String(count)),
  ]);
}

function drawFew(state) {
  const counts = Array.from({ length: 11 }, (_, of) => [String(of), state.few[of] ?? 0]);
  $("few").replaceChildren(
    ...(Object.keys(state.few).length
      ? bars(counts)
      : [element("span", { class: "faint" }, "No sample of ten requests yet.")]),
  );
}

/** Returns how many values fall into each of a few equal ranges. */
function binned(values) {
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

function written(value) {
  return Number(value.toPrecision(3)).toLocaleString("en");
}

function drawPredictions(state) {
  const shown = state.predictions.map((asked) => {
    const title = `${asked.question}${asked.unit ? `, in ${asked.unit}` : ""}`;
    const part = element(
      "div",
      {},
      element("h3", {}, title),
      element("div", { class: "bars" }, ...bars(binned(asked.values))),
    );
    if ($("expected").checked && asked.expected !== null)
      part.append(element("p", {}, `Expected: ${written(asked.expected)} ${asked.unit}`));
    return part;
  });
  $("predictions").replaceChildren(
    ...(shown.length ? shown : [element("span", { class: "faint" }, "Nobody predicted anything yet.")]),
  );
}

/** Draws the quiz: each choice with how many took it before and after; which is right waits for its tick. */
function drawQuiz(state) {
  const quiz = state.quiz;
  if (quiz === null) {
    $("gained").textContent = "Nobody answered it yet.";
    return $("quiz").replaceChildren();
  }
  const both = quiz.gained
    ? ` The ${quiz.both} who did both had ${quiz.gained.map(written).join(", then ")} of ${quiz.asked.length} right.`
    : "";
  $("gained").textContent = `${quiz.before} answered before, ${quiz.after} after.${both}`;
  $("quiz").replaceChildren(...quiz.asked.map((asked, place) => drawn(asked, place + 1, quiz)));
}

function drawn(asked, number, quiz) {
  const known = $("expected").checked;
  const rows = asked.choices.map((choice, place) => {
    const row = element("tr", known && place === asked.right ? { class: "right" } : {});
    row.append(element("th", { scope: "row" }, `${"abcd"[place]} ${choice}`));
    row.append(element("td", {}, shareOf(asked.before[place], quiz.before)));
    row.append(element("td", {}, shareOf(asked.after[place], quiz.after)));
    return row;
  });
  const heads = ["", "before", "after"].map((head) => element("th", { scope: "col" }, head));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...heads)));
  table.append(element("tbody", {}, ...rows));
  return element("div", {}, element("h3", {}, `${number}. ${asked.text}`), table);
}

function shareOf(count, all) {
  return all ? `${count} (${Math.round((100 * count) / all)} %)` : "–";
}

let last = null;

function draw() {
  if (last === null) return;
  drawAttention(last);
  drawLearners(last);
  drawFew(last);
  drawPredictions(last);
  drawQuiz(last);
}

function show(codes) {
  $("join").textContent = `kata class join ${location.origin} --code ${codes.learner}`;
}

const stream = new EventSource("/api/board");
stream.onmessage = (event) => {
  last = JSON.parse(event.data);
  $("connection").textContent = "";
  draw();
};
stream.onerror = () => {
  $("connection").textContent = "No connection to the board; it is tried again.";
};
for (const id of ["names", "expected"]) $(id).addEventListener("change", draw);
$("renew").addEventListener("click", async () => {
  const answer = await fetch("/api/codes/learner", { method: "POST" });
  show(await answer.json());
});
show(await (await fetch("/api/codes")).json());

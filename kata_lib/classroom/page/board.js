/** The instructor's board: draws each state that the server sends, and sends what the instructor sets. */

import {
  $,
  ago,
  button,
  countdown,
  distribution,
  element,
  fewBars,
  keep,
  lasting,
  showJoining,
  sign,
  watch,
  written,
} from "./dom.js";

let last = null;
let chosen = null;
const timer = countdown($("timer-now"));

function called(row) {
  return $("names").checked ? row.name : `Learner ${row.number}`;
}

/** Has the server do what the instructor sets; what it refuses is said. */
async function order(content) {
  const answer = await fetch("api/orders", { method: "POST", body: JSON.stringify(content) });
  $("refused").textContent = answer.ok ? "" : (await answer.json()).error;
}

/** Draws who needs somebody: raised hands first, then who is stuck, longest first. */
function drawAttention(state) {
  const hands = state.learners.filter((row) => row.hand).sort((a, b) => a.hand.since - b.hand.since);
  const stuck = state.learners
    .filter((row) => row.stuck && !row.hand)
    .sort((a, b) => a.stuck.since - b.stuck.since);
  const open = new Set([...document.querySelectorAll("details[open]")].map((one) => one.dataset.of));
  const items = [
    ...hands.map((row) => [keyOf(row, state.now), () => hand(row, state.now, open)]),
    ...stuck.map((row) => [keyOf(row, state.now), () => stuckOn(row, state.now)]),
  ];
  const nobody = () => element("li", { class: "hand" }, "Nobody is stuck, and no hand is up.");
  keep($("attention"), items.length ? items : [["nobody", nobody]]);
}

/** Returns what is drawn of a learner: where it is the same, nothing is drawn anew. */
function keyOf(row, now) {
  const times = [row.hand?.since, row.stuck?.since, row.last].map((since) => since && lasting(now - since));
  return JSON.stringify([called(row), { ...row, last: null }, times]);
}

function hand(row, now, open) {
  const since = ago(now - row.hand.since);
  const item = element("li", { class: "hand" }, who(row), ` raised a hand, ${since}. `);
  item.append(row.hand.finding);
  if (row.stuck) item.append(` Stuck on ${row.stuck.check} for ${lasting(now - row.stuck.since)}.`);
  if (row.hand.analysis) {
    const details = element("details", { "data-of": row.number });
    details.open = open.has(String(row.number));
    details.append(element("summary", {}, "kata analyze"), element("pre", {}, row.hand.analysis));
    item.append(details);
  }
  return item;
}

function stuckOn(row, now) {
  const since = lasting(now - row.stuck.since);
  const finding = row.stuck.finding || "No check of it was made yet.";
  return element("li", {}, who(row), ` is stuck on ${row.stuck.check} for ${since}. ${finding}`);
}

/** Returns a learner's name, which opens what can be done for them. */
function who(row) {
  return button(called(row), () => openOne(row), { class: "who" });
}

function drawLearners(state) {
  const steps = Object.entries(state.steps);
  if (!$("heads").hasChildNodes()) $("heads").append(...heads(steps));
  keep(
    $("rows"),
    state.learners.map((row) => [keyOf(row, state.now), () => learner(row, steps, state.now)]),
  );
  const all = state.learners;
  const done = steps.map(([, checks]) => all.filter((row) => isDone(row, checks)).length);
  $("done").replaceChildren(
    element("th", { scope: "row" }, "all done"),
    ...done.map((count) => element("td", {}, `${count}/${all.length}`)),
    element("td"),
    element("td"),
  );
}

function heads(steps) {
  const head = (words, title = "") => element("th", { scope: "col", title }, words);
  return [
    head("learner"),
    ...steps.map(([step, checks]) => head(step.split("-")[0], `${step}: ${checks.join(", ")}`)),
    head("last"),
    head("help"),
  ];
}

function learner(row, steps, now) {
  const verdicts = (checks) => checks.map((check) => sign(check, row.verdicts[check]));
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, who(row)),
    ...steps.map(([, checks]) => element("td", {}, ...verdicts(checks))),
    element("td", { class: "faint" }, row.last ? ago(now - row.last) : "joined"),
    element("td", { class: "faint" }, ...besides(row)),
  );
}

function isDone(row, checks) {
  return checks.every((check) => row.verdicts[check] === "right");
}

/** Returns the learner's report, and what became of the offer to reset a step. */
function besides(row) {
  const parts = [];
  if (row.report !== null) parts.push(report(row), " ");
  if (row.offered !== null) {
    const { step, accepted } = row.offered;
    const became = accepted === null ? "offered" : accepted ? "done" : "declined";
    parts.push(`reset of ${step}: ${became}`);
  }
  return parts;
}

function report(row) {
  const place = `api/learners/${row.number}/report`;
  return element("a", { href: place, target: "_blank", rel: "noopener" }, "report");
}

function drawOrders(state) {
  const { gate, message } = state;
  const at = gate ? `All meet at ${gate.check}: ${gate.here} of ${gate.of} are there.` : "";
  stands("gate-now", at, "Open the gate", { type: "gate", check: null });
  stands("message-now", message && `“${message}”`, "Take it back", { type: "message", text: "" });
  timer(state.timer === null ? null : state.timer - state.now);
  stands("timer-end", state.timer === null ? "" : " ", "End the timer", { type: "timer", seconds: 0 });
}

/** Shows what stands for all, and the button that ends it; nothing where it is "". */
function stands(id, text, words, ending) {
  const parts = [
    [text, () => element("span", {}, text)],
    ["end", () => button(words, () => order(ending))],
  ];
  keep($(id), text ? parts : []);
}

function drawPredictions(state) {
  const shown = state.predictions.map((asked) => {
    const key = [asked, state.projected === asked.question, state.truth, $("expected").checked];
    return [JSON.stringify(key), () => predicted(asked, state)];
  });
  const nobody = () => element("span", { class: "faint" }, "Nobody predicted anything yet.");
  keep($("predictions"), shown.length ? shown : [["nobody", nobody]]);
}

/** Returns a question's distribution, with what brings it to the projector. */
function predicted(asked, state) {
  const part = distribution(asked, $("expected").checked);
  const projected = state.projected === asked.question;
  const project = (question, truth) => () => order({ type: "project", question, truth });
  part.append(
    projected
      ? button("Off the projector", project(null, false))
      : button("On the projector", project(asked.question, false)),
  );
  if (projected && asked.expected !== null)
    part.append(
      " ",
      button(
        state.truth ? "Hide the truth there" : "Show the truth there",
        project(asked.question, !state.truth),
      ),
    );
  return part;
}

/** Fills the lists of checks and steps, once. */
function fillChoices(state) {
  if ($("gate").options.length > 0) return;
  for (const [step, checks] of Object.entries(state.steps)) {
    $("step").append(element("option", { value: step }, step));
    const group = element("optgroup", { label: step });
    group.append(...checks.map((check) => element("option", { value: check }, check)));
    $("gate").append(group);
  }
}

function openOne(row) {
  chosen = row.number;
  $("one-name").textContent = called(row);
  $("one-report").replaceChildren(...(row.report === null ? ["No report was sent."] : [report(row)]));
  if (row.stuck)
    $("step").value = Object.entries(last.steps).find(([, checks]) => checks.includes(row.stuck.check))[0];
  $("one").showModal();
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

function draw() {
  if (last === null) return;
  fillChoices(last);
  drawAttention(last);
  drawOrders(last);
  drawLearners(last);
  $("few").replaceChildren(...fewBars(last.few));
  drawPredictions(last);
  drawQuiz(last);
}

/** Has a form send an order, and nothing else. */
function sends(form, made) {
  $(form).addEventListener("submit", async (event) => {
    event.preventDefault();
    await order(made());
  });
}

sends("gate-form", () => ({ type: "gate", check: $("gate").value }));
sends("timer-form", () => ({ type: "timer", seconds: 60 * Number($("minutes").value) }));
sends("message-form", () => {
  const text = $("text").value;
  $("text").value = "";
  return { type: "message", text };
});
sends("offer-form", () => {
  $("one").close();
  return { type: "offer", learner: chosen, step: $("step").value };
});
$("remove").addEventListener("click", async () => {
  if (!window.confirm(`Remove ${$("one-name").textContent}, with all that the board has of them?`)) return;
  $("one").close();
  await order({ type: "remove", learner: chosen });
});
$("close").addEventListener("click", () => $("one").close());
for (const id of ["names", "expected"]) $(id).addEventListener("change", draw);

watch("api/board", (state) => {
  last = state;
  draw();
});

$("renew").addEventListener("click", async () => {
  await showJoining(await fetch("api/codes/learner", { method: "POST" }));
});
await showJoining(await fetch("api/codes"));

/** A learner's own page: how they stand on the board, what the instructor set, and what is kept of them. */

import { $, countdown, element, line, sign, watch, written } from "./dom.js";

const timer = countdown($("timer"));

function drawSteps(told) {
  const steps = Object.entries(told.steps).map(([step, checks]) => {
    const item = element("li", {}, element("b", {}, step), " ");
    for (const check of checks) item.append(sign(check, told.verdicts[check]), `${check} `);
    return item;
  });
  $("checks").replaceChildren(...steps);
  const besides = [];
  if (told.stuck) besides.push(`The board lists you as stuck on ${told.stuck}.`);
  if (told.hand !== null) besides.push("Your hand is up; lab.lower_hand() takes it down.");
  if (told.report !== null) besides.push("Your instructor has your report.");
  $("besides").textContent = besides.join(" ");
}

function draw(told) {
  $("name").textContent = told.name;
  line("message", told.message ? told.message.text : "");
  const gate = told.gate;
  line("gate", gate ? `The class meets at ${gate.check}: ${gate.here} of ${gate.of} are there.` : "");
  line(
    "offer",
    told.offer
      ? `Your instructor offers to reset ${told.offer.step}. In your notebook, lab.accept_reset() does it and lab.decline_reset() does not; nothing happens by itself.`
      : "",
  );
  timer(told.timer === null ? null : told.timer.left);
  drawSteps(told);
  const said = Object.entries(told.predictions).map(([question, value]) =>
    element("li", {}, `${question}: ${written(value)}`),
  );
  $("predictions").replaceChildren(
    ...(said.length ? said : [element("li", { class: "faint" }, "None yet.")]),
  );
}

$("forget").addEventListener("click", async () => {
  if (!window.confirm("Remove all that the board has of you?")) return;
  stream.close(); // in a hub whoever asks again is a learner again
  const answer = await fetch("api/me", { method: "DELETE" });
  line("message", answer.ok ? "The board has forgotten you." : (await answer.json()).error);
});

const stream = watch("api/mine", draw);

/** The view for the projector: the server sends it no names. */

import { $, bars, countdown, distribution, fewBars, line, showJoining, watch } from "./dom.js";

const timer = countdown($("timer"));

function counted(count, one, more) {
  return `${count} ${count === 1 ? one : more}`;
}

function people(state) {
  const stuck = Object.entries(state.stuck).map(([check, count]) => `${count} at ${check}`);
  return [
    counted(state.count, "learner", "learners"),
    counted(state.hands, "hand is up", "hands are up"),
    ...(stuck.length ? [`stuck: ${stuck.join(", ")}`] : []),
  ].join(" · ");
}

function draw(state) {
  line("message", state.message);
  const gate = state.gate;
  line("gate", gate ? `We wait until all are at ${gate.check}: ${gate.here} of ${gate.of} are there.` : "");
  timer(state.timer === null ? null : state.timer - state.now);
  const chosen = state.predictions.find((asked) => asked.question === state.projected);
  $("chosen").hidden = !chosen;
  $("chosen").replaceChildren(...(chosen ? [distribution(chosen, true)] : []));
  $("asked").hidden = Boolean(chosen) || state.predictions.length === 0;
  $("predictions").replaceChildren(...state.predictions.map((asked) => distribution(asked, false)));
  $("progress").replaceChildren(...bars(Object.entries(state.done), Math.max(1, state.count)));
  $("count").textContent = people(state);
  $("few").replaceChildren(...fewBars(state.few));
}

watch("api/projected", draw);

await showJoining(await fetch("api/codes"));

"""The live view of a release: its plan, where it stands, what the mesh counts, and what was decided.

The state is the cluster's (rollout/record.py), whoever runs the release; the shares of each second are
the difference of two readings of the sidecars' counters, in the rows that the live lab's picture draws.
"""

import html
import time
from collections.abc import Callable, Mapping
from threading import Thread
from typing import Any

import pandas as pd

from kata_lib import observe
from kata_lib.errors import KataError
from kata_lib.lab import Lab
from kata_lib.live.pace import Pace
from kata_lib.live.seconds import MINUTE
from kata_lib.live.still import StillBeside
from kata_lib.live.widget import Message, ReleaseWidget
from kata_lib.rollout import Rollout, metrics
from kata_lib.rollout.judging import Look
from kata_lib.rollout.record import line_of
from kata_lib.rollout.release import Decision, Release, Routing
from kata_lib.shares import wilson

FRAME_SECONDS = 1.0
TOLD = 8  # decisions beside the picture
COMMANDS: Mapping[str, Callable[[Rollout], None]] = {
    "pause": Rollout.pause,
    "resume": Rollout.resume,
    "promote": Rollout.promote,
    "promote fully": lambda release: release.promote(full=True),
    "abort": Rollout.abort,
    "retry": Rollout.retry,
    "undo": Rollout.undo,
}
"""What the buttons do."""


class LiveRelease:
    """A running view of a release."""

    def __init__(self, lab: Lab, release: Rollout) -> None:
        self.widget = ReleaseWidget()
        self.still = StillBeside(self.widget.still, self._as_text)
        self._cluster, self._release = lab.cluster, release
        self._start = time.time()
        self._pace = Pace(self._now(), FRAME_SECONDS)
        self._number = 0
        self._before: pd.DataFrame | None = None
        self._looks: dict[int, Mapping[str, Look]] = {}
        self._note = ""
        self._thread = Thread(target=self._run, name="live release", daemon=True)

    def __repr__(self) -> str:
        return "Live release" if self._thread.is_alive() else "Live release, closed"

    def start(self) -> None:
        """Begin; show_release() does so."""
        self._thread.start()

    def close(self) -> None:
        """End the view, and wait for that; the release goes on. The second time do nothing."""
        if self._thread.is_alive():
            self.widget.close()
            self._thread.join(10.0)

    def _now(self) -> float:
        return time.time() - self._start

    def _run(self) -> None:
        rest = 0.0
        while (messages := self.widget.messages(rest)) is not None:
            for message in messages:
                self._hear(message)
            if self._pace.due(self._now()) != "nothing":
                self._draw()
            self.still.refresh(due=True)
            rest = self._pace.rest(self._now())

    def _hear(self, message: Message) -> None:
        match message:
            case {"type": "shown"}:
                self._pace.shown(self._now(), bool(message.get("calm")))
            case {"type": "drawn", "number": int(number)}:
                self._pace.drawn(number, self._now())
            case {"type": "do", "command": str(command)} if command in COMMANDS:
                self._pace.heard(self._now())
                try:
                    COMMANDS[command](self._release)
                    self._note = ""
                except KataError as error:
                    self._note = str(error)

    def _draw(self) -> None:
        self._number += 1
        frame: Message = {
            "type": "frame",
            "number": self._number,
            "whole": True,
            "now": round(self._now(), 2),
        }
        try:
            state = self._release.state
            self._count(state)
            frame |= self._picture(state) | {"words": self._words(state)}
        except KataError as error:
            frame |= {"seconds": [], "changes": [], "words": {"note": str(error)}}
        self.widget.tell(frame)
        self._pace.sent(self._number, self._now())

    def _count(self, state: Release) -> None:
        after = metrics.reading(self._cluster, state.plan)
        if self._before is not None:
            counted = observe.difference(self._before, after)
            # Copies are no user's: the shares in the picture are those of the callers.
            names, users = metrics.versions(self._cluster, state.plan), Routing(state.routing.weight)
            self._looks[int(self._now())] = metrics.looks(counted, state.plan, names, users)
        self._before = after
        for second in [s for s in self._looks if s < self._now() - MINUTE - 1]:
            del self._looks[second]

    def _picture(self, state: Release) -> Message:
        """Return the seconds and the changes of the weight, as the live lab's frames hold them."""
        plan = state.plan
        seconds = [_row(at, looks, plan.canary, plan.stable) for at, looks in self._looks.items()]
        changes, before = [], None
        for number, decision in enumerate(state.decisions):
            after = {plan.canary: decision.weight, plan.stable: 100 - decision.weight}
            changes.append(
                {
                    "number": number,
                    "at": round(decision.at - self._start, 2),
                    "before": before,
                    "after": after,
                    "mark": _mark(decision),
                }
            )
            before = after
        return {"seconds": seconds, "changes": changes}

    def _words(self, state: Release) -> Message:
        """Return what stands beside the picture."""
        plan = state.plan
        return {
            "status": self._release.status().splitlines()[0],
            "phase": state.phase,
            "steps": [str(step) for step in plan.steps],
            "step": state.step if not state.ended else len(plan.steps) if state.phase == "Healthy" else -1,
            "may": _may(state),
            "metrics": [row for subset in (plan.canary, plan.stable) for row in self._figures(state, subset)],
            "decisions": [line_of(decision) for decision in state.decisions[: -TOLD - 1 : -1]],
            "pods": {},
            "note": self._note,
        }

    def _figures(self, state: Release, subset: str) -> list[dict[str, Any]]:
        """Return for each metric what was counted of a version since the routing last changed."""
        rows = []
        for metric in state.plan.metrics:
            tally = state.tallies[metric.name]
            counted = tally.canary if subset == state.plan.canary else tally.stable
            low, high = wilson(counted.n - counted.bad, counted.n)
            rows.append(
                {
                    "version": subset,
                    "metric": metric.name if metric.within is None else f"within {metric.within} ms",
                    "requests": counted.n,
                    "good": _percent(1 - counted.bad / counted.n) if counted.n else None,
                    "low": _percent(low),
                    "high": _percent(high),
                    "least": _percent(1 - metric.healthy),
                }
            )
        return rows

    def _as_text(self) -> str:
        lines = [self._release.status().splitlines()[0], *map(line_of, self._release.state.decisions)]
        return f"<pre>{html.escape(chr(10).join(lines))}</pre>"


def _row(at: int, looks: Mapping[str, Look], canary: str, stable: str) -> list[Any]:
    look = next(iter(looks.values()))
    total = look.canary.n + look.stable.n
    parts = {canary: look.canary.n, stable: look.stable.n}
    shares = {
        name: [_percent(value) for value in (n / total, *wilson(n, total))]
        for name, n in parts.items()
        if total
    }
    failed = _percent((look.canary.bad + look.stable.bad) / total) if total else 0.0
    return [at, total, failed, shares]


def _may(state: Release) -> list[str]:
    """Return the commands that make sense now."""
    if state.phase == "Healthy":
        return ["undo"]
    if state.phase == "Degraded":
        return ["retry"]
    return ["resume" if state.phase == "Paused" else "pause", "promote", "promote fully", "abort"]


def _mark(decision: Decision) -> str:
    """Return the name in the picture of a decision that moved the weight, "" for another."""
    word, *rest = decision.word.split()
    if word == "setWeight":
        return f"{rest[0]} %"
    return word if word in ("Healthy", "Aborted", "Undone") else ""


def _percent(fraction: float) -> float:
    return round(100 * fraction, 1)

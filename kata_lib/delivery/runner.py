"""What runs a release: it looks at the metrics, has the release decide, and puts the routing in force.

The cluster holds the state (record.py), and every command may change it at any moment; it is read anew at
each look. Saved first, put in force second: whoever finds a routing that is not in force yet puts it there.
A runner that dies leaves the release where it is; another goes on, without what was counted meanwhile.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from kata_lib.cluster.client import ApiRefused
from kata_lib.cluster.cluster import Cluster
from kata_lib.delivery import events, metrics, record, routes
from kata_lib.delivery.record import CONFLICT, Record
from kata_lib.delivery.state import ReleaseState
from kata_lib.errors import KataError, ReleaseError
from kata_lib.mesh import telemetry

if TYPE_CHECKING:
    import pandas as pd

GONE_SECONDS = 5.0
"""A runner that was not seen for this long, and for four of its looks, is gone."""

LAG_SECONDS = 10.0
"""For so long sidecars may take to have a new routing: istiod takes 0.1 s, one under load seconds."""


class Runner:
    """Runs one service's release, one look at a time. clock: seconds since 1970."""

    def __init__(self, cluster: Cluster, service: str, clock: Callable[[], float] = time.time) -> None:
        self.name = uuid4().hex[:8]
        self._cluster, self._service, self._clock = cluster, service, clock
        self._before: pd.DataFrame | None = None
        self._stage, self._routed_at = -1, 0.0

    def turn(self) -> Record:
        """Look once, and return the record; ReleaseError where another runner is at it."""
        found = record.load(self._cluster, self._service)
        if found.runner != self.name and alive(found, self._clock()):
            raise ReleaseError(f"The release of {self._service} is run by another process already.")
        if found.runner != self.name and found.seen:
            taken = events.taken_over(found.release, found.seen, self._clock())
            found = replace(found, release=taken)
        try:
            found = settle(self._cluster, found)
            after, state = self._look(found.release)
            saved = self._save(found, state)
        except ApiRefused as refused:
            if refused.code != CONFLICT:
                raise
            return record.load(self._cluster, self._service)  # somebody decided meanwhile: theirs counts
        self._before = after
        if saved.routed != saved.release.stage:
            saved = settle(self._cluster, saved)
        return saved

    def leave(self) -> None:
        """Let others run it at once."""

        def left(found: Record) -> Record:
            return replace(found, runner="") if found.runner == self.name else found

        record.change(self._cluster, self._service, left)

    def _look(self, state: ReleaseState) -> "tuple[pd.DataFrame | None, ReleaseState]":
        """Return a reading of the counters, None where there is none, and what the release makes of it."""
        now = self._clock()
        if state.ended:
            return None, state
        if other := routes.other(self._cluster, state.plan, state.routing):
            return None, events.weights_changed(state, other.weights, now, other.quote)
        try:
            if self._before is None or self._stage != state.stage:
                return self._begin(state, now)
            after = metrics.reading(self._cluster, state.plan)
            counted = telemetry.difference(self._before, after)
            return after, events.look(state, metrics.observe(self._cluster, counted, state), now)
        except KataError as error:
            return self._before, events.blind(state, str(error), now)

    def _begin(self, state: ReleaseState, now: float) -> "tuple[pd.DataFrame | None, ReleaseState]":
        """Return the reading from which a new routing is judged, once the callers' sidecars have it."""
        if self._stage != state.stage:
            self._before, self._stage, self._routed_at = None, state.stage, now
        lag = routes.lagging(self._cluster, state.plan, state.routing)
        if not lag:
            return metrics.reading(self._cluster, state.plan), state
        late = now - self._routed_at > LAG_SECONDS
        return None, events.blind(state, lag, now) if late else state

    def _save(self, found: Record, state: ReleaseState) -> Record:
        return record.save(self._cluster, replace(found, release=state, runner=self.name, seen=self._clock()))


def settle(cluster: Cluster, found: Record) -> Record:
    """Put the routing in force where it is not yet, and note that."""
    if found.routed == found.release.stage:
        return found
    routes.put(cluster, found.release.plan, found.release.routing)
    return record.save(cluster, replace(found, routed=found.release.stage))


def alive(found: Record, now: float) -> bool:
    """Return whether somebody runs the release."""
    limit = max(GONE_SECONDS, 4 * found.release.plan.interval)
    return bool(found.runner) and now - found.seen < limit

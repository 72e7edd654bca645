"""What one Envoy was sent, what it acknowledged, and when the next stage may follow. No input or output."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.answers import Answer, Answers
from kata_lib.engines.embedded.mesh.envoy_log import EnvoyLog
from kata_lib.engines.embedded.mesh.stages import Kind, Resources, Stage, Subscription, stages
from kata_lib.engines.embedded.mesh.translate import ProxyConfig

RejectionCallback = Callable[[str, Kind, str, str], None]
"""Called with node id, kind, version and reason when an Envoy refuses what it was sent."""

_RESENDS_BEFORE_REJECTED = 3
_AWAY_AFTER_SECONDS = 1.0


class ProxySession:
    """The dialogue with one Envoy, driven by its polls and by set_target.

    `answers` is where its answers are made, which it may share with others.
    """

    def __init__(
        self,
        node_id: str,
        log: EnvoyLog | None,
        on_rejection: RejectionCallback,
        on_change: Callable[[], None],
        answers: Answers,
    ) -> None:
        self.node_id = node_id
        self._log = log
        self._on_rejection = on_rejection
        self._on_change = on_change
        self._made = answers
        self._target: ProxyConfig | None = None
        self._plan: list[Stage] = []
        self._awaited: frozenset[Subscription] = frozenset()
        self._sent: dict[Kind, Resources] = {}
        self._answers: dict[Subscription, Answer] = {}
        self._delivered: dict[Subscription, tuple[str, int]] = {}
        self._acknowledged: dict[Subscription, str] = {}
        self._rejected: dict[Subscription, tuple[str, str]] = {}
        self._accepted_clusters: Resources = {}
        self._news: dict[Subscription, asyncio.Event] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._rested = False
        self._open_polls = 0
        self._last_poll = -_AWAY_AFTER_SECONDS

    def set_target(self, target: ProxyConfig) -> None:
        """Aim at a configuration; the first stage that differs from what was sent goes out at once."""
        if target == self._target:
            return
        self._target = target
        self._plan = list(stages(self._in_force(), target))
        self._awaited = frozenset()
        self._rested = False
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._advance()

    def _in_force(self) -> Mapping[Kind, Resources]:
        """Return what Envoy has, as far as that is known: where it refuses something, what it accepted."""
        if not self.rejection:
            return self._sent
        return {"endpoints": self._sent.get("endpoints", {}), "clusters": self._accepted_clusters}

    async def poll(self, kind: Kind, names: tuple[str, ...], version: str, hold: float) -> bytes | None:
        """Answer one poll: at once if there is news, else when there is; None after `hold` seconds."""
        subscription = (kind, names)
        self._acknowledged[subscription] = version
        if version == self._version(subscription):
            self._delivered.pop(subscription, None)
            if kind == "clusters":
                self._accepted_clusters = self._sent[kind]
        else:
            self._note_rejection(subscription)
        self._open_polls += 1
        try:
            self._advance()
            async with asyncio.timeout(hold):
                while (answer := self._news_for(subscription, version)) is None:
                    await self._news.setdefault(subscription, asyncio.Event()).wait()
        except TimeoutError:
            return None
        finally:
            self._open_polls -= 1
            self._last_poll = asyncio.get_running_loop().time()
            self._on_change()
        sent_version, times = self._delivered.get(subscription, ("", 0))
        self._delivered[subscription] = (answer.version, times + 1 if sent_version == answer.version else 1)
        return answer.body

    @property
    def connected(self) -> bool:
        """Whether Envoy polls: it has a poll open, or had one a moment ago."""
        return (
            self._open_polls > 0 or asyncio.get_running_loop().time() - self._last_poll < _AWAY_AFTER_SECONDS
        )

    @property
    def settled(self) -> bool:
        """Whether Envoy acknowledged everything of the target."""
        return self._target is not None and not self._plan and not self._missing()

    @property
    def rejection(self) -> str | None:
        """What Envoy refuses of what it is being sent, with the reason from its log."""
        for subscription, (version, reason) in self._rejected.items():
            if version == self._version(subscription):
                return f"{subscription[0]} rejected: {reason}"
        return None

    def last_seen(self) -> str:
        """Return one line about what has not been acknowledged, for an error."""
        missing = [f"{kind} {' '.join(names)}".strip() for kind, names in sorted(self._missing())]
        return self.rejection or f"not acknowledged: {', '.join(missing) or 'nothing was set'}"

    def _advance(self) -> None:
        while self._plan and not self._missing() and not self._rests(self._plan[0]):
            stage = self._plan.pop(0)
            self._awaited = stage.awaited
            for kind, resources in stage.send.items():
                self._send(kind, resources)
        self._on_change()

    def _rests(self, stage: Stage) -> bool:
        """Return whether a stage that would change something has yet to wait for further changes."""
        if self._rested or not stage.rest or all(self._sent.get(k) == v for k, v in stage.send.items()):
            return False
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(stage.rest, self._end_rest)
        return True

    def _end_rest(self) -> None:
        self._timer = None
        self._rested = True
        self._advance()

    def _missing(self) -> set[Subscription]:
        return {wanted for wanted in self._awaited if self._acknowledged.get(wanted) != self._version(wanted)}

    def _version(self, subscription: Subscription) -> str | None:
        answer = self._answer(subscription)
        return answer.version if answer else None

    def _send(self, kind: Kind, resources: Resources) -> None:
        before = self._sent.get(kind)
        if before == resources:
            return
        self._sent[kind] = resources
        changed = {
            name for name in {*(before or {}), *resources} if (before or {}).get(name) != resources.get(name)
        }
        for subscription in self._concerned(kind, changed, self._answers):
            del self._answers[subscription]
        self._wake(kind, changed)
        if kind == "clusters" and before is not None:
            # Envoy builds a changed cluster anew and asks for its endpoints again before it uses it
            for name in changed:
                for known in (self._acknowledged, self._delivered, self._rejected):
                    known.pop(("endpoints", (name,)), None)
            self._wake("endpoints", changed)

    def _wake(self, kind: Kind, changed: set[str]) -> None:
        """Have the polls that ask for something that changed look at it."""
        for subscription in self._concerned(kind, changed, self._news):
            self._news.pop(subscription).set()

    @staticmethod
    def _concerned(kind: Kind, changed: set[str], among: Iterable[Subscription]) -> list[Subscription]:
        return [asked for asked in among if asked[0] == kind and (not asked[1] or changed & set(asked[1]))]

    def _answer(self, subscription: Subscription) -> Answer | None:
        if subscription not in self._answers:
            kind, names = subscription
            resources: Mapping[str, dict[str, Any]] | None = self._sent.get(kind)
            if resources is None or any(name not in resources for name in names):
                return None
            self._answers[subscription] = self._made.of(
                kind, [resources[name] for name in names or sorted(resources)]
            )
        return self._answers[subscription]

    def _news_for(self, subscription: Subscription, version: str) -> Answer | None:
        answer = self._answer(subscription)
        if answer is None or answer.version == version or self._is_rejected(subscription, answer):
            return None
        return answer

    def _is_rejected(self, subscription: Subscription, answer: Answer) -> bool:
        return answer.version == self._rejected.get(subscription, ("", ""))[0]

    def _note_rejection(self, subscription: Subscription) -> None:
        """Note a rejection: Envoy asks again without the version it was sent. A new subscription is none."""
        answer = self._answer(subscription)
        delivered, times = self._delivered.get(subscription, ("", 0))
        if answer is None or answer.version != delivered or self._is_rejected(subscription, answer):
            return
        kind = subscription[0]
        reason = self._log.rejection(kind) if self._log else None
        if reason is None and times < _RESENDS_BEFORE_REJECTED:
            return
        reason = reason or "Envoy gave no reason in its log"
        self._rejected[subscription] = (answer.version, reason)
        self._on_rejection(self.node_id, kind, answer.version, reason)

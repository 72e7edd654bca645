"""The engines there are, in the order in which they are tried, and the choice among them.

KATA_ENGINE or the caller names one; otherwise the first that this machine can run is taken.
"""

import importlib
import os
import re
import threading
from typing import TYPE_CHECKING, Any

from kata_lib.engines.application import Application
from kata_lib.engines.base import Engine
from kata_lib.engines.folder import Folder, engine_of
from kata_lib.errors import EngineError, EngineUnavailable

if TYPE_CHECKING:
    from kata_lib.engines.need import Need

__all__ = ["ENGINES", "cluster_name", "engine_of", "needs", "select"]

ENGINES = {"embedded": "EmbeddedEngine", "kind": "KindEngine", "context": "ContextEngine"}
"""Name and class of each engine; its folder has its name, and is imported only when it is chosen."""

_IMPORTING = threading.Lock()
"""Two threads in one package, from two of its ends, may each see it half-imported."""


def select(
    application: Application,
    engine: str | None = None,
    cluster: str | None = None,
    *,
    any_state: bool = False,
) -> Engine:
    """Return the engine by name, by KATA_ENGINE, that of the cluster which is there, or the first available.

    application: what the cluster is for. cluster: which of several side by side, by default KATA_NAME or
    "kata". any_state: also of a cluster that can only be stopped, because another version made it. Raises
    EngineError for a name that is none, for a cluster that another engine has and for such a one,
    EngineUnavailable with the reason and what would mend it.
    """
    wanted = engine or os.environ.get("KATA_ENGINE")
    name = cluster_name(cluster)
    if wanted and wanted not in ENGINES:
        raise EngineError(f"There is no engine {wanted!r}; choose one of: {', '.join(ENGINES)}.")
    if owner := engine_of(name):
        if wanted not in (None, "", owner):
            raise EngineError(
                f"The cluster {name!r} is the {owner} engine's, not the {wanted} engine's. "
                "`kata down` removes it; KATA_NAME=other starts another beside it."
            )
        if not any_state:
            Folder(name).check_state()
        return _make(owner, name, application)
    reasons = []
    for candidate in [wanted] if wanted else ENGINES:
        found = _make(candidate, name, application)
        reason = found.unavailable()
        if reason is None:
            return found
        reasons.append(f"{candidate}: {reason}.")
    begin = f"The engine {wanted!r} cannot run here." if wanted else "No engine runs on this machine."
    raise EngineUnavailable(f"{begin} {' '.join(reasons)}")


def cluster_name(wanted: str | None = None) -> str:
    """Return the cluster's name as wanted, by KATA_NAME, or "kata"; EngineError for what cannot be one."""
    name = wanted or os.environ.get("KATA_NAME") or "kata"
    if not re.fullmatch(r"[A-Za-z0-9-]{1,40}", name):
        raise EngineError(f"A cluster's name is up to 40 letters, digits and dashes, not {name!r}.")
    return name


def needs(application: Application, engine: str, cluster: str) -> "list[Need]":
    """Return what this machine has and lacks for an engine of the list, whether it is chosen or not."""
    return list(_load(f"{engine}.needs", "findings")(cluster, application))


def _make(engine: str, cluster: str, application: Application) -> Engine:
    made: Engine = _load(engine, ENGINES[engine])(cluster, application)
    return made


def _load(module: str, name: str) -> Any:
    with _IMPORTING:
        return getattr(importlib.import_module(f"{__name__}.{module}"), name)

"""The canary workshop: what a notebook needs, each name loaded when it is used."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kata_lib import addons as addons
    from kata_lib import delivery as delivery
    from kata_lib.cluster import manifests as manifests
    from kata_lib.course import clients as clients
    from kata_lib.course import quiz as quiz
    from kata_lib.course.progress import overview as overview
    from kata_lib.delivery import argo as argo
    from kata_lib.lab import live as live
    from kata_lib.lab.lab import Lab as Lab
    from kata_lib.lab.lab import open_lab as open_lab
    from kata_lib.mesh import compared as compared
    from kata_lib.mesh import telemetry as telemetry
    from kata_lib.pictures import endings as endings
    from kata_lib.pictures import graph as graph
    from kata_lib.pictures import meeting as meeting
    from kata_lib.pictures import plots as plots
    from kata_lib.statistics import runs as runs
    from kata_lib.statistics import shares as shares
    from kata_lib.statistics import standards as standards
    from kata_lib.traffic import users as users

_PLACES = {
    "Lab": "kata_lib.lab.lab:Lab",
    "open_lab": "kata_lib.lab.lab:open_lab",
    "argo": "kata_lib.delivery.argo",
    "clients": "kata_lib.course.clients",
    "compared": "kata_lib.mesh.compared",
    "endings": "kata_lib.pictures.endings",
    "graph": "kata_lib.pictures.graph",
    "live": "kata_lib.lab.live",
    "manifests": "kata_lib.cluster.manifests",
    "meeting": "kata_lib.pictures.meeting",
    "overview": "kata_lib.course.progress.overview",
    "plots": "kata_lib.pictures.plots",
    "quiz": "kata_lib.course.quiz",
    "runs": "kata_lib.statistics.runs",
    "shares": "kata_lib.statistics.shares",
    "standards": "kata_lib.statistics.standards",
    "telemetry": "kata_lib.mesh.telemetry",
    "users": "kata_lib.traffic.users",
}
"""Where the names are that notebooks import from here, beside the rooms themselves."""

__all__ = [*_PLACES]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kata_lib.cluster import waiting
    from kata_lib.lab import activity, comms

    activity.of_cells()
    comms.go_where_addressed()
    module, _, attribute = _PLACES[name].partition(":")
    with waiting.busy(f"Loading {name}"):
        found = importlib.import_module(module)
    return getattr(found, attribute) if attribute else found

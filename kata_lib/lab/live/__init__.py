"""The live lab: turn the weight and see the traffic follow, ten pictures a second.

    traffic = live.show(lab)
    live.show_graph(lab)
    live.show_pods(lab)
    live.show_release(lab, release)
    live.show_users(lab)

A Lab goes in, a widget is shown, a handle comes out at once. A thread does the work, and ends with the
kernel, with close(), and when its cell runs again.

Each view has a handle and a subject: lab.py and session.py, graph.py, release.py, users.py. All have one
loop: handle.py, loop.py and pace.py in the kernel, view/loop.js in the browser. widget.py stands between the
two, protocol.py is what they say to each other, settings.py what both must know, modules.py how the browser's
half gets there.
"""

from typing import TypeVar

from kata_lib.delivery import Release
from kata_lib.delivery.argo import ArgoRollout
from kata_lib.lab.lab import Lab
from kata_lib.lab.live import this_cell
from kata_lib.lab.live.by_argo import ByArgo
from kata_lib.lab.live.by_plan import ByPlan
from kata_lib.lab.live.graph import LiveGraph, OfPods, Readings
from kata_lib.lab.live.handle import LiveView
from kata_lib.lab.live.lab import Live
from kata_lib.lab.live.release import LiveRelease
from kata_lib.lab.live.users import LiveUsers

__all__ = [
    "Live",
    "LiveGraph",
    "LiveRelease",
    "LiveUsers",
    "show",
    "show_graph",
    "show_pods",
    "show_release",
    "show_users",
]

_Shown = TypeVar("_Shown", bound=LiveView)
_shown: dict[str, LiveView] = {}


def show(lab: Lab, rate: float = 50) -> Live:
    """Show the live lab below the cell and return at once; rate: requests a second to the service.

    What the same cell showed before is closed first.
    """
    return _show(Live(lab, rate))


def show_graph(lab: Lab, services: bool = True, durations: bool = False) -> LiveGraph:
    """Show below the cell who calls whom, and return at once; it sends no requests itself.

    services: whether they stand between callers and versions; without them each caller has its own shares.
    durations: whether each edge says its p95, too.
    """
    return _show(LiveGraph(Readings(lab.cluster, services, durations)))


def show_pods(lab: Lab) -> LiveGraph:
    """Show below the cell which pods of name get requests, and which are ejected; return at once."""
    return _show(LiveGraph(OfPods(lab.cluster)))


def show_users(lab: Lab, users: int = 100, requests: int = 20, rate: float = 250) -> LiveUsers:
    """Show below the cell whom of so many users, with so many requests each, version 2 meets; return at once.

    rate: of all their requests, a second.
    """
    return _show(LiveUsers(lab, users, requests, rate))


def show_release(lab: Lab, release: Release | ArgoRollout) -> LiveRelease:
    """Show below the cell how a release goes, with its buttons, and return at once; it sends no requests."""
    source = ByArgo(release) if isinstance(release, ArgoRollout) else ByPlan(release)
    return _show(LiveRelease(lab, source))


def _show(made: _Shown) -> _Shown:
    from IPython.display import display

    cell = this_cell.identity()
    if cell in _shown:
        _shown.pop(cell).close()
    _shown[cell] = made
    display(made.widget)
    made.still.show()
    made.start()
    return made

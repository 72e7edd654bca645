"""Which Services are one version of another: a Service's pods in part, as an HTTPRoute's weights need them.

A Service for all versions of an application selects more of the same pods: its labels are among the others'.
"""

from collections.abc import Iterable

from kata_lib.cluster.client import Obj

Versions = dict[str, list[str]]
"""By the name of a Service the names of those that select a part of its pods."""


def of_services(services: Iterable[Obj]) -> Versions:
    """Return for each Service of a namespace those that have all labels of its selector, and more."""
    selectors = {
        service["metadata"]["name"]: (service["spec"].get("selector") or {}).items() for service in services
    }
    found = {
        name: sorted(other for other, narrower in selectors.items() if labels and labels < narrower)
        for name, labels in selectors.items()
    }
    return {name: others for name, others in found.items() if others}

"""Links from a notebook into Prometheus, Kiali and Grafana, each with what to choose there.

A link is a port-forward to 127.0.0.1 of the machine on which the kernel runs; it ends with the kernel.
"""

import html
import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from kata_lib.addons.catalog import PAGES, opened
from kata_lib.cluster.cluster import Cluster
from kata_lib.engines.base import Engine
from kata_lib.errors import EngineError

QUESTION = (
    "sum by (destination_version) (rate(istio_requests_total"
    '{{reporter="source", destination_service_name="{service}", '
    'destination_workload_namespace="{namespace}"}}[1m]))'
)
"""Requests a second to each version of a service, as the callers' sidecars counted them, in PromQL."""

CHOOSE = {
    "kiali": "Traffic Graph, Versioned app graph; Display, Show Edge Labels, Traffic Distribution.",
    "prometheus": "The query asks for requests a second to each version; the tab Graph draws it.",
    "grafana": (
        "Dashboards, istio, Istio Service Dashboard; Service: {service}, with its namespace; "
        "row Service Workloads, Incoming Requests By Destination Workload."
    ),
}
"""Where a service's distribution is seen in each. Kiali's and Prometheus' links have chosen it already."""


class HasCluster(Protocol):
    """A lab, as far as add-ons need it."""

    engine: Engine
    cluster: Cluster


@dataclass(frozen=True)
class Dashboards:
    """What can be opened for a service: links by name; what cannot: names by the reason, in words."""

    service: str
    links: Mapping[str, str]
    absent: Mapping[str, list[str]]

    def __repr__(self) -> str:
        there = [f"{name}: {url}\n    {self._choose(name)}" for name, url in self.links.items()]
        return "\n".join([*there, *(f"{', '.join(names)}: {why}" for why, names in self.absent.items())])

    def _repr_html_(self) -> str:
        rows = [
            (f'<a href="{html.escape(url)}" target="_blank" rel="noopener">{name}</a>', self._choose(name))
            for name, url in self.links.items()
        ]
        rows += [(", ".join(names), html.escape(why)) for why, names in self.absent.items()]
        cell = "<td style='text-align:left'>"
        lines = (f"<tr>{cell}{what}</td>{cell}{words}</td></tr>" for what, words in rows)
        return f"<table>{''.join(lines)}</table>"

    def _choose(self, name: str) -> str:
        return CHOOSE[name].format(service=self.service)


def dashboards(lab: HasCluster, service: str) -> Dashboards:
    """Open a way to each add-on with a page that is in the cluster; the others are listed with the reason.

    service: whose distribution among versions is to be seen there. The ways stay open as long as the result,
    or the kernel, lives.
    """
    stack = ExitStack()
    links: dict[str, str] = {}
    absent: dict[str, list[str]] = {}
    for name in PAGES:
        try:
            root = stack.enter_context(opened(lab.engine, name))
            links[name] = root + _page(name, lab.cluster.namespace, service)
        except EngineError as error:
            absent.setdefault(str(error), []).append(name)
    found = Dashboards(service, links, absent)
    weakref.finalize(found, stack.close)
    return found


def _page(name: str, namespace: str, service: str) -> str:
    """Return the page of an add-on that shows the distribution, with its query."""
    match name:
        case "kiali":
            edges = "trafficDistribution,trafficRate"
            asked = {"namespaces": namespace, "graphType": "versionedApp", "edges": edges, "duration": 60}
            return f"kiali/console/graph/namespaces?{urlencode(asked)}"
        case "prometheus":
            expression = QUESTION.format(namespace=namespace, service=service)
            return f"graph?{urlencode({'g0.expr': expression, 'g0.tab': 0})}"
        case _:
            return "dashboards"

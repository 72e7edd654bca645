"""What sidecars have counted: numbers that a test chooses, or what one Envoy was seen to count."""

import json
import threading
from collections import Counter
from pathlib import Path

from api_server import Answers

from kata_lib.engines.embedded.store import Obj

REFERENCE = Path(__file__).parents[1] / "reference" / "envoy"


OUTBOUND = "outbound|5000|{}|{}.default.svc.cluster.local"


def successes(cluster: str) -> dict[str, int]:
    """Return how many requests each endpoint of a cluster of the recorded Envoy answered, by address."""
    status = json.loads((REFERENCE / "clusters.json").read_text())
    (found,) = (entry for entry in status["cluster_statuses"] if entry["name"] == cluster)
    return {
        endpoint["address"]["socket_address"]["address"]: int(stat.get("value", 0))
        for endpoint in found["host_statuses"]
        for stat in endpoint["stats"]
        if stat["name"] == "rq_success"
    }


class OneEnvoy:
    """Sidecars of which one Envoy tells what it counted, as recorded, and none has Istio's own counters."""

    def answer(self, pod: Obj, path: str) -> tuple[int, str]:
        if path.startswith("/stats/prometheus"):
            return 200, "envoy_server_uptime 7\n"
        tells = pod["metadata"]["labels"]["app"] == "sentences"
        return 200, (REFERENCE / "clusters.json").read_text() if tells else '{"cluster_statuses": []}'


class Counters:
    """Sidecars that have counted what was added; all else others answer. silent: workloads that do not."""

    def __init__(self, others: Answers) -> None:
        self.silent: tuple[str, ...] = ()
        self._others = others
        self._requests: Counter[tuple[str, str, str, str, str]] = Counter()
        self._lock = threading.Lock()

    def add(
        self,
        version: str,
        requests: int,
        code: str = "200",
        reporter: str = "source",
        workload: str = "",
        caller: str = "sentences",
    ) -> None:
        """Count requests to a version of `name`, in the caller's sidecar; "unknown": they reached no pod."""
        called = workload or (f"name-{version}" if version.startswith("v") else "unknown")
        with self._lock:
            self._requests[caller, reporter, called, version, code] += requests

    def answer(self, pod: Obj, path: str) -> tuple[int, str]:
        app = pod["metadata"]["labels"]["app"]
        if path == "/stats/prometheus" and pod["metadata"]["name"].startswith(self.silent):
            return 503, "error trying to reach service: connection refused"
        if path == "/stats/prometheus" and app in self._callers():
            return 200, self._text(app)
        return self._others.answer(pod, path)

    def _callers(self) -> set[str]:
        with self._lock:
            return {caller for caller, *_ in self._requests}

    def _text(self, app: str) -> str:
        with self._lock:
            return "".join(_line(*key, number) for key, number in self._requests.items() if key[0] == app)


def _line(caller: str, reporter: str, workload: str, version: str, code: str, number: int) -> str:
    labels = {
        "reporter": reporter,
        "source_workload": caller,
        "source_version": "v1",
        "destination_workload": workload,
        "destination_version": version,
        "destination_service_name": "name",
        "response_code": code,
        "response_flags": "-",
    }
    described = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"istio_requests_total{{{described}}} {number}\n"

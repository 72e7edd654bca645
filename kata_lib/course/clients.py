"""What it costs to list a namespace's rules: by kubectl, by the official client, by the workshop's own.

Each is a process of its own, as a script starts it, and does the same: log in, find the kind, list it.
"""

import json
import sys
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.engines.programs import ask, program
from kata_lib.mesh.virtual_services import ISTIO

if TYPE_CHECKING:
    import pandas as pd

LIMIT = 60.0
"""Seconds that one client may take."""

_OFFICIAL = f"""
import sys
from kubernetes import config, dynamic
api = dynamic.DynamicClient(config.new_client_from_config(sys.argv[1]))
api.resources.get(api_version={ISTIO!r}, kind="VirtualService").get(namespace=sys.argv[2])
"""
_OURS = f"""
import sys
from pathlib import Path
from kata_lib.cluster.client import KubeClient
api = KubeClient(Path(sys.argv[1]))
api.request("GET", api.path({ISTIO!r}, "VirtualService", namespace=sys.argv[2]))
"""
_MEASURE = """
import json, resource, subprocess, sys, time
begin = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
took, used = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
peak = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
json.dump([took, used.ru_utime + used.ru_stime, peak], sys.stdout)
sys.exit(done.returncode)
"""
"""Runs a command in between: a child's peak memory, as the system tells it, is never below its parent's."""


def costs(cluster: Cluster) -> "pd.DataFrame":
    """Return seconds, processor seconds and peak memory (MB) of one process of each client, measured now.

    ProgramFailed says which client failed, with its own words; EngineUnavailable where kubectl is not there.
    """
    import pandas as pd

    kubeconfig, namespace = str(cluster.kubeconfig), cluster.namespace
    asked = [f"--kubeconfig={kubeconfig}", f"--namespace={namespace}", "get", "virtualservices"]
    measured = {
        "kubectl": _measured([program("kubectl"), *asked, "--output=json"]),
        "the official client": _measured([sys.executable, "-c", _OFFICIAL, kubeconfig, namespace]),
        "the workshop's own": _measured([sys.executable, "-c", _OURS, kubeconfig, namespace]),
    }
    columns = ["seconds", "processor seconds", "memory, MB"]
    return pd.DataFrame.from_dict(measured, orient="index", columns=columns).round(2)


def _measured(command: list[str]) -> list[float]:
    measured: list[float] = json.loads(ask([sys.executable, "-I", "-S", "-c", _MEASURE, *command], LIMIT))
    return measured

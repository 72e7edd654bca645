"""What kubectl says to the commands of tests/reference/kubectl, on a cluster with Istio and a node."""

import json
import os
import tempfile
from pathlib import Path

from recording import COMMANDS, play_all

from kata_lib import versions
from recorders.lab import Lab
from recorders.recorded import Versions


def record(lab: Lab) -> Versions:
    """Play every `.commands` file in a namespace of its own."""
    for name in sorted(path.stem for path in COMMANDS.glob("*.commands")):
        answers = _played(lab, name)
        (COMMANDS / f"{name}.expected.json").write_text(json.dumps(answers, indent=1) + "\n")
        print(f"{name}: {len(answers)} commands recorded", flush=True)
    kubectl = lab.version_of("kubectl", "version", "--client")
    return {"kubernetes": lab.kubernetes, "kubectl": kubectl, "istio": versions.ISTIO}


def _played(lab: Lab, name: str) -> list[dict[str, object]]:
    namespace = f"reference-{name}"
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "kubeconfig"
        own.write_bytes(lab.cluster.read_bytes())
        there = Lab(own, programs=lab.programs)
        there.checked("kubectl", "create", "namespace", namespace)
        try:
            there.checked("kubectl", "config", "set-context", "--current", f"--namespace={namespace}")
            there.checked("kubectl", "wait", "--for=create", "serviceaccount/default", "--timeout=30s")
            node = there.checked("kubectl", "get", "nodes", "--output=jsonpath={.items[0].metadata.name}")
            return play_all(name, _environment(there, namespace), node)
        finally:
            there.checked("kubectl", "delete", "namespace", namespace, "--wait=false")


def _environment(lab: Lab, namespace: str) -> dict[str, str]:
    folder = str(Path(lab.program("kubectl")).parent)
    return {
        **os.environ,
        "PATH": os.pathsep.join([folder, os.environ["PATH"]]),
        "KUBECONFIG": str(lab.cluster),
        "KUBECTL_EXTERNAL_DIFF": "diff -u",
        "NAMESPACE": namespace,
    }

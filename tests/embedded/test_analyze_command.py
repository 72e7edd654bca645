"""kata analyze on a running cluster: three mistakes made with kubectl, found, and mended by its own lines."""

import json
import os
import subprocess
import sys
from pathlib import Path

from commands import Said, kata

from embedded.engine_cluster import DEPLOY, Cluster, Start, until


def analyze(*options: str, code: int) -> Said:
    """Run the command on the cluster `mistakes`."""
    done = kata("--name", "mistakes", "analyze", *options)
    assert done.code == code, done.stdout + done.stderr
    return done


def codes(code: int) -> dict[str, list[dict[str, str]]]:
    """Return what the command finds as JSON, by code."""
    found: dict[str, list[dict[str, str]]] = {}
    for message in json.loads(analyze("--json", code=code).stdout):
        found.setdefault(message["code"], []).append(message)
    return found


def mend(cluster: Cluster, message: dict[str, str]) -> None:
    """Do a mending line in a shell, and wait until the pods that it replaces are gone."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "KUBECONFIG": str(cluster.location.kubeconfig)}
    subprocess.run(["bash", "-c", message["mend"]], check=True, timeout=180, env=environment)
    cluster.kubectl("rollout", "status", "deployment", "--timeout=30s")
    ending = "--output=jsonpath={.items[*].metadata.deletionTimestamp}"
    until(lambda: not cluster.kubectl("get", "pods", ending))


def test_three_mistakes_are_found_and_mended(start: Start) -> None:
    cluster = start("mistakes")
    cluster.deploy("v1", "v2")
    found = codes(0)
    assert set(found) == {"IST0102"}

    # The namespace is labelled after its pods started, the weights do not total 100, a subset is misspelt.
    cluster.kubectl("label", "namespace", "default", "istio-injection=enabled")
    cluster.kubectl("apply", f"--filename={DEPLOY / 'virtual-service-canary.yaml'}")
    misspelt = '[{"op":"replace","path":"/spec/http/0/route/0/weight","value":80},' + (
        '{"op":"replace","path":"/spec/http/0/route/1/destination/subset","value":"nam-v2"}]'
    )
    cluster.kubectl("patch", "virtualservice", "name", "--type=json", f"--patch={misspelt}")

    found = codes(1)
    assert set(found) == {"IST0101", "IST0103", "KATA0101", "KATA0102", "KATA0303", "KATA0401"}
    assert len(found["IST0103"]) == 5
    assert found["IST0101"][0]["message"].endswith('not found: "name+nam-v2"')
    assert found["IST0101"][0]["mend"].endswith(
        '"/spec/http/0/route/1/destination/subset","value":"name-v2"}]\''
    )
    assert "name-v1 88.9 %, nam-v2 11.1 %" in found["KATA0401"][0]["message"]
    said = analyze(code=1)
    assert "Error [IST0101] (VirtualService default/name) Referenced host+subset" in said.stdout
    assert said.stderr == "Error: Analyzers found issues when analyzing namespace: default.\n"

    mend(cluster, found["KATA0101"][0])
    found = codes(1)
    assert set(found) == {"IST0101", "KATA0303", "KATA0401", "KATA0502"}
    assert found["KATA0502"][0]["message"].startswith(
        "11.1 % of the requests to name get 503 from the sidecar of"
    )
    cluster.kubectl("apply", f"--filename={DEPLOY / 'virtual-service-canary.yaml'}")
    assert analyze(code=0).stdout == "✔ No validation issues found when analyzing namespace: default.\n"

    # Applied in another namespace, and v2 scaled instead.
    cluster.kubectl("delete", f"--filename={DEPLOY / 'virtual-service-canary.yaml'}")
    cluster.kubectl("create", "namespace", "other")
    cluster.kubectl("apply", "--namespace=other", f"--filename={DEPLOY / 'virtual-service-canary.yaml'}")
    cluster.kubectl("scale", "deployment", "name-v2", "--replicas=4")
    cluster.kubectl("rollout", "status", "deployment", "--timeout=30s")
    found = codes(0)
    assert set(found) == {"KATA0203", "KATA0403"}
    assert "66.7 %" in found["KATA0403"][0]["message"]
    mend(cluster, found["KATA0203"][0])
    assert set(codes(0)) == {"KATA0404"}

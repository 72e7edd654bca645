"""The kind cluster itself: made, found, started again after Docker, removed; each through kind and Docker.

kind's own progress and errors come on standard error; a name is taken when `kind get clusters` lists it, also
where a creation was killed half-way.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from kata_lib.cluster import waiting
from kata_lib.cluster.waiting import Progress
from kata_lib.engines.kubectl import kubectl, pods, read, unready
from kata_lib.engines.programs import ProgramFailed, ask, program, run
from kata_lib.errors import EngineError

CREATE_SECONDS = 600.0
DELETE_SECONDS = 60.0
READY_SECONDS = 180.0
EXPORT_SECONDS = 60.0
CONTAINER_SECONDS = 30.0


class AlreadyThere(EngineError):
    """A cluster of that name has come into being in the meantime; it is not ours to remove."""


@dataclass(frozen=True)
class Nodes:
    """The one node of the cluster `name`; `provider` is the program that runs containers."""

    name: str
    provider: str
    kubeconfig: Path
    log: Path
    work: Path

    @property
    def container(self) -> str:
        return f"{self.name}-control-plane"

    def names(self) -> list[str]:
        """Return the kind clusters that there are, anyone's."""
        said = ask([program("kind"), "get", "clusters"])
        return said.split()  # where there is none, kind says so on standard error

    def state(self) -> dict[str, Any] | None:
        """Return the node's Id and whether it is Running, None where there is no such container."""
        command = [program(self.provider), "container", "inspect", self.container]
        try:
            found = json.loads(ask(command))[0]
        except ProgramFailed as failed:
            if "no such container" in failed.said.lower():
                return None
            raise
        return {
            "Id": found["Id"],
            "Running": bool(found["State"]["Running"]),
            "Image": found["Config"]["Image"],
        }

    def create(self, image: str, node_port: int, port: int, progress: Progress) -> None:
        """Make the cluster, its `node_port` published on 127.0.0.1:`port` and nothing else."""
        config = self.work / "kind.json"
        self.work.mkdir(exist_ok=True)
        config.write_text(json.dumps(configuration(node_port, port)))
        command = [program("kind"), "create", "cluster", f"--name={self.name}", f"--image={image}"]
        command += [f"--kubeconfig={self.kubeconfig}", f"--config={config}", "--retain"]
        try:
            # Docker goes on making a container whose client is gone, and has it ready after the removal.
            run(command, CREATE_SECONDS, self.log, progress, grace=CONTAINER_SECONDS)
        except ProgramFailed as failed:
            if "already exist for a cluster with the name" in failed.said:
                raise AlreadyThere(failed.said) from failed
            raise
        finally:
            config.unlink()

    def await_ready(self, progress: Progress) -> None:
        """Wait until pods can be made and names resolve: `kind create --wait` does not wait for either."""
        waiting.until(self._missing, READY_SECONDS, progress, "The cluster was not ready")

    def start(self, progress: Progress) -> None:
        """Start a node that Docker, or the machine, has stopped."""
        progress("starting the cluster's node again")
        ask([program(self.provider), "container", "start", self.container])
        self.await_ready(progress)

    def delete(self) -> None:
        """Remove the cluster and its entry in the kubeconfig; one that is not there is no failure to kind."""
        command = [program("kind"), "delete", "cluster", f"--name={self.name}"]
        ask([*command, f"--kubeconfig={self.kubeconfig}"], DELETE_SECONDS)

    def end_creation(self) -> None:
        """End a `kind create` of this cluster that outlived who began it, as after a SIGKILL."""
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if f"--kubeconfig={self.kubeconfig}" in words and "create" in words:
                family = [process, *process.children(recursive=True)]
                process.terminate()
                _, left = psutil.wait_procs(family, CONTAINER_SECONDS)
                for member in left:
                    member.kill()

    def export(self, place: Path) -> None:
        """Save all logs of the node and its pods."""
        command = [program("kind"), "export", "logs", str(place), f"--name={self.name}"]
        run(command, EXPORT_SECONDS, self.log, lambda line: None)

    def _missing(self) -> str:
        try:
            kubectl(self.kubeconfig, "get", "serviceaccount", "default", "--namespace=default")
            dns = read(self.kubeconfig, "get", "deployment", "coredns", "--namespace=kube-system")
        except ProgramFailed as failed:
            last = failed.said.splitlines()[-1] if failed.said else str(failed)
            return f"the cluster's API: {last.removeprefix(_NOT_YET)}"
        if dns.get("status", {}).get("availableReplicas", 0) > 0:
            return ""
        dns_pods = [p for p in pods(self.kubeconfig, "kube-system") if "coredns" in p["metadata"]["name"]]
        return "; ".join(["the cluster's DNS", *unready(dns_pods)])


_NOT_YET = "Error from server (NotFound): "
"""What kubectl says first of an object that is still to come, which is no error while a cluster starts."""
_ANY_CGROUPS = "kind: KubeletConfiguration\nfailCgroupV1: false\n"
"""By default a newer kubelet does not start where the machine has cgroups of version 1."""


def configuration(node_port: int, port: int) -> dict[str, Any]:
    """Return kind's configuration; mappings cannot be changed once the cluster is there."""
    mapping = {"containerPort": node_port, "hostPort": port, "listenAddress": "127.0.0.1", "protocol": "TCP"}
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {"apiServerAddress": "127.0.0.1"},
        "kubeadmConfigPatches": [_ANY_CGROUPS],
        "nodes": [{"role": "control-plane", "extraPortMappings": [mapping]}],
    }

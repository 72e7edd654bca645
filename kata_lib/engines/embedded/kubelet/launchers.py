"""How the two kinds of container start: an application by the table of images, a proxy as Envoy."""

from dataclasses import dataclass
from typing import Any, Protocol

from kata_lib.cluster.pods import SIDECAR, has_sidecar
from kata_lib.engines.embedded import envoy, processes
from kata_lib.engines.embedded.addresses import Address, AddressPlan
from kata_lib.engines.embedded.images import Images
from kata_lib.engines.embedded.kubelet.environment import Read, environment, expand, mark
from kata_lib.engines.embedded.kubelet.probes import Check, Outcome, checker
from kata_lib.engines.embedded.mesh.bootstrap import bootstrap, node_id, proxy_kind
from kata_lib.engines.embedded.mesh.injection import workload_name
from kata_lib.engines.embedded.processes import Identity
from kata_lib.engines.embedded.state import State
from kata_lib.engines.embedded.store import Obj

Probe = tuple[dict[str, Any], Check]
"""A probe's settings, and what asks once."""


class ImageError(Exception):
    """There is no such image: `reason` is ErrImagePull or ErrImageNeverPull, the text is for the status."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Launcher(Protocol):
    """What differs between an application's container and a sidecar."""

    def launch(self, attempt: int) -> Identity:
        """Start the process; raises ImageError, ConfigError or OSError."""

    def probe(self, kind: str) -> Probe | None:
        """Return the readinessProbe, livenessProbe or startupProbe, if there is one."""


@dataclass(frozen=True)
class ProgramLauncher:
    """A container whose image stands for a command."""

    pod: Obj
    spec: Obj
    read: Read
    state: State
    addresses: AddressPlan

    def launch(self, attempt: int) -> Identity:
        there = Images(self.state.images)
        image = there.find(self.spec["image"])
        if image is None:
            raise _no_image(self.spec, there)
        uid, name = self.pod["metadata"]["uid"], self.spec["name"]
        env = environment(self.pod, self.spec, self.read, self.addresses, self._port(image.port))
        if image.client:
            env["KUBECONFIG"] = str(self.state.kubeconfig)
        command = self.spec.get("command") or image.argv
        argv = [expand(word, env) for word in (*command, *self.spec.get("args", ()))]
        log = self.state.pod_log(uid, name, attempt)
        return processes.spawn(argv, env | mark(self.state.mark, uid, name), log, folder=image.folder)

    def probe(self, kind: str) -> Probe | None:
        settings = self.spec.get(kind)
        return (settings, checker(settings, self.spec, self._locate)) if settings else None

    def _port(self, default: int) -> int:
        ports = self.spec.get("ports") or [{"containerPort": default}]
        return int(ports[0]["containerPort"])

    def _locate(self, port: int) -> Address:
        uid = self.pod["metadata"]["uid"]
        if has_sidecar(self.pod):
            return self.addresses.application_at(uid, port)
        return self.addresses.listen_at(uid, port)


def _no_image(spec: Obj, there: Images) -> ImageError:
    if pull_policy(spec) == "Never":
        message = f'Container image "{spec["image"]}" is not present with pull policy of Never'
        return ImageError("ErrImageNeverPull", message)
    known = ", ".join(there.names())
    return ImageError("ErrImagePull", f"the embedded engine pulls no images; it has {known}")


def pull_policy(container: dict[str, str]) -> str:
    """Return the container's imagePullPolicy; by default Always for the tag latest, else IfNotPresent."""
    tag = container["image"].rpartition("/")[2].partition(":")[2]
    return container.get("imagePullPolicy") or ("Always" if tag in ("", "latest") else "IfNotPresent")


@dataclass(frozen=True)
class SidecarLauncher:
    """The istio-proxy container: Envoy, which asks the daemon for its configuration.

    Whatever a probe of it says, Envoy's administrator is asked; the rest of the probe is as written.
    """

    pod: Obj
    spec: Obj
    state: State

    def launch(self, attempt: int) -> Identity:
        uid, name = self.pod["metadata"]["uid"], self.pod["metadata"]["name"]
        config = bootstrap(
            node_id(self.pod),
            xds_socket=self.state.xds_socket,
            admin_socket=self.state.admin_socket(uid),
            kind=proxy_kind(self.pod),
            cluster=f"{workload_name(self.pod)}.{self.pod['metadata']['namespace']}",
        )
        return envoy.start(
            config,
            self.state.run / f"{uid}.json",
            self.state.admin_socket(uid),
            {"HOSTNAME": name, **mark(self.state.mark, uid, SIDECAR)},
            self.state.pod_log(uid, SIDECAR, attempt),
        )

    def probe(self, kind: str) -> Probe | None:
        settings = self.spec.get(kind)
        if not settings or kind == "livenessProbe":
            return None
        admin = self.state.admin_socket(self.pod["metadata"]["uid"])

        async def check() -> Outcome:
            live = await envoy.ready(admin)
            return Outcome("" if live else "HTTP probe failed with statuscode: 503")

        return settings, check

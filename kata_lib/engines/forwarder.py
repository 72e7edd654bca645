"""The way to a Service by port-forward: a process of its own, so that `kata url` stays true.

    python -m kata_lib.engines.forwarder KUBECONFIG NAMESPACE SERVICE PORT LOCAL KUBECTL [lasting]

`kubectl port-forward` leads to one pod, and sees that this has gone by a request that fails. So its pod is
looked after, and another one taken when it is not ready any more. The process ends by itself when the
kubeconfig is gone (`kata down`), where it is not `lasting` when the Service is gone too, and after LIFE
seconds at the latest; who needs the way then begins another.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kata_lib.cluster import endpoints
from kata_lib.cluster.cluster import Cluster
from kata_lib.errors import KataError

LIFE = 12 * 3600.0
POLL = 0.2
LOOK_SECONDS = 2.0
END_SECONDS = 2.0
PAUSE = 0.5


def main(kubeconfig: Path, namespace: str, service: str, port: int, local: int, words: list[str]) -> None:
    """Keep a port-forward to a ready pod open, as long as the module says; words: kubectl, and lasting."""
    over = time.monotonic() + LIFE
    cluster = Cluster(kubeconfig).within(namespace)
    command = [words[0], f"--kubeconfig={kubeconfig}", f"--namespace={namespace}", "port-forward"]

    def wanted() -> bool:
        return kubeconfig.exists() and time.monotonic() < over

    while wanted():
        try:
            if "lasting" not in words and cluster.get("v1", "Service", service) is None:
                return
            pod, number = next(iter(endpoints.ready(cluster, service, port).items()), ("", 0))
        except KataError as error:
            print(error, flush=True)
            pod, number = "", 0
        if pod:
            way = ["--address=127.0.0.1", f"pod/{pod}", f"{local}:{number}"]
            _forward([*command, *way], wanted, _Look(cluster, service, port, pod))
        time.sleep(PAUSE)


@dataclass
class _Look:
    """Whether a pod is ready still, asked every LOOK_SECONDS; where nobody answers it may be."""

    cluster: Cluster
    service: str
    port: int
    pod: str
    at: float = field(default_factory=time.monotonic)

    def __call__(self) -> bool:
        if time.monotonic() < self.at + LOOK_SECONDS:
            return True
        self.at = time.monotonic()
        try:
            return self.pod in endpoints.ready(self.cluster, self.service, self.port)
        except KataError:
            return True


def _forward(command: list[str], *goes_on: Callable[[], bool]) -> None:
    """Run kubectl until it ends by itself, or is to end."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while process.poll() is None and all(ask() for ask in goes_on):
        time.sleep(POLL)
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    config, space, name, number, here, *rest = sys.argv[1:]
    main(Path(config), space, name, int(number), int(here), rest)

"""The way to a Service by port-forward: a process of its own, so that `kata url` stays true.

    python -m kata_lib.engines.forwarder KUBECONFIG NAMESPACE TARGET PORTS KUBECTL [lasting]

`kubectl port-forward` ends when its pod goes, and is begun anew. The process ends by itself when the
kubeconfig is gone (`kata down`), where it is not `lasting` when the Service is gone too, and after LIFE
seconds at the latest; who needs the way then begins another.
"""

import subprocess
import sys
import time
from pathlib import Path

LIFE = 12 * 3600.0
POLL = 0.2
END_SECONDS = 2.0
PAUSE = 0.5
ASK_SECONDS = 10.0


def main(kubeconfig: Path, namespace: str, target: str, ports: str, kubectl: str, lasting: str = "") -> None:
    """Keep a port-forward open until the kubeconfig, or the Service, is gone or LIFE is over."""
    over = time.monotonic() + LIFE
    kubectl_there = [kubectl, f"--kubeconfig={kubeconfig}", f"--namespace={namespace}"]
    command = [*kubectl_there, "port-forward", "--address=127.0.0.1", target, ports]

    def wanted() -> bool:
        return kubeconfig.exists() and time.monotonic() < over

    while wanted():
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while process.poll() is None and wanted():
            time.sleep(POLL)
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if not lasting and _is_gone([*kubectl_there, "get", target]):
            return
        time.sleep(PAUSE)


def _is_gone(command: list[str]) -> bool:
    """Return whether the cluster says that it has no such Service; one that does not answer may have it."""
    asked = subprocess.run(
        [*command, f"--request-timeout={ASK_SECONDS:g}s"], capture_output=True, text=True, check=False
    )
    return "(NotFound)" in asked.stderr


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])

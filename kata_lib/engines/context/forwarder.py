"""The way to a Service by port-forward: a process of its own, so that `kata url` stays true.

    python -m kata_lib.engines.context.forwarder KUBECONFIG NAMESPACE TARGET PORTS KUBECTL

`kubectl port-forward` ends when its pod goes, and is begun anew. The process ends by itself when the
kubeconfig is gone (`kata down`), and after LIFE seconds at the latest; the next start begins another.
"""

import subprocess
import sys
import time
from pathlib import Path

LIFE = 12 * 3600.0
POLL = 0.2
END_SECONDS = 2.0
PAUSE = 0.5


def main(kubeconfig: Path, namespace: str, target: str, ports: str, kubectl: str) -> None:
    """Keep a port-forward open until the kubeconfig is gone or LIFE is over."""
    over = time.monotonic() + LIFE
    command = [kubectl, f"--kubeconfig={kubeconfig}", f"--namespace={namespace}", "port-forward"]
    command += ["--address=127.0.0.1", target, ports]

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
        time.sleep(PAUSE)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])

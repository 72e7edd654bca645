"""The way to the sentences service by port-forward: a process of its own, so that `kata url` stays true.

    python -m kata_lib.engines.context.forward KUBECONFIG NAMESPACE PORT KUBECTL

`kubectl port-forward` ends when its pod goes, and is begun anew. The process ends by itself when the
kubeconfig is gone (`kata down`), and after LIFE seconds at the latest; `start` then starts another.
"""

import subprocess
import sys
import time
from pathlib import Path

import psutil

from kata_lib.engines.programs import program

LIFE = 12 * 3600.0
POLL = 0.2
END_SECONDS = 2.0
PAUSE = 0.5

Identity = tuple[int, float]
"""A process by its pid and when it began."""


def begin(kubeconfig: Path, namespace: str, port: int, log: Path) -> Identity:
    """Start the process; its words go to `log`."""
    command = [sys.executable, "-m", __name__, str(kubeconfig), namespace, str(port), program("kubectl")]
    with log.open("a") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd=Path(__file__).resolve().parents[3],
        )
    return process.pid, psutil.Process(process.pid).create_time()


def runs(identity: Identity) -> bool:
    """Tell whether that very process runs; a zombie does not."""
    process = _process(identity)
    return process is not None and process.status() != psutil.STATUS_ZOMBIE


def end(identity: Identity) -> None:
    """End the process and its kubectl."""
    process = _process(identity)
    if process is None:
        return
    family = [*process.children(recursive=True), process]
    for member in family:
        member.terminate()
    _, left = psutil.wait_procs(family, timeout=END_SECONDS)
    for member in left:
        member.kill()


def _process(identity: Identity) -> psutil.Process | None:
    try:
        process = psutil.Process(identity[0])
        return process if abs(process.create_time() - identity[1]) < 1 else None
    except psutil.NoSuchProcess:
        return None


def main(kubeconfig: Path, namespace: str, port: str, kubectl: str) -> None:
    """Keep a port-forward open until the kubeconfig is gone or LIFE is over."""
    over = time.monotonic() + LIFE
    command = [kubectl, f"--kubeconfig={kubeconfig}", f"--namespace={namespace}", "port-forward"]
    command += ["--address=127.0.0.1", "service/sentences", f"{port}:5000"]

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

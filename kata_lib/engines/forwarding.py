"""A port-forward while a block of code runs, by kubectl: its address on 127.0.0.1 comes out."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kata_lib.engines.programs import program
from kata_lib.errors import EngineError

READY_SECONDS = 15.0
END_SECONDS = 2.0
_SAID = re.compile(r"Forwarding from (127\.0\.0\.1:\d+)")
_UNTIL_INPUT_ENDS = '"$@" & read -r _; kill $!; wait'
"""The pipe to the shell ends with this process, however it ends; kubectl alone would go on."""


@contextmanager
def port_forward(kubeconfig: Path, namespace: str, target: str, port: int, local: int = 0) -> Iterator[str]:
    """Forward a port of this machine, by default a free one, to one of `target`, such as service/kiali.

    Raises EngineError with kubectl's words where it is not open within READY_SECONDS.
    """
    command = [program("kubectl"), f"--kubeconfig={kubeconfig}", f"--namespace={namespace}", "port-forward"]
    command += ["--address=127.0.0.1", target, f"{local or ''}:{port}"]
    process = subprocess.Popen(
        ["sh", "-c", _UNTIL_INPUT_ENDS, "sh", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdin
    assert process.stdout
    late = threading.Timer(READY_SECONDS, _kill, [process])
    late.start()
    try:
        first = process.stdout.readline()
        late.cancel()
        opened = _SAID.search(first)
        if opened is None:
            raise EngineError(
                f"The way to {target} could not be opened: {first.strip() or 'no answer in time'}"
            )
        yield opened[1]
    finally:
        late.cancel()
        process.stdin.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            _kill(process)
            process.wait()
        process.stdout.close()


def _kill(process: "subprocess.Popen[str]") -> None:
    """Kill the shell and kubectl, which have a session of their own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)

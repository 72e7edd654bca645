"""A run of tests that is ended leaves no cluster, whatever ended it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.engine_cluster import until
from kata_lib.engines.embedded import processes
from kata_lib.engines.embedded.processes import Identity
from kata_lib.machine import PROJECT

OWNER = """
import os, sys, time
from homes import home
from kata_lib.course.application import APPLICATION
from kata_lib.engines.embedded import EmbeddedEngine
from kata_lib.files import read_json

with home() as folder:
    os.environ["KATA_HOME"] = str(folder)
    engine = EmbeddedEngine("owned", APPLICATION)
    engine.start(lambda line: None)
    known = read_json(engine.state.daemon)
    print(folder, known["pid"], known["started"], flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_cluster_ends_with_the_process_that_owns_it(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], cwd=PROJECT / "tests", stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        folder, *daemon = owner.stdout.readline().split()
        process = Identity(*map(int, daemon))
        assert processes.alive(process)
        owner.send_signal(number)
    until(lambda: not processes.alive(process) and not Path(folder).exists())

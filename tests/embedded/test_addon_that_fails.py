"""An add-on whose program does not work is not left half-made."""

from pathlib import Path

import pytest

from embedded.engine_cluster import Cluster, quiet
from kata_lib import addons
from kata_lib.engines.embedded import addons as process_addons
from kata_lib.engines.embedded import processes
from kata_lib.engines.istioctl import NAMESPACE
from kata_lib.errors import EngineError


def test_a_program_that_fails_is_taken_away_again(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "prometheus"
    program.write_text("#!/bin/sh\necho it does not work\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("KATA_PROMETHEUS", str(program))
    monkeypatch.setattr(process_addons, "READY_SECONDS", 1.0)
    with pytest.raises(EngineError, match=r"prometheus did not work after 1 s.*It is removed"):
        addons.install(cluster.engine, ["prometheus"], quiet)
    namespace = f"--namespace={NAMESPACE}"
    cluster.kubectl("wait", "--for=delete", "pods", "--all", namespace, "--timeout=20s")
    assert not [
        owner for _, owner in processes.find_marked(cluster.engine.state.mark) if "prometheus" in owner
    ]
    logs = [file.read_text() for file in cluster.engine.folder.logs.glob("pods/*/prometheus.*.log")]
    assert "it does not work\n" in logs
    cluster.kubectl("delete", "namespace", NAMESPACE)

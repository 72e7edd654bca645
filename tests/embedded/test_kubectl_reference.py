"""kubectl answers here as it was recorded on a real cluster: every command, every word."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_cluster import Cluster

RECORDINGS = Path(__file__).parents[1] / "reference" / "kubectl"
COMMAND_SECONDS = 90

MADE_UP = [
    (re.compile(pattern, re.MULTILINE), mark)
    for pattern, mark in (
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uid>"),
        (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\b", "<time>"),
        (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<time>"),
        (r"\b([a-z][a-z0-9-]*?)-[0-9a-f]{6,10}-[a-z0-9]{5}\b", r"\1-<rs>-<pod>"),
        (r"\b((?:age|name|sentences|sleeper|hello)(?:-v\d)?)-[0-9a-f]{6,10}\b", r"\1-<rs>"),
        (r"\b((?:age|name|sentences|hello)(?:-v\d)?)-[a-z0-9]{5}\b", r"\1-<slice>"),
        (r"pod-template-hash[=:] ?\"?[0-9a-f]{6,10}\"?", "pod-template-hash=<rs>"),
        (r"\b\d{1,3}(\.\d{1,3}){3}\b", "<ip>"),
        (r"(Resource Version: +|resourceVersion: |\"resourceVersion\": ?)\"?\d+\"?", r"\1<rv>"),
        (r":3[0-2]\d{3}/TCP", ":<nodeport>/TCP"),
        (r"\b(nodePort: |\"nodePort\": ?|NodePort: +(<unset>|\w+)? *)3[0-2]\d{3}", r"\1<nodeport>"),
        (r"(?<=\s)(\d+[smhd]){1,3}(?=\s|$|\))", "<age>"),
        (r"https://[\w.-]+:\d+", "https://<server>"),
        (r"/tmp/(LIVE|MERGED)-\d+", r"/tmp/\1"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4}", "<time>"),
    )
]
"""What a cluster makes up, and the mark that stands for it in the recordings; in this order."""


def recorded_form(text: str, namespace: str) -> str:
    """Return kubectl's text as the recordings have it."""
    text = text.replace(namespace, "<ns>")
    for pattern, mark in MADE_UP:
        text = pattern.sub(mark, text)
    lines = [
        re.sub(r"[ \t]+", " ", line).rstrip()
        for line in text.splitlines()
        if not line.startswith("Waiting for ")
    ]
    return "\n".join(lines).strip()


@pytest.fixture
def environment(cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """A fresh namespace, and an environment whose kubectl works in it."""
    namespace = f"reference-{request.node.callspec.id.replace('.', '-')}"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_bytes(cluster.location.kubeconfig.read_bytes())
    kubeconfig.chmod(0o600)
    cluster.kubectl("create", "namespace", namespace)
    cluster.kubectl(
        "config", "set-context", "--current", f"--namespace={namespace}", f"--kubeconfig={kubeconfig}"
    )
    yield {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "KUBECONFIG": str(kubeconfig),
        "KUBECTL_EXTERNAL_DIFF": "diff -u",
        "NAMESPACE": namespace,
    }
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def play(command: str, environment: dict[str, str]) -> dict[str, object]:
    done = subprocess.run(
        ["bash", "-c", command],
        env=environment,
        cwd=RECORDINGS,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    namespace = environment["NAMESPACE"]
    return {
        "command": command,
        "exit": done.returncode,
        "stdout": recorded_form(done.stdout, namespace),
        "stderr": recorded_form(done.stderr, namespace),
    }


@pytest.mark.parametrize("name", [path.stem for path in sorted(RECORDINGS.glob("*.commands"))])
def test_kubectl_answers_as_recorded(name: str, environment: dict[str, str]) -> None:
    expected = json.loads((RECORDINGS / f"{name}.expected.json").read_text())
    answers = []
    for line in (RECORDINGS / f"{name}.commands").read_text().splitlines():
        if line.startswith("## wait "):
            time.sleep(float(line.split()[2]))  # part of the recording: what follows shows a later state
        elif line and not line.startswith("#"):
            answers.append(play(line, environment))
    assert answers == expected

"""The commands that the README gives for a terminal do what it says beside them."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from embedded.engine_cluster import Cluster, Start
from kata_lib.course import application
from kata_lib.machine import PROJECT
from kata_lib.statistics import shares

README = (PROJECT / "README.md").read_text()
BY_HAND = README.partition("## By hand, with kubectl")[2].partition("\n## ")[0]
COMMANDS = [line.strip() for line in BY_HAND.splitlines() if line.startswith("    ")]

SHARES = {
    "deploy/v1": (0.0, 1 / 3, 100),
    "deploy/v2": (1 / 3, 0.1, 300),
    "deploy/virtual-service-canary.yaml": (0.1, 1 / 3, 300),
    "deploy/virtual-service-canary-promote.yaml": (1.0, 0.1, 100),
}
"""What share of v2 each file brings, what it is told apart from, and by how many requests.

A tenth and a third are told apart by 270 of them: more would err as rarely, less than once in a million.
"""


def environment(cluster: Cluster) -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    home = cluster.engine.state.home
    return {
        **os.environ,
        "PATH": path,
        "KUBECONFIG": str(cluster.location.kubeconfig),
        "KATA_NAME": home.name,
        "KATA_HOME": str(home.parent),
    }


def shell(cluster: Cluster, line: str) -> str:
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=PROJECT,
        env=environment(cluster),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout


def loop(cluster: Cluster, command: str) -> list[str]:
    """Return the first answers that the loop shows; Ctrl-C ends it."""
    process = subprocess.Popen(
        command.split(), cwd=PROJECT, env=environment(cluster), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(3)]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    return lines


def test_every_command_by_hand(start: Start) -> None:
    cluster = start("readme")
    done = []
    for line in COMMANDS:
        command = line.partition("#")[0].strip()
        done.append(command)
        if command.startswith("scripts/loop-query.sh"):
            assert all(re.fullmatch(r"\w+ is \d+ years\n", answer) for answer in loop(cluster, command))
            continue
        said = shell(cluster, command)
        if command == "kubectl get pods":
            assert said.count("2/2") == 4, said
        elif command.startswith("kubectl apply"):
            shell(cluster, "kubectl wait --for=condition=Available deployment --all --timeout=30s")
            expected, otherwise, requests = SHARES[command.split()[-1]]
            seen = shares.observed(application.sample(cluster.url(), requests=requests))
            assert seen.n == requests
            assert shares.judge(seen.count, seen.n, expected, otherwise) == "right", f"{line}: {seen}"
    assert [c.split()[-1] for c in done if c.startswith("kubectl apply")] == list(SHARES)
    assert shell(cluster, "kubectl get deployments,virtualservices,destinationrules") == ""


def test_every_kata_command_that_is_named_exists() -> None:
    from kata_lib.cli import app

    known = set(app.commands)
    pages = [
        PROJECT / "README.md",
        *(PROJECT / "docs").glob("*.md"),
        *(PROJECT / "notebooks/src").glob("*.py"),
    ]
    named = {
        word: page.name
        for page in pages
        for word in re.findall(r"(?:`|bin/)kata ([a-z][a-z-]*)", page.read_text())
    }
    assert {word: page for word, page in named.items() if word not in known} == {}
    assert len(named) > 5

"""The workflows of GitHub: their form by GitHub's schema, and each command one that is here."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def commands(workflow: Path) -> list[str]:
    jobs: dict[str, Any] = yaml.safe_load(workflow.read_text())["jobs"]
    return [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=[w.name for w in WORKFLOWS])
def test_a_workflow_has_the_form_that_github_wants(workflow: Path) -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [str(checker), "--builtin-schema", "vendor.github-workflows", str(workflow)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=[w.name for w in WORKFLOWS])
def test_each_command_is_one_that_people_run(workflow: Path) -> None:
    for command in commands(workflow):
        program, *arguments = shlex.split(command)
        if program == ".venv/bin/kata":
            assert arguments[0] in ("doctor", "up", "down")
            continue
        assert re.fullmatch(r"scripts/[a-z-]+|\.ci/run", program), command
        assert (ROOT / program).exists(), command
        for place in (a for a in arguments if a.startswith("tests/")):
            assert (ROOT / place).is_dir(), command


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=[w.name for w in WORKFLOWS])
def test_each_job_has_a_limit(workflow: Path) -> None:
    jobs: dict[str, Any] = yaml.safe_load(workflow.read_text())["jobs"]
    assert all(job["timeout-minutes"] <= 45 for job in jobs.values())

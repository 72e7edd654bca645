"""The wheel in an empty environment, as a newcomer has it: folder, JupyterLab, notebook, `kata` anywhere."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from kata_lib.machine import PROJECT

pytestmark = pytest.mark.long

SECONDS = 600
NAME = "wheel"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of a person who has the wheel in an environment of its own, and nothing else."""
    place, home = tmp_path_factory.mktemp("empty"), tmp_path_factory.mktemp("home")
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(place)]
    subprocess.run([sys.executable, "-m", "pip", *build, str(PROJECT)], check=True, timeout=SECONDS)
    venv.create(place / "env", with_pip=True)
    install = ["install", "--quiet", "--no-compile", *map(str, place.glob("*.whl"))]
    subprocess.run([place / "env/bin/python", "-m", "pip", *install], check=True, timeout=SECONDS)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KATA_", "XDG_"))}
    path = f"{place / 'env/bin'}:{os.environ['PATH']}"
    return {**kept, "HOME": str(home), "PATH": path, "KATA_NAME": NAME}


@pytest.fixture(scope="module")
def opened(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the JupyterLab that `canary-kata` opens in an empty folder."""
    here = tmp_path_factory.mktemp("here")
    command = ["canary-kata", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        command, cwd=here, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if found := re.search(r"http://127\.0\.0\.1:\d+/lab\?token=\w+", line):
                break
        assert f"The workshop is in {here / 'canary-kata'}:" in said
        assert found, said
        yield found[0]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    subprocess.run(["kata", "down"], cwd="/", env=environment, check=True, timeout=SECONDS)


def test_jupyterlab_opens_in_the_learners_folder(opened: str) -> None:
    address, token = opened.split("/lab?token=")
    with urllib.request.urlopen(f"{address}/api/contents/notebooks?token={token}", timeout=60) as answer:
        assert b'"start.ipynb"' in answer.read()


@pytest.mark.usefixtures("opened")
def test_kata_works_in_any_folder(environment: dict[str, str]) -> None:
    for arguments in (["apply", "deploy/v1"], ["status"], ["doctor"]):
        subprocess.run(["kata", *arguments], cwd="/", env=environment, check=True, timeout=SECONDS)


@pytest.mark.usefixtures("opened")
def test_a_notebook_runs(environment: dict[str, str], tmp_path: Path) -> None:
    run = {**environment, "KATA_RESET": "1"}
    for command in (["kata", "notebooks", "."], ["jupyter", "execute", "00-setup.ipynb"]):
        subprocess.run(command, cwd=tmp_path, env=run, check=True, timeout=SECONDS)

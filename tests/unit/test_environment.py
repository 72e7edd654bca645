"""Setting up: what is refused, what is found outdated, and how a failure is explained."""

import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import environment
import pytest
import running


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with lock files and a .venv whose Python works."""
    for name in environment.DEVELOPER:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n")
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENV", venv)
    monkeypatch.setattr(environment, "PYTHON", venv / "bin" / "python")
    monkeypatch.setattr(environment, "STAMP", venv / "stamp.json")
    monkeypatch.setattr(environment, "UNFINISHED", venv / "unfinished")
    (venv / "stamp.json").write_text(json.dumps(environment.digests(environment.LEARNER)))
    return tmp_path


def test_nothing_is_outdated_right_after_a_setup(project: Path) -> None:
    assert environment.outdated(environment.LEARNER) == []


def test_only_what_changed_is_outdated(project: Path) -> None:
    (project / "pyproject.toml").write_text("another line\n")
    assert environment.outdated(environment.LEARNER) == ["pyproject.toml"]


def test_the_tests_packages_are_added_to_what_is_there(project: Path) -> None:
    assert environment.outdated(environment.DEVELOPER) == ["requirements-dev.lock", environment.NPM_LOCK]


def test_npms_packages_are_looked_for_where_they_should_be(project: Path) -> None:
    stamp = project / ".venv" / "stamp.json"
    stamp.write_text(json.dumps(environment.digests(environment.DEVELOPER)))
    assert environment.outdated(environment.DEVELOPER) == [environment.NPM_LOCK]
    environment.node_modules().mkdir()
    assert environment.outdated(environment.DEVELOPER) == []


def unfinished(project: Path) -> None:
    (project / ".venv" / "unfinished").touch()


def without_python(project: Path) -> None:
    (project / ".venv" / "bin" / "python").unlink()


def moved(project: Path) -> None:
    stamp = project / ".venv" / "stamp.json"
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"root": "/elsewhere"}))


@pytest.mark.parametrize("damage", [unfinished, without_python, moved])
def test_an_unusable_environment_is_made_anew(project: Path, damage: Callable[[Path], None]) -> None:
    damage(project)
    assert environment.outdated(environment.LEARNER) == [*environment.LEARNER, "root"]


@pytest.mark.parametrize(
    ("system", "machine", "library", "found"),
    [
        ("Darwin", "x86_64", ("", ""), "Darwin on x86_64"),
        ("Linux", "armv7l", ("glibc", "2.36"), "Linux on armv7l"),
        ("Linux", "x86_64", ("glibc", "2.28"), "glibc 2.28"),
        ("Linux", "x86_64", ("", ""), "not glibc"),
    ],
)
def test_platforms_without_an_envoy_are_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, library: tuple[str, str], found: str
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("platform.libc_ver", lambda: library)
    with pytest.raises(running.SetupError, match="needs Docker") as refusal:
        environment.check_machine()
    assert found in str(refusal.value)


def test_a_python_without_venv_is_refused_with_the_package_that_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(running.SetupError, match=r"apt install python3\.\d+-venv"):
        environment.check_machine()


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("WARNING: Retrying (Retry(total=4)) after connection broken", "index cannot be reached"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that was locked"),
        ("npm error code EINTEGRITY", "not the one that was locked"),
        ("npm error code ECONNREFUSED", "npm's registry cannot be reached"),
        ("ERROR: No matching distribution found for numpy==9", "no build of a package"),
        ("something else", "something else"),
    ],
)
def test_a_failure_is_said_in_a_persons_words(output: str, said: str) -> None:
    assert said in running.reason(output)


SCRIPT = b"export const answer = 42;\n" * 200


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Two packages' files: a script that stands twice, and what only looks like it."""
    for name, content in {
        "share/lab.js": SCRIPT,
        "lib/lab.js": SCRIPT,
        "lib/other.js": SCRIPT[::-1],
        "bin/run": SCRIPT,
        "share/small.js": b"1;",
        "lib/small.js": b"1;",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "bin/run").chmod(0o755)
    (tmp_path / "lib/link.js").symlink_to("lab.js")
    return tmp_path


def test_equal_files_share_their_place_on_the_disk(packages: Path) -> None:
    before = {path.name: path.read_bytes() for path in packages.rglob("*.*")}
    for _ in range(2):
        environment.share_equal_files(packages)
        assert (packages / "share/lab.js").samefile(packages / "lib/lab.js")
    assert (packages / "lib/lab.js").stat().st_nlink == 2
    assert (packages / "lib/link.js").is_symlink()
    assert [(packages / name).stat().st_nlink for name in ("lib/other.js", "bin/run", "lib/small.js")] == [
        1
    ] * 3
    assert {path.name: path.read_bytes() for path in packages.rglob("*.*")} == before


def test_a_disk_without_links_is_left_as_it_is(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(target), None, str(self))

    monkeypatch.setattr(Path, "hardlink_to", refused)
    environment.share_equal_files(packages)
    assert (packages / "lib/lab.js").stat().st_nlink == 1
    assert (packages / "lib/lab.js").read_bytes() == SCRIPT

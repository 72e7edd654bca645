"""scripts/installing.py: who installs what a lock file has."""

import sys
from pathlib import Path

import installing
import pytest
import running
from installing import Installer

LOCK = "one==1.0 \\\n    --hash=sha256:00\ntwo==2.0 ; python_version < '3' \\\n"


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the person was told."""
    lines: list[str] = []
    monkeypatch.setattr(installing, "say", lines.append)
    return lines


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment whose Python writes down what it is asked, and installs nothing."""
    (tmp_path / "venv/lib/python3.11/site-packages/pip").mkdir(parents=True)
    (tmp_path / "lock").write_text(LOCK)
    program(tmp_path / "venv/bin/python", 'echo "$@" >> "$0.asked"')
    return tmp_path


def program(place: Path, does: str) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{does}\n")
    place.chmod(0o755)
    return place


def test_uv_installs_with_what_it_is_told(environment: Path, said: list[str]) -> None:
    uv = program(environment / "uv", 'echo "$UV_FIND_LINKS: $@" > "$0.asked"')
    Installer(environment / "venv", environment / "log", uv, (("UV_FIND_LINKS", "/w"),)).lock(
        environment / "lock"
    )
    assert (environment / "uv.asked").read_text().startswith("/w: pip install --python")
    assert not (environment / "venv/bin/python.asked").exists()
    assert said == []


def test_pip_installs_where_uv_fails(environment: Path, said: list[str]) -> None:
    uv = program(environment / "uv", "echo no such proxy; exit 2")
    Installer(environment / "venv", environment / "log", uv).lock(environment / "lock")
    assert "-m pip install" in (environment / "venv/bin/python.asked").read_text()
    assert "uv could not, so pip installs" in said[0]
    assert "no such proxy" in said[0]


def test_pip_installs_where_uv_cannot_be_had(
    environment: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    program(environment / "venv/bin/python", "case $* in *config*) ;; *) echo no uv here; exit 1;; esac")
    slow = Installer(environment / "venv", environment / "log")
    with installing.fastest(slow, environment / "lock") as installer:
        assert installer == slow
    assert "uv cannot be had" in said[0]


def test_an_index_that_gives_no_answer_is_not_asked_twice(environment: Path) -> None:
    program(
        environment / "venv/bin/python",
        'case "$*" in *config*) ;; *) echo "Retrying (Retry(total=0"; exit 1;; esac',
    )
    slow = Installer(environment / "venv", environment / "log")
    with (
        pytest.raises(running.Unreachable, match="cannot be reached"),
        installing.fastest(slow, environment / "lock"),
    ):
        pass


def test_pip_alone_installs_where_only_it_can_do_as_it_is_told(
    environment: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONSTRAINT", "c.txt")
    (environment / "venv/bin/python").unlink()
    (environment / "venv/bin/python").symlink_to(sys.executable)
    slow = Installer(environment / "venv", environment / "log")
    with installing.fastest(slow, environment / "lock") as installer:
        assert installer == slow
    assert said == []

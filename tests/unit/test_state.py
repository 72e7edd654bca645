"""Where a cluster's files are."""

import stat
from pathlib import Path

import pytest

from kata_lib import engines
from kata_lib.course.application import APPLICATION
from kata_lib.engines.embedded.state import State
from kata_lib.engines.folder import STATE, Folder
from kata_lib.errors import EngineError
from kata_lib.files import read_json, write_json


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    (tmp_path / "runtime").mkdir()
    made = State(tmp_path / "home" / "kata")
    made.create()
    return made


def test_kata_home_chooses_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_HOME", str(tmp_path))
    assert Folder("mine").path == tmp_path / "mine"
    monkeypatch.delenv("KATA_HOME")
    assert Folder("mine").path.parts[-2:] == (".kata", "mine")


def test_only_the_owner_can_read(state: State) -> None:
    for folder in (state.home, state.pki, state.logs, state.run):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    write_json(state.daemon, {"pid": 1})
    assert stat.S_IMODE(state.daemon.stat().st_mode) == 0o600


def test_sockets_have_short_paths(state: State) -> None:
    uid = "00000000-0000-0000-0000-000000000000"
    short = len(str(state.admin_socket(uid))) - len(str(state.run.parent))
    assert short < 70


def test_clusters_differ_in_marks_and_sockets(tmp_path: Path) -> None:
    assert State(tmp_path / "a").mark != State(tmp_path / "b").mark


def test_a_socket_folder_of_a_session_that_ended_is_made_anew(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.run.rmdir()
    state.run.parent.rmdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "elsewhere"))
    state.create()
    assert state.run.parent == tmp_path / "elsewhere"
    assert state.run.is_dir()


def test_a_socket_folder_that_others_can_read_is_refused(state: State) -> None:
    state.run.chmod(0o755)
    with pytest.raises(EngineError, match="only you can read"):
        state.create()


def test_remove_keeps_the_logs(state: State) -> None:
    for path in (state.store, state.kubeconfig, state.pki / "token", state.daemon_log):
        path.write_text("")
    (state.run / "xds.sock").write_text("")
    run = state.run
    state.remove()
    assert list(state.home.iterdir()) == [state.logs]
    assert state.daemon_log.exists()
    assert not run.exists()
    state.remove()


def test_half_a_file_is_no_file(tmp_path: Path) -> None:
    assert read_json(tmp_path / "none.json") is None
    (tmp_path / "half.json").write_text('{"pid": ')
    assert read_json(tmp_path / "half.json") is None


def test_a_cluster_of_an_older_version_goes_on_or_is_refused_with_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KATA_HOME", str(tmp_path))
    folder = Folder("mine")
    folder.path.mkdir()
    write_json(folder.path / "note.json", {"engine": "embedded"})  # before the number was written down
    assert engines.select(APPLICATION, cluster="mine").name == "embedded"
    folder.write({"engine": "embedded", "state": STATE + 1})
    with pytest.raises(EngineError, match=r"`kata down` removes it, `kata up` makes a new one"):
        engines.select(APPLICATION, cluster="mine")
    engines.select(APPLICATION, cluster="mine", any_state=True).stop()

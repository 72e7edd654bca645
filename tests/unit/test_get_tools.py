"""scripts/get_tools.py against a publisher of its own: whole and verified, or not at all."""

import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import get_tools
import pytest
from get_tools import TOOLS, Tool, ToolError, found, obtain

from kata_lib import versions
from kata_lib.engines.kind import needs

PROGRAM = f"#!/bin/sh\necho v{versions.KIND}\n".encode()


def archive() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as packed:
        member = tarfile.TarInfo("istioctl")
        member.size = len(PROGRAM)
        packed.addfile(member, io.BytesIO(PROGRAM))
    return made.getvalue()


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("published")
    for name, content in {"kind": PROGRAM, "istioctl.tar.gz": archive(), "damaged": PROGRAM}.items():
        (folder / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest() if name != "damaged" else "0" * 64
        (folder / f"{name}.sha256").write_text(f"{digest}  {name}\n")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def tool(publisher: str, name: str, file: str) -> Tool:
    known = next(t for t in TOOLS if t.name == name)
    return replace(known, url=f"{publisher}/{file}", checksum="{url}.sha256")


@pytest.mark.parametrize(("name", "file"), [("kind", "kind"), ("istioctl", "istioctl.tar.gz")])
def test_a_program_is_obtained_and_found(name: str, file: str, publisher: str, tmp_path: Path) -> None:
    obtain(tool(publisher, name, file), "linux", "amd64", tmp_path)
    assert (tmp_path / name).read_bytes() == PROGRAM
    assert [path.name for path in tmp_path.iterdir()] == [name]
    kind = tool(publisher, "kind", "kind")
    if name == "kind":
        assert found(kind, tmp_path) == str(tmp_path / "kind")


@pytest.mark.parametrize(
    ("file", "said"), [("damaged", "another checksum than its publisher gives"), ("nowhere", "cannot be had")]
)
def test_what_is_not_whole_is_not_kept(file: str, said: str, publisher: str, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=said):
        obtain(tool(publisher, "kind", file), "linux", "amd64", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_is_too_old_does_not_serve(tmp_path: Path) -> None:
    program = tmp_path / "kind"
    kind = next(t for t in TOOLS if t.name == "kind")
    for version, serves in (("0.1", False), (versions.OLDEST_KIND, True)):
        program.write_text(f"#!/bin/sh\necho kind v{version}.0 go1.20\n")
        program.chmod(0o755)
        assert found(kind, tmp_path) == (str(program) if serves else None)


def test_without_a_network_it_is_said_what_to_put_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KATA_HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["get-tools", "--all"])
    nowhere = [tool("http://127.0.0.1:9", t.name, t.name) for t in TOOLS]
    monkeypatch.setattr(get_tools, "TOOLS", tuple(nowhere))
    assert get_tools.main() == 1
    said = capsys.readouterr().err
    for name in ("kind", "istioctl", "kubectl"):
        assert f"to         {tmp_path}/tools/{name}" in said
        assert f"KATA_{name.upper()}=/path/to/{name}" in said


def test_the_pinned_versions_are_those_that_were_tested() -> None:
    for known in TOOLS:
        assert known.oldest == needs.OLDEST[known.name]
        assert tuple(map(int, known.version.split(".")[:2])) == needs.TESTED[known.name]

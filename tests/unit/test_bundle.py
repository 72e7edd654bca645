"""A bundle without Docker: what is written is read again, and nothing that is damaged is used."""

import io
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kata_lib import versions
from kata_lib.course.application import APPLICATION
from kata_lib.engines import bundle, istioctl, programs
from kata_lib.engines.bundle import BundleError
from kata_lib.engines.containers import images_of
from kata_lib.engines.kind import istio
from kata_lib.engines.kind.images import ImageStore


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[bytes]:
    """What the container engine is given; it has no image but those that a bundle is made of."""
    given: list[bytes] = []
    for tool in bundle.TOOLS:
        program = tmp_path / "bin" / tool
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n# {tool}\n")
        program.chmod(0o755)
        monkeypatch.setenv(f"KATA_{tool.upper()}", str(program))
    monkeypatch.setenv("KATA_HOME", str(tmp_path / "state"))
    for name in ("KATA_NODE_IMAGE", "KATA_ISTIO_HUB", "KATA_ISTIO_TAG", "KATA_ADDONS", "KATA_ISTIO_SETTINGS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KATA_NODE_IMAGE", "kindest/node:v1")
    monkeypatch.setenv("KATA_ENGINE", "kind")
    monkeypatch.setattr(istio, "version", lambda: versions.ISTIO)
    monkeypatch.setattr(istioctl, "version", lambda: versions.ISTIO)
    monkeypatch.setattr(ImageStore, "build", lambda self, application, say: None)
    monkeypatch.setattr(ImageStore, "require", lambda self, image, setting, say: None)
    monkeypatch.setattr(ImageStore, "has", lambda self, image: image == "prom/prometheus:v3")
    monkeypatch.setattr(ImageStore, "save", lambda self, images, file, say: file.write_text(" ".join(images)))
    monkeypatch.setattr(ImageStore, "receive", lambda self, file, say: given.append(file.read_bytes()))
    return given


def quiet(line: str) -> None:
    """Take what is said."""


def rewritten(file: Path, member: str, content: bytes | None) -> None:
    """Write the bundle anew with another member of that name, or without it."""
    with tarfile.open(file) as packed:
        every = {m.name: packed.extractfile(m).read() for m in packed}  # type: ignore[union-attr]
    every.pop(member, None)
    if content is not None:
        every[member] = content
    with tarfile.open(file, "w") as packed:
        for name, data in every.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))


def manifest(file: Path) -> Any:
    with tarfile.open(file) as packed:
        return json.loads(packed.extractfile("manifest.json").read())  # type: ignore[union-attr]


def test_a_bundle_brings_images_tools_addons_and_settings(
    loaded: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addons = tmp_path / "addons"
    addons.mkdir()
    (addons / "prometheus.yaml").write_text("spec:\n  - image: prom/prometheus:v3\n  image: other/image:1\n")
    monkeypatch.setenv("KATA_ADDONS", str(addons))
    (tmp_path / "site.yaml").write_text("kind: IstioOperator\n")
    monkeypatch.setenv("KATA_ISTIO_SETTINGS", str(tmp_path / "site.yaml"))
    file = tmp_path / "kata.tar"
    bundle.create(file, APPLICATION, quiet)
    assert bundle.verify(file)["environment"]["KATA_NODE_IMAGE"] == "kindest/node:v1"
    for name in ("KATA_ADDONS", "KATA_NODE_IMAGE", "KATA_ISTIO_SETTINGS"):
        monkeypatch.delenv(name)
    bundle.open_(file, APPLICATION, quiet)
    (images,) = loaded
    assert images.decode().split() == [
        "kindest/node:v1",
        f"docker.io/istio/pilot:{versions.ISTIO}",
        f"docker.io/istio/proxyv2:{versions.ISTIO}",
        "prom/prometheus:v3",
        *(f"docker.io/kata/sentences:v{number}" for number in (1, 2, 3)),
    ]
    assert (programs.tools() / "kind").read_text() == "#!/bin/sh\n# kind\n"
    assert os.access(programs.tools() / "kind", os.X_OK)
    assert os.environ["KATA_NODE_IMAGE"] == "kindest/node:v1"
    assert os.environ["KATA_ISTIO_TAG"] == versions.ISTIO
    assert (Path(os.environ["KATA_ADDONS"]) / "prometheus.yaml").exists()
    assert not list((tmp_path / "state").glob("bundle-*"))
    assert Path(os.environ["KATA_ISTIO_SETTINGS"]).read_text() == "kind: IstioOperator\n"
    for name in ("KATA_NODE_IMAGE", "KATA_ISTIO_TAG", "KATA_ADDONS", "KATA_ISTIO_SETTINGS"):
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("member", "content", "said"),
    [
        ("images.tar", b"other", "images.tar is damaged"),
        ("tools/kind", None, "lacks tools/kind: copy it anew"),
        ("tools/kubectx", b"#!/bin/sh\n", "holds 'tools/kubectx', which its manifest does not know"),
        ("manifest.json", None, "is no bundle: it has no manifest"),
        ("manifest.json", b'{"format": 7}', "is of the format 7, and this is 1"),
    ],
)
def test_a_bundle_that_is_not_whole_is_refused(
    member: str, content: bytes | None, said: str, loaded: list[bytes], tmp_path: Path
) -> None:
    file = tmp_path / "kata.tar"
    bundle.create(file, APPLICATION, quiet)
    rewritten(file, member, content)
    with pytest.raises(BundleError, match=said):
        bundle.open_(file, APPLICATION, quiet)
    assert loaded == []


def test_what_is_no_bundle(loaded: list[bytes], tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    for name in ("x", "nowhere"):
        with pytest.raises(BundleError, match=r"is no bundle: .*`kata bundle create` makes one"):
            bundle.verify(tmp_path / name)
    with pytest.raises(BundleError, match="cannot be written"):
        bundle.create(tmp_path / "no" / "folder" / "kata.tar", APPLICATION, quiet)


def test_another_machine_and_another_source_are_refused(
    loaded: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kata.tar"
    bundle.create(file, APPLICATION, quiet)
    other = replace(APPLICATION, program="Dockerfile")
    with pytest.raises(BundleError, match="another state of the application"):
        bundle.open_(file, other, quiet)
    monkeypatch.setenv("KATA_ENGINE", "embedded")
    with pytest.raises(BundleError, match="for the engine kind, not embedded"):
        bundle.open_(file, APPLICATION, quiet)
    monkeypatch.setenv("KATA_ENGINE", "kind")
    monkeypatch.setattr(bundle, "_platform", lambda: "Plan9 mips")
    with pytest.raises(BundleError, match="and this machine is Plan9 mips"):
        bundle.open_(file, APPLICATION, quiet)


def test_the_images_that_a_manifest_names() -> None:
    text = 'containers:\n- image: a/b:1\n- name: x\n  image: "c/d:2"\n  imagePullPolicy: Always\n'
    assert images_of(text) == ["a/b:1", "c/d:2"]

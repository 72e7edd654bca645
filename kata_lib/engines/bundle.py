"""One file with all that the kind engine needs, for a machine without a network.

    manifest.json    what the file is for: settings, and the checksum of each other member
    images.tar       the node's image, Istio's, the application's, the add-ons'
    tools/           kind, istioctl, kubectl
    addons/          the add-ons' manifests, where KATA_ADDONS names a folder that has them
    settings/        the file that KATA_ISTIO_SETTINGS names, where it does

`create` makes it of what this machine has, `verify` reads all of it, `open_` puts it where the engine looks.
"""

import hashlib
import json
import os
import platform
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from kata_lib import machine
from kata_lib.engines import istioctl, programs
from kata_lib.engines.application import Application
from kata_lib.engines.containers import images_of
from kata_lib.engines.kind import istio
from kata_lib.engines.kind.images import ImageStore, full_names
from kata_lib.engines.kind.settings import KindSettings
from kata_lib.errors import KataError
from kata_lib.files import replacing

ENGINE = "kind"
FORMAT = 1
TOOLS = ("kind", "istioctl", "kubectl")
_BLOCK = 1 << 20

Say = Callable[[str], None]


class BundleError(KataError):
    """A bundle cannot be made, read or trusted."""


def create(target: Path, application: Application, say: Say) -> None:
    """Write a bundle of this machine's images and tools; images that are not there are pulled first."""
    settings, log = KindSettings.read(), _log()
    store = ImageStore(settings, log)
    with tempfile.TemporaryDirectory(dir=_folder(), prefix="bundle-") as name:
        folder = Path(name)
        say("building the application's image")
        store.build(application, say)
        wanted = [settings.node_image, *istio.images(settings)]
        for image in wanted:
            store.require(image, "KATA_NODE_IMAGE, KATA_ISTIO_HUB or KATA_ISTIO_TAG", say)
        addons = _copy_addons(folder)
        if settings.istio_settings:
            (folder / "settings").mkdir()
            shutil.copy(settings.istio_settings, folder / "settings" / "istio.yaml")
        wanted += [image for image in addons if store.has(image)]
        wanted += full_names(application)
        say(f"saving {len(wanted)} images")
        store.save(wanted, folder / "images.tar", say)
        (folder / "tools").mkdir()
        for tool in TOOLS:
            shutil.copy(programs.program(tool), folder / "tools" / tool)
        members = sorted(p for p in folder.rglob("*") if p.is_file())
        manifest = {
            "format": FORMAT,
            "platform": _platform(),
            "environment": {
                "KATA_NODE_IMAGE": settings.node_image,
                "KATA_ISTIO_HUB": settings.hub,
                "KATA_ISTIO_TAG": settings.tag or istioctl.version(),
            },
            "images": wanted,
            "application": application.digest(),
            "sha256": {str(p.relative_to(folder)): _sum(p.open("rb")) for p in members},
        }
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=2))
        say(f"writing {target}")
        try:
            with replacing(target) as new, tarfile.open(new, "w") as packed:
                for member in (folder / "manifest.json", *members):
                    packed.add(member, str(member.relative_to(folder)))
        except OSError as error:
            raise BundleError(f"{target} cannot be written: {error}.") from error


def verify(bundle: Path) -> dict[str, Any]:
    """Read the whole bundle and return its manifest; BundleError names what is missing or changed."""
    with _opened(bundle) as packed:
        manifest = _manifest(packed, bundle)
        expected = dict(manifest["sha256"])
        for member in packed:
            if member.name == "manifest.json":
                continue
            if member.name not in expected or not member.isfile():
                raise BundleError(f"{bundle} holds {member.name!r}, which its manifest does not know.")
            content = packed.extractfile(member)
            assert content
            if _sum(content) != expected.pop(member.name):
                raise BundleError(
                    f"{bundle}: {member.name} is damaged, its checksum is another: copy it anew."
                )
    if expected:
        raise BundleError(f"{bundle} lacks {', '.join(sorted(expected))}: copy it anew.")
    return manifest


def open_(bundle: Path, application: Application, say: Say) -> None:
    """Verify a bundle and put its tools, images and settings where this process's kind engine looks.

    Raises BundleError where KATA_ENGINE names another engine, and for a bundle that cannot be used.
    """
    if os.environ.setdefault("KATA_ENGINE", ENGINE) != ENGINE:
        raise BundleError(
            f"A bundle is for the engine {ENGINE}, not {os.environ['KATA_ENGINE']}: leave it out."
        )
    say(f"verifying {bundle}")
    manifest = verify(bundle)
    if manifest["platform"] != _platform():
        raise BundleError(f"{bundle} is for {manifest['platform']}, and this machine is {_platform()}.")
    if manifest["application"] != application.digest():
        raise BundleError(f"{bundle} holds another state of the application than is here: create it anew.")
    with _opened(bundle) as packed:
        for member in packed:
            if member.name.startswith("tools/"):
                _put(packed, member, programs.tools() / Path(member.name).name)
            elif member.name.startswith(("addons/", "settings/")):
                place = Path(member.name)
                _put(packed, member, _folder() / place.parts[0] / place.name)
    for name, value in manifest["environment"].items():
        if value:
            os.environ.setdefault(name, value)
    if any(member.startswith("addons/") for member in manifest["sha256"]):
        os.environ.setdefault("KATA_ADDONS", str(_folder() / "addons"))
    if "settings/istio.yaml" in manifest["sha256"]:
        os.environ.setdefault("KATA_ISTIO_SETTINGS", str(_folder() / "settings" / "istio.yaml"))
    store = ImageStore(KindSettings.read(), _log())
    if all(store.has(image) for image in manifest["images"]):
        return
    with tempfile.TemporaryDirectory(dir=_folder(), prefix="bundle-") as name, _opened(bundle) as packed:
        say(f"loading {len(manifest['images'])} images")
        archive = Path(name) / "images.tar"
        _put(packed, packed.getmember("images.tar"), archive)
        store.receive(archive, say)


def _copy_addons(folder: Path) -> list[str]:
    """Copy the add-ons' manifests into the bundle's folder; return the images that they name."""
    place = os.environ.get("KATA_ADDONS")
    found: list[str] = []
    for file in sorted(Path(place).glob("*.yaml")) if place else []:
        (folder / "addons").mkdir(exist_ok=True)
        shutil.copy(file, folder / "addons" / file.name)
        found += images_of(file.read_text())
    return found


def _opened(bundle: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(bundle, "r:")
    except (OSError, tarfile.TarError) as error:
        raise BundleError(f"{bundle} is no bundle: {error}. `kata bundle create` makes one.") from error


def _manifest(packed: tarfile.TarFile, bundle: Path) -> dict[str, Any]:
    try:
        content = packed.extractfile("manifest.json")
        assert content
        manifest: dict[str, Any] = json.loads(content.read())
    except (KeyError, ValueError, tarfile.TarError) as error:
        raise BundleError(f"{bundle} is no bundle: it has no manifest ({error}).") from error
    if manifest.get("format") != FORMAT:
        raise BundleError(f"{bundle} is of the format {manifest.get('format')}, and this is {FORMAT}.")
    return manifest


def _put(packed: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    content = packed.extractfile(member)
    assert content
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with replacing(target) as new:
        with new.open("wb") as file:
            shutil.copyfileobj(content, file, _BLOCK)
        new.chmod(member.mode & 0o755)


def _sum(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    with file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _platform() -> str:
    return f"{platform.system()} {platform.machine()}"


def _folder() -> Path:
    folder = machine.state_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _log() -> Path:
    return _folder() / "bundle.log"

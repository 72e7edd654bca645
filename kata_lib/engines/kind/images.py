"""Images: the application's is built; what the container engine has is loaded into the node as an archive.

An archive serves both of Docker's image stores: `kind load docker-image` fails on the newer one for images of
several platforms (kind#3795).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kata_lib.cluster.waiting import Progress
from kata_lib.engines.application import Application
from kata_lib.engines.kind.settings import KindSettings
from kata_lib.engines.programs import ProgramFailed, ask, program, run
from kata_lib.errors import EngineError
from kata_lib.versions import numbers

REGISTRY = "docker.io"
"""An image's name is written in full, because podman takes nothing for granted."""

SOURCE = "canary-kata.source"
"""The label that tells which state of the source an image is of."""

NOT_THERE = ("no such image", "image not known")
"""What docker, and podman, say of an image that they do not have."""

SAVES_PLATFORMS = (1, 48)
"""The version of Docker's API from which on `docker save` takes a platform: that of Docker 28."""

BUILD_SECONDS = 600.0
PULL_SECONDS = 900.0
LOAD_SECONDS = 300.0


@dataclass(frozen=True)
class ImageStore:
    """The images of one container engine; `log` takes what building and loading say."""

    settings: KindSettings
    log: Path

    def has(self, image: str) -> bool:
        """Return whether the container engine has an image."""
        try:
            ask([self._engine, "image", "inspect", image])
        except ProgramFailed as failed:
            if any(words in failed.said.lower() for words in NOT_THERE):
                return False
            raise
        return True

    def require(self, image: str, setting: str, progress: Progress) -> None:
        """Get an image, unless it is there; kind would do it too, without a word for how long."""
        if self.has(image):
            return
        progress(f"pulling {image}")
        try:
            run([self._engine, "pull", image], PULL_SECONDS, self.log, progress)
        except ProgramFailed as failed:
            raise EngineError(
                f"The image {image} is not there and cannot be pulled: {failed.said}\n"
                f"{setting} names another, or `kata up --bundle FILE` brings it."
            ) from failed

    def build(self, application: Application, progress: Progress) -> None:
        """Build the application's image, unless it is there from this very source."""
        names, digest = full_names(application), application.digest()
        if all(self._source_of(name) == digest for name in names):
            return
        base = [f"--build-arg=BASE={self.settings.app_base}"] if self.settings.app_base else []
        tags = [f"--tag={name}" for name in names]
        command = [self._engine, "build", f"--label={SOURCE}={digest}", *base, *tags]
        command.append(str(application.source))
        try:
            run(command, BUILD_SECONDS, self.log, progress)
        except ProgramFailed as failed:
            raise EngineError(
                f"The application's image cannot be built: {failed.said}\n"
                "KATA_APP_BASE names another base image; `kata up --bundle FILE` brings all images."
            ) from failed

    def load(self, cluster: str, images: Sequence[str], folder: Path, progress: Progress) -> None:
        """Load images into the node of a cluster; `folder` holds their archive meanwhile."""
        folder.mkdir(parents=True, exist_ok=True)
        archive = folder / "images.tar"
        try:
            self.save(images, archive, progress)
            self.load_archive(cluster, archive, progress)
        finally:
            archive.unlink(missing_ok=True)

    def save(self, images: Sequence[str], archive: Path, progress: Progress) -> None:
        """Write images into an archive, of this machine's platform only."""
        options = [f"--platform={platform}"] if (platform := self._store_of_many_platforms()) else []
        if self.settings.provider == "podman":  # it writes the first image under all names otherwise
            options.append("--multi-image-archive")
        command = [self._engine, "save", *options, f"--output={archive}", *images]
        run(command, LOAD_SECONDS, self.log, progress)

    def load_archive(self, cluster: str, archive: Path, progress: Progress) -> None:
        """Load an archive into the node of a cluster."""
        command = [program("kind"), "load", "image-archive", str(archive), f"--name={cluster}"]
        run(command, LOAD_SECONDS, self.log, progress)

    def receive(self, archive: Path, progress: Progress) -> None:
        """Take an archive's images into the container engine."""
        run([self._engine, "load", f"--input={archive}"], LOAD_SECONDS, self.log, progress)

    def _source_of(self, image: str) -> str:
        """Return which source an image was built from, "" where it is not there or does not tell."""
        label = f'{{{{index .Config.Labels "{SOURCE}"}}}}'
        try:
            return ask([self._engine, "image", "inspect", f"--format={label}", image]).strip()
        except ProgramFailed:
            return ""

    def _store_of_many_platforms(self) -> str:
        """Return this machine's platform where the engine keeps images of several (containerd's store).

        "" also where Docker cannot save one of them, before 28: it then saves what it has of an image.
        """
        if self.settings.provider != "docker":
            return ""
        spoken = ask([self._engine, "version", "--format={{.Client.APIVersion}}"])
        if numbers(spoken) < SAVES_PLATFORMS:
            return ""
        about = json.loads(ask([self._engine, "info", "--format={{json .}}"]))
        if "io.containerd.snapshotter" not in json.dumps(about.get("DriverStatus") or []):
            return ""
        names = {"x86_64": "amd64", "aarch64": "arm64"}
        return f"linux/{names.get(about['Architecture'], about['Architecture'])}"

    @property
    def _engine(self) -> str:
        return program(self.settings.provider)


def full_names(application: Application) -> list[str]:
    """Return the one image of the application under the names of all its versions."""
    return [f"{REGISTRY}/{name}" for name in application.images]

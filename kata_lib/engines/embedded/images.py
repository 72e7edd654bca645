"""Which command stands for which image: the engine writes it, the kubelet reads it, nothing is pulled."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kata_lib.files import read_json, write_json


@dataclass(frozen=True)
class Image:
    """A command line, and the port on which it listens unless PORT says otherwise.

    `client` marks a client of the API, which gets the cluster's kubeconfig in place of a mounted account.
    `folder` is the one it runs in, as an image's WORKDIR.
    """

    argv: tuple[str, ...]
    port: int = 0
    client: bool = False
    folder: str = "/"


@dataclass(frozen=True)
class Images:
    """The images of one cluster, kept in `file`; a name without a tag stands for all its tags."""

    file: Path

    def add(self, names: Iterable[str], image: Image) -> None:
        """Have names stand for an image, whatever they stood for before."""
        write_json(self.file, self._kept() | dict.fromkeys(map(_plain, names), asdict(image)))

    def find(self, reference: str) -> Image | None:
        """Return the image of a reference such as docker.io/example/program:v3, or None."""
        kept, name = self._kept(), _plain(reference)
        found = kept.get(name) or kept.get(_without_tag(name))
        return Image(**{**found, "argv": tuple(found["argv"])}) if found else None

    def names(self) -> list[str]:
        """Return the names that stand for an image."""
        return sorted(self._kept())

    def _kept(self) -> dict[str, Any]:
        return read_json(self.file) or {}


def _plain(reference: str) -> str:
    return reference.removeprefix("docker.io/")


def _without_tag(name: str) -> str:
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"

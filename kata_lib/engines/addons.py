"""What an engine is told of an add-on, and what it does with one.

Which add-ons there are and where their manifests come from is not an engine's to know: kata_lib/addons says
it.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kata_lib.cluster.waiting import Progress


@dataclass(frozen=True)
class Site:
    """What a process beside the cluster is told: a folder to write into, and how it asks the API server.

    server: the API's URL. token, authority: the files with its bearer token and its certificate authority.
    targets: the URL that lists the pods that have counters, as Prometheus' discovery over HTTP reads it.
    """

    folder: Path
    server: str
    token: Path
    authority: Path
    targets: str


@dataclass(frozen=True)
class Process:
    """How an add-on runs where a pod is a process of this machine.

    image: the name in its manifests, without a tag, for which `program` stands; source: where to get that
    program. manifests: what is applied; it may write files for the program into the site's folder. works:
    what its log says once it works, "" where being available is enough.
    """

    image: str
    program: str
    source: str
    manifests: Callable[[Site], Iterable[Any]]
    works: str = ""


@dataclass(frozen=True)
class Addon:
    """A program of other people's beside the application.

    manifest: returns the text of its release's manifest. port: that of its Service, which has the
    Deployment's name; None where it has no page. process: None where it comes as a container alone, and then
    `instead` says in a sentence what shows the same.
    """

    name: str
    namespace: str
    deployment: str
    manifest: Callable[[], str]
    port: int | None = None
    process: Process | None = None
    instead: str = ""


class Addons(Protocol):
    """What installs add-ons in one cluster, and opens a way to them."""

    def refused(self, addon: Addon) -> str:
        """Return why the cluster cannot have an add-on, "" where it can."""

    def install(self, addon: Addon, progress: Progress) -> None:
        """Install one and wait until it works.

        Raises KataError where its manifest or its program is not to be had, the cluster refuses it, or it
        does not work in time.
        """

    def missing(self, addon: Addon) -> str:
        """Return why one does not serve yet, "" where it does."""

    def opened(self, addon: Addon, port: int) -> AbstractContextManager[str]:
        """Give the URL of one that serves while a block runs, on `port` of 127.0.0.1 or, with 0, on any."""

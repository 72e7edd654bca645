"""Which command stands for which image: this engine pulls nothing."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from kata_lib.machine import PROJECT


@dataclass(frozen=True)
class Image:
    """A command line, and the port on which it listens unless PORT says otherwise.

    `client` marks a client of the API, which gets the cluster's kubeconfig in place of a mounted account.
    """

    argv: tuple[str, ...]
    port: int
    client: bool = False


# -I and -S: nothing of the learner's environment or site-packages is imported, which also saves memory
_SENTENCES = Image((sys.executable, "-I", "-S", str(PROJECT / "deploy" / "app" / "sentences.py")), 5000)

IMAGES = {f"kata/sentences:{tag}": _SENTENCES for tag in ("v1", "v2", "v3")}


PROGRAMS = {
    "prom/prometheus": "prometheus",
    "quay.io/argoproj/argo-rollouts": "rollouts-controller",
}
"""Images, of any tag, that stand for a program which whoever has it puts into the folder of tools."""


def find(reference: str, tools: Path) -> Image | None:
    """Return the image of a reference such as kata/sentences:v1 or docker.io/kata/sentences:v1, or None."""
    if (name := program(reference)) and os.access(tools / name, os.X_OK):
        return Image((str(tools / name),), 0, client=True)
    return IMAGES.get(reference.removeprefix("docker.io/"))


def program(reference: str) -> str | None:
    """Return the name of the program for which an image stands, None where it stands for none."""
    repository, _, tag = reference.removeprefix("docker.io/").rpartition(":")
    return PROGRAMS.get(repository if repository and "/" not in tag else f"{repository}{tag}")


def pull_policy(container: dict[str, str]) -> str:
    """Return the container's imagePullPolicy; by default Always for the tag latest, else IfNotPresent."""
    tag = container["image"].rpartition("/")[2].partition(":")[2]
    return container.get("imagePullPolicy") or ("Always" if tag in ("", "latest") else "IfNotPresent")

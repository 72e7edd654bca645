"""Which command stands for which image: this engine pulls nothing."""

import sys
from dataclasses import dataclass

from kata_lib.engines.embedded.state import PROJECT


@dataclass(frozen=True)
class Image:
    """A command line, and the port on which it listens unless PORT says otherwise."""

    argv: tuple[str, ...]
    port: int


# -I and -S: nothing of the learner's environment or site-packages is imported, which also saves memory
_SENTENCES = Image((sys.executable, "-I", "-S", str(PROJECT / "deploy" / "app" / "sentences.py")), 5000)

IMAGES = {f"kata/sentences:{tag}": _SENTENCES for tag in ("v1", "v2", "v3")}


def find(reference: str) -> Image | None:
    """Return the image of a reference such as kata/sentences:v1 or docker.io/kata/sentences:v1, or None."""
    return IMAGES.get(reference.removeprefix("docker.io/"))


def pull_policy(container: dict[str, str]) -> str:
    """Return the container's imagePullPolicy; by default Always for the tag latest, else IfNotPresent."""
    tag = container["image"].rpartition("/")[2].partition(":")[2]
    return container.get("imagePullPolicy") or ("Always" if tag in ("", "latest") else "IfNotPresent")

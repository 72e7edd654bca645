"""What a cluster is made for: an application that manifests name by its image and users reach by one Service.

An engine is given one; which it is, is the course's to say (kata_lib/course/application.py).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Application:
    """An application of one image.

    image: the image's name as manifests have it, without a tag; `tags` are those there are, all of one
    source. source: the folder of its Dockerfile. program: the Python file in it that a container runs. port:
    where a container listens. service: the Service that is asked from outside the cluster, and node_port:
    the port on a node that leads to it, where an engine publishes one. pods: how many the application has at
    most.
    """

    image: str
    tags: tuple[str, ...]
    source: Path
    program: str
    port: int
    service: str
    node_port: int
    pods: int

    @property
    def images(self) -> tuple[str, ...]:
        """The image under all its names, such as kata/example:v1."""
        return tuple(f"{self.image}:{tag}" for tag in self.tags)

    def digest(self) -> str:
        """Return what tells one state of the source from another."""
        files = (self.source / "Dockerfile", self.source / self.program)
        return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()

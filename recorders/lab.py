"""The lab that is recorded: a cluster by its kubeconfig, istiod, programs, modules of Kubernetes."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kata_lib.cluster.client import KubeClient
from kata_lib.errors import ClusterError, KataError
from kata_lib.versions import KUBERNETES

COMMAND_SECONDS = 90


class LabError(KataError):
    """The lab lacks what a set is recorded from; the message says what, and how to give it."""


@dataclass(frozen=True)
class Lab:
    """Where the real ones are; a set asks for what it needs, and LabError says what is not there.

    kubeconfig: of the cluster. istiod: host and port where it serves discovery as plain text. programs: a
    folder with kubectl and istioctl, before PATH. modules: where `go mod download` leaves modules.
    option: what says which kubeconfig.
    """

    kubeconfig: Path | None = None
    istiod: str = "127.0.0.1:15010"
    programs: Path | None = None
    modules: Path | None = None
    option: str = "kubeconfig"

    @property
    def cluster(self) -> Path:
        """Return the cluster's kubeconfig."""
        if self.kubeconfig is None:
            raise LabError(f"This set is recorded from a lab: --{self.option} FILE says which.")
        if not self.kubeconfig.is_file():
            raise LabError(f"--{self.option} names {self.kubeconfig}, which is no file.")
        return self.kubeconfig.resolve()

    @cached_property
    def client(self) -> KubeClient:
        """Return a connection to the cluster's API server. Raises ClusterError where it cannot be made."""
        return KubeClient(self.cluster)

    @cached_property
    def kubernetes(self) -> str:
        """Return the version that the API server says of itself, such as "1.2.3"."""
        try:
            version: str = self.client.request("GET", "/version")["gitVersion"]
        except ClusterError as error:
            why = error.__cause__ or error
            other = f"Start it, or --{self.option} names another."
            raise LabError(f"The lab of {self.cluster} does not answer: {why}. {other}") from error
        return version.removeprefix("v")

    @cached_property
    def istio(self) -> str:
        """Return the version that the cluster's istiod says of itself."""
        said = json.loads(self.checked("istioctl", "version", "--output=json"))
        versions = {component["Info"]["version"] for component in said.get("meshVersion") or ()}
        if len(versions) != 1:
            raise LabError(
                "No istiod runs in this cluster: `kata up` with KATA_ENGINE=kind makes one that has it."
            )
        return str(versions.pop())

    def require_node(self) -> None:
        """Raise LabError where the cluster has no node on which pods run."""
        if not self.client.request("GET", "/api/v1/nodes")["items"]:
            raise LabError(
                f"The lab of {self.cluster} has no node: --cluster names one of kind, as `kata up` makes it."
            )

    def program(self, name: str) -> str:
        """Return the path of a program."""
        folder = str(self.programs) if self.programs else None
        path = (folder and shutil.which(name, path=folder)) or shutil.which(name)
        if path is None:
            raise LabError(f"{name} is needed: --programs FOLDER says where it is; PATH has none.")
        return path

    def version_of(self, name: str, *words: str) -> str:
        """Return what a program says is its version, asked with these words."""
        said = subprocess.run(
            [self.program(name), *words], capture_output=True, text=True, timeout=COMMAND_SECONDS, check=True
        ).stdout
        found = re.search(r"\d+\.\d+\.\d+", said)
        if found is None:
            raise LabError(f"{name} {' '.join(words)} says no version: {said.strip()!r}")
        return found[0]

    def run(self, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program of the lab with its kubeconfig and return what it said, whatever its exit code."""
        try:
            return subprocess.run(
                [self.program(words[0]), *words[1:]],
                env={**os.environ, "KUBECONFIG": str(self.cluster)},
                input=text,
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{' '.join(words)} takes more than {COMMAND_SECONDS} s in this lab.") from error

    def checked(self, *words: str, text: str | None = None) -> str:
        """Run a program of the lab and return what it wrote. Raises LabError where it fails."""
        done = self.run(*words, text=text)
        if done.returncode:
            raise LabError(f"{' '.join(words)} fails in this lab: {done.stderr.strip()}")
        return done.stdout

    def module(self, name: str) -> Path:
        """Return the folder of a module of Kubernetes' (`k8s.io/api`) of the version that is recorded."""
        version = f"v0.{KUBERNETES.removeprefix('1.')}"
        if self.modules is None:
            raise LabError("This set is read from Go modules: --modules $(go env GOMODCACHE) says where.")
        folder = self.modules / f"{name}@{version}"
        if not folder.is_dir():
            raise LabError(
                f"{folder} is not there: `go mod download {name}@{version}` in any module gets it."
            )
        return folder

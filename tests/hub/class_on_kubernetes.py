"""A class on a real cluster, for tests: made from deploy/hub, entered by its front door, and removed.

KATA_TEST_CLASS_KUBECONFIG: a cluster. Its network enforces policies; its API server has a node of its own.
KATA_TEST_CLASS_IMAGE: the image of deploy/hub/Dockerfile, with its tag, as the nodes have it.
KATA_TEST_CLASS_CHART: Zero to JupyterHub's chart, a folder or an archive.
KATA_TEST_CLASS_VALUES: a file of values more, where the nodes have the chart's images under other names.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import yaml

from hub.member import log_in, until

ROOT = Path(__file__).parents[2]
HUB = ROOT / "deploy" / "hub"
TEST_VALUES = Path(__file__).with_name("values.yaml")
INSTRUCTOR = "ines"
BOARD_TOKEN = "b" * 64
SITE = "c = get_config()\nc.Authenticator.allow_all = True\n"
START_SECONDS = 300
RELEASE = "class"
KUBECTL = str(Path(sys.executable).with_name("kubectl"))
INSTALLED = "/opt/canary-kata"
IN_WORKSHOP = f"""
export KATA_WORKSHOP=$HOME/canary-kata
. {INSTALLED}/etc/environment.sh {INSTALLED} {INSTALLED}/.venv/bin
cd $KATA_WORKSHOP
"""


@dataclass(frozen=True)
class Way:
    """How a class is put on a cluster, what is removed beside its namespace, and the Service for browsers."""

    install: Callable[["KubernetesClass"], object]
    remove: Callable[["KubernetesClass"], object]
    front_door: str


@dataclass(frozen=True)
class KubernetesClass:
    """A class in a namespace of its own."""

    namespace: str
    front_door: str = ""
    url: str = ""

    def command(self, program: str, *words: str) -> list[str]:
        """Return a command of kubectl or helm in the class's namespace."""
        cluster = os.environ["KATA_TEST_CLASS_KUBECONFIG"]
        return [program, f"--kubeconfig={cluster}", f"--namespace={self.namespace}", *words]

    def run(self, program: str, *words: str, given: str = "", seconds: float = 320) -> str:
        """Return what a program printed; AssertionError with its words where it failed."""
        done = subprocess.run(
            self.command(program, *words), input=given, capture_output=True, text=True, timeout=seconds
        )
        assert done.returncode == 0, f"{done.args}: {done.stdout}{done.stderr}"
        return done.stdout

    def kubectl(self, *words: str, given: str = "") -> str:
        return self.run(KUBECTL, *words, given=given)

    def get(self, *words: str) -> dict[str, Any]:
        """Return an object, or a list of such, as the API has it."""
        found: dict[str, Any] = json.loads(self.kubectl("get", "--output=json", *words))
        return found

    def apply(self, *objects: dict[str, Any]) -> None:
        self.kubectl("apply", "--filename=-", given=yaml.safe_dump_all(objects))

    @contextmanager
    def browser(self, name: str) -> Iterator[httpx2.Client]:
        """Yield a client that logged in by the page, with its cookies.

        Of a connection that the proxy closed, a forwarded port tells late: none is used twice.
        """
        once = httpx2.Limits(max_keepalive_connections=0)
        with httpx2.Client(base_url=self.url, follow_redirects=True, timeout=60, limits=once) as client:
            log_in(client, name, "any")
            yield client

    def pod(self, learner: str) -> dict[str, Any]:
        """Return a learner's pod; {} while there is none."""
        pods = self.get("pods", f"--selector=hub.jupyter.org/username={learner}")["items"]
        return pods[0] if pods else {}

    def inside(self, pod: str, *command: str) -> str:
        return self.kubectl("exec", pod, "--", *command)

    @contextmanager
    def without_policies(self) -> Iterator[None]:
        """Take the namespace's network policies away, and put them back."""
        policies = self.get("networkpolicies")["items"]
        self.kubectl("delete", "networkpolicies", "--all")
        yield
        self.apply(*({**policy, "metadata": {"name": policy["metadata"]["name"]}} for policy in policies))

    def in_workshop(self, learner: str, script: str) -> str:
        """Return what a learner's terminal shows after a script."""
        return self.inside(self.pod(learner)["metadata"]["name"], "bash", "-c", IN_WORKSHOP + script)


@contextmanager
def a_class(way: Way, namespace: str) -> Iterator[KubernetesClass]:
    """Put a class on the cluster; its namespace is deleted afterwards, and with it all that is in it."""
    made = KubernetesClass(namespace)
    made.kubectl("create", "namespace", namespace)
    try:
        made.kubectl("create", "secret", "generic", "class", f"--from-literal=board-token={BOARD_TOKEN}")
        way.install(made)
        made.kubectl("rollout", "status", "deployment", f"--timeout={START_SECONDS}s")
        with port_of(made, way.front_door) as url:
            until(lambda: httpx2.get(f"{url}/hub/login").status_code == 200, "the page to log in at")
            yield KubernetesClass(namespace, f"{way.front_door}:80", url)
    finally:
        way.remove(made)
        made.kubectl("delete", "namespace", namespace)


@contextmanager
def port_of(made: KubernetesClass, service: str) -> Iterator[str]:
    """Yield the address of a Service on this machine's loopback."""
    command = made.command(KUBECTL, "port-forward", f"service/{service}", ":80")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        (port,) = re.findall(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def by_manifests(made: KubernetesClass) -> None:
    """Apply deploy/hub/kubernetes, with what docs/hub.md has one fill in."""
    made.kubectl("create", "configmap", "class", f"--from-literal=site.py={SITE}")
    filled = {
        "KATA_IMAGE": os.environ["KATA_TEST_CLASS_IMAGE"],
        "KATA_AUTHENTICATOR": "dummy",
        "KATA_INSTRUCTORS": INSTRUCTOR,
    }
    for file in sorted((HUB / "kubernetes").glob("*.yaml")):
        made.apply(*(_filled(obj, filled) for obj in yaml.safe_load_all(file.read_text())))


def by_the_chart(made: KubernetesClass) -> None:
    """Install Zero to JupyterHub with deploy/hub/values.yaml, and the board beside it."""
    board = yaml.safe_load_all((HUB / "kubernetes" / "board.yaml").read_text())
    made.apply(*(_filled(obj, {}) for obj in board))
    files = [HUB / "values.yaml", TEST_VALUES, *filter(None, [os.environ.get("KATA_TEST_CLASS_VALUES")])]
    image, _, tag = os.environ["KATA_TEST_CLASS_IMAGE"].rpartition(":")
    values = {
        "singleuser.image.name": image,
        "singleuser.image.tag": tag,
        "hub.services.class.apiToken": BOARD_TOKEN,
    }
    given = [f"--values={file}" for file in files]
    given += [f"--set-string={name}={value}" for name, value in values.items()]
    made.run("helm", "install", RELEASE, os.environ["KATA_TEST_CLASS_CHART"], *given)


def without_the_release(made: KubernetesClass) -> None:
    """Remove what the chart has outside the namespace, as far as it was installed."""
    made.run("helm", "uninstall", RELEASE, "--ignore-not-found")


def _filled(obj: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    """Return an object with the image under test, and with values for its variables."""
    for container in obj.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
        container["image"] = os.environ["KATA_TEST_CLASS_IMAGE"]
        for variable in container["env"]:
            if variable["name"] in values:
                variable["value"] = values[variable["name"]]
    return obj


WAYS = {
    "manifests": Way(by_manifests, lambda made: None, "proxy"),
    "chart": Way(by_the_chart, without_the_release, "proxy-public"),
}

"""A class on Kubernetes: five learners' clusters, the board, an eviction, and what network policies keep out.

By the manifests of deploy/hub/kubernetes, and by Zero to JupyterHub's chart with deploy/hub/values.yaml, on a
cluster of class_on_kubernetes.py. What policies keep out is reached without them.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from requirements import check

from hub.class_on_kubernetes import INSTRUCTOR, WAYS, KubernetesClass, a_class
from hub.member import until

pytestmark = pytest.mark.needs("class-cluster")

LEARNERS = ("ada", "bob", "cyd", "dan", "eve")
OWN_PORT = 9000
"""Where one learner serves something to all who reach the pod."""
SERVER_PORT = 8888
STRANGER = "stranger"
API = "kubernetes.default.svc:443"
METADATA = "169.254.169.254:80"
"""Where a cloud's machines learn of themselves; not every cluster has it."""
PROBE = Path(__file__).with_name("reached.py").read_text()
SOLVED = """python -c '
from kata_lib import open_lab
from kata_lib.course import outbox
lab = open_lab(step="canary")
lab.apply("deploy/virtual-service-canary.yaml")
print(lab.check("canary-10", lab.sample(requests=300, concurrency=4)))
outbox.send_all()'
"""
"""What a cell does; a kernel's thread goes on sending, this process ends."""


@pytest.fixture(scope="module", params=sorted(WAYS, reverse=True))
def the_class(request: pytest.FixtureRequest) -> Iterator[KubernetesClass]:
    """A class with a server of each learner's running."""
    if request.param == "chart":
        check("class-chart")
    with a_class(WAYS[request.param], f"class-by-{request.param}") as made:
        with ThreadPoolExecutor() as learners:
            list(learners.map(lambda name: until_in_lab(made, name), LEARNERS))
        yield made


def until_in_lab(made: KubernetesClass, name: str) -> None:
    """Log in, ask for a server, and wait for its JupyterLab."""
    lab = f"/user/{name}/lab"
    with made.browser(name) as browser:

        def is_there() -> bool:
            browser.get("/hub/spawn")  # each time: the hub may yet have to notice that a server is gone
            answer = browser.get(lab)
            return answer.url.path == lab and answer.is_success

        until(is_there, f"{name}'s server")


def reached(made: KubernetesClass, pod: str, places: set[str]) -> set[str]:
    """Return which of the places, each host:port, a pod opens a connection to."""
    return set(made.inside(pod, "python", "-c", PROBE, *sorted(places)).split())


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_has_a_cluster_in_a_pod_without_privileges(the_class: KubernetesClass, name: str) -> None:
    until(lambda: "is up" in the_class.in_workshop(name, "cat .kata/up.log"), f"{name}'s cluster")
    said = the_class.in_workshop(name, "cat /proc/1/status; touch /opt/of-the-image 2>&1 || true")
    assert re.findall(r"Cap(\w+):\s+0{16}\n", said) == ["Inh", "Prm", "Eff", "Bnd", "Amb"]
    assert "NoNewPrivs:\t1" in said
    assert "Read-only file system" in said


def test_the_board_follows_a_learner(the_class: KubernetesClass) -> None:
    assert "canary-10: right" in the_class.in_workshop("ada", SOLVED)
    with the_class.browser(INSTRUCTOR) as instructor:
        instructor.get("/services/class/")
        with instructor.stream("GET", "/services/class/api/board") as board:
            seen = next(line for line in board.iter_lines() if line.startswith("data:"))
    verdicts = {row["name"]: row["verdicts"] for row in json.loads(seen.removeprefix("data:"))["learners"]}
    assert verdicts["ada"] == {"canary-10": "right"}


def test_a_learner_sees_neither_the_board_nor_anothers_server(the_class: KubernetesClass) -> None:
    with the_class.browser("bob") as bob:
        bob.get("/services/class/")
        assert bob.get("/services/class/api/board").status_code == 403
        assert bob.get("/user/ada/lab").status_code == 403


def test_who_is_evicted_is_back_with_all_their_work(the_class: KubernetesClass) -> None:
    the_class.in_workshop("eve", "kata apply deploy/v1 && echo mine > notebooks/mine.txt")
    pod = the_class.pod("eve")["metadata"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod["name"]}}
    path = f"/api/v1/namespaces/{the_class.namespace}/pods/{pod['name']}/eviction"
    the_class.kubectl("create", f"--raw={path}", "--filename=-", given=json.dumps(eviction))
    until(lambda: the_class.pod("eve").get("metadata", {}).get("uid") != pod["uid"], "the pod's end")
    until_in_lab(the_class, "eve")
    assert the_class.in_workshop("eve", "cat notebooks/mine.txt") == "mine\n"
    until(lambda: "name-v1" in the_class.in_workshop("eve", "kata status || true"), "the objects of before")


def test_network_policies_keep_out_what_docs_hub_md_names(the_class: KubernetesClass) -> None:
    ada, bob = (the_class.pod(name)["metadata"]["name"] for name in ("ada", "bob"))
    the_class.inside(bob, "sh", "-c", f"python -m http.server {OWN_PORT} >/tmp/served 2>&1 &")
    bobs = {f"{the_class.pod('bob')['status']['podIP']}:{port}" for port in listening(the_class, bob)}
    stranger = a_pod_of_another_kind(the_class)
    hub, board = "hub:8081", "board:8780"
    from_a_learner = {*bobs, hub, board, stranger, API, METADATA}
    from_a_stranger = {*bobs, hub, board, the_class.front_door}

    def until_reached(pod: str, places: set[str], wanted: Callable[[set[str]], bool]) -> None:
        until(lambda: wanted(reached(the_class, pod, places)), f"what {pod} reaches", 60)

    open_of_bobs = {place for place in bobs if place.endswith((f":{OWN_PORT}", f":{SERVER_PORT}"))}
    with the_class.without_policies():
        until_reached(ada, from_a_learner, {*open_of_bobs, hub, board, stranger, API}.issubset)
        until_reached(STRANGER, from_a_stranger, {*open_of_bobs, hub, board, the_class.front_door}.__eq__)
    until_reached(ada, from_a_learner, {hub, board}.__eq__)
    until_reached(STRANGER, from_a_stranger, {the_class.front_door}.__eq__)


def listening(made: KubernetesClass, pod: str) -> set[int]:
    """Return the ports on which anything in a pod listens, on whichever address."""
    sockets = made.inside(pod, "cat", "/proc/net/tcp", "/proc/net/tcp6")
    return {
        int(port, 16) for port in re.findall(r"^ *\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ 0A", sockets, re.MULTILINE)
    }


def a_pod_of_another_kind(made: KubernetesClass) -> str:
    """Start a pod of the same namespace that is no learner's; return where it listens."""
    serves = ["python", "-m", "http.server", str(OWN_PORT)]
    image = os.environ["KATA_TEST_CLASS_IMAGE"]
    made.kubectl("run", STRANGER, f"--image={image}", "--command", "--", *serves)
    made.kubectl("wait", "--for=condition=Ready", f"pod/{STRANGER}", "--timeout=60s")
    return f"{made.get('pod', STRANGER)['status']['podIP']}:{OWN_PORT}"

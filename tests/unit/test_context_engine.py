"""The context engine on a cluster in a dictionary: what is refused changes nothing, what is made is ours."""

import json
from pathlib import Path
from typing import Any

import pytest

from kata_lib.cluster.location import Entry
from kata_lib.cluster.quantities import amount
from kata_lib.course.application import APPLICATION
from kata_lib.engines.context import ContextEngine, inspection, kubeconfig, namespace, reach
from kata_lib.engines.context.settings import ContextSettings
from kata_lib.engines.folder import Folder
from kata_lib.engines.programs import ProgramFailed
from kata_lib.errors import EngineError, EngineUnavailable

CONFIG = {"contexts": [{"name": "school", "context": {"cluster": "c", "user": "u"}}]}
NODE = {"status": {"allocatable": {"cpu": "2", "memory": "4Gi"}, "addresses": []}}


class School:
    """A cluster by what kubectl says of it; `lacks` are the rights that a person does not have."""

    def __init__(self) -> None:
        self.istio = self.injects = self.answers = True
        self.namespaces: dict[str, dict[str, str]] = {}
        self.made: list[str] = []
        self.lacks: set[str] = set()
        self.allocatable = {"cpu": "2", "memory": "4Gi"}

    def kubectl(self, kubeconfig: Path, *words: str, given: str | None = None) -> str:
        match words:
            case ["get", "--raw", "/api"]:
                return self._if(self.answers, "Unable to connect to the server: i/o timeout")
            case ["get", "--raw", "/apis/networking.istio.io/v1"]:
                return self._if(self.istio, "Error from server (NotFound): the server could not find it")
            case ["get", "mutatingwebhookconfigurations", *_]:
                return "rev.namespace.sidecar-injector.istio.io"
            case ["get", "namespace", name, *_]:
                labels = self.namespaces.get(name)
                self._if(labels is not None, "Error from server (NotFound): namespaces not found")
                return json.dumps({"metadata": {"name": name, "labels": labels}})
            case ["get", "nodes", *_]:
                return json.dumps({"items": [{"status": {"allocatable": self.allocatable}}]})
            case ["get", "pods", *_]:
                return json.dumps({"items": []})
            case ["create", *_]:
                assert given
                return self._create(json.loads(given))
        raise AssertionError(words)

    def delete(self, kubeconfig: Path, name: str) -> None:
        del self.namespaces[name]

    def _create(self, given: dict[str, Any]) -> str:
        answers = []
        for one in given["items"] if given["kind"] == "List" else [given]:
            if one["kind"] == "SelfSubjectAccessReview":
                wanted = one["spec"]["resourceAttributes"]
                allowed = f"{wanted['verb']} {wanted['resource']}" not in self.lacks
                one = {**one, "status": {"allowed": allowed}}
            elif one["kind"] == "Namespace":
                self.namespaces[one["metadata"]["name"]] = one["metadata"]["labels"]
            elif one["kind"] == "Pod":
                requests = {"requests": {"cpu": "100m", "memory": "128Mi"}}
                sidecar = {"name": "istio-proxy", "restartPolicy": "Always", "resources": requests}
                one["spec"]["initContainers"] = [sidecar] if self.injects else []
            self.made.append(one["kind"])
            answers.append(json.dumps(one, indent=4))
        return "\n".join(answers)

    def _if(self, holds: bool, said: str) -> str:
        if not holds:
            raise ProgramFailed("kubectl ended with 1", said)
        return "{}"


@pytest.fixture
def school(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> School:
    school = School()
    monkeypatch.setenv("KATA_HOME", str(tmp_path))
    monkeypatch.setenv("KATA_CONTEXT", "school")
    monkeypatch.setenv("KATA_LEARNER", "Ada L.")
    for name in ("KATA_NAMESPACE", "KATA_IMAGE", "KATA_REACH", "KATA_INJECTION", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)

    def asked(command: list[str], *_: object, **__: object) -> str:
        return "school\nhome\n" if "get-contexts" in command else json.dumps(CONFIG)

    monkeypatch.setattr("kata_lib.engines.kubectl.kubectl", school.kubectl)
    monkeypatch.setattr(inspection, "kubectl", school.kubectl)
    monkeypatch.setattr(namespace, "kubectl", school.kubectl)
    monkeypatch.setattr(namespace, "delete", school.delete)
    monkeypatch.setattr(kubeconfig, "ask", asked)
    monkeypatch.setattr(reach, "node_host", lambda kubeconfig: "10.0.0.7")
    return school


def quiet(line: str) -> None:
    """Take an engine's progress."""


def test_a_learner_gets_a_namespace_of_their_own(school: School) -> None:
    place = ContextEngine("kata", APPLICATION).start(quiet)
    assert place.node_host == "10.0.0.7"
    assert place.entry is None
    assert json.loads(place.kubeconfig.read_text())["contexts"][0]["context"]["namespace"] == "kata-ada-l"
    assert place.kubeconfig.stat().st_mode & 0o777 == 0o600
    labels = school.namespaces["kata-ada-l"]
    assert labels["canary-kata/learner"] == "Ada-L"
    assert labels["istio-injection"] == "enabled"
    assert school.made[-4:] == ["Namespace", "ResourceQuota", "LimitRange", "Pod"]
    assert (
        ContextEngine("kata", APPLICATION).start(quiet) == place == ContextEngine("kata", APPLICATION).where()
    )


def test_down_deletes_that_namespace_alone(school: School) -> None:
    school.namespaces["theirs"] = {}
    ContextEngine("kata", APPLICATION).start(quiet)
    ContextEngine("kata", APPLICATION).stop()
    assert set(school.namespaces) == {"theirs"}
    assert {p.name for p in Folder("kata").path.iterdir()} == {"logs"}
    ContextEngine("kata", APPLICATION).stop()


REFUSED: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "no such context": (
        {},
        {"KATA_CONTEXT": "scool"},
        "no context 'scool' in your kubeconfig",
    ),
    "no answer": ({"answers": False}, {}, "'school': its cluster does not answer. Unable to connect"),
    "no istio": ({"istio": False}, {}, "has no Istio: it does not serve networking.istio.io/v1"),
    "no injection": ({"injects": False}, {}, "gets no sidecar"),
    "no rights": (
        {"lacks": {"create namespaces", "patch virtualservices"}},
        {},
        "create namespaces; patch virtualservices.networking.istio.io in namespace kata-ada-l",
    ),
    "no room": (
        {"allocatable": {"cpu": "500m", "memory": "4Gi"}},
        {},
        "8 pods ask for 0.88 cores",
    ),
    "theirs": (
        {"namespaces": {"kata-ada-l": {"canary-kata/learner": "bob", "canary-kata/owner": "x"}}},
        {},
        "'kata-ada-l' belongs to 'bob'; it stays as it is",
    ),
    "not ours": (
        {"namespaces": {"prod": {}}},
        {"KATA_NAMESPACE": "prod"},
        "'prod' was not made by",
    ),
    "no namespace's name": ({}, {"KATA_NAMESPACE": "Ada L"}, "small letters, digits and dashes, not 'Ada L'"),
    "no way": ({}, {"KATA_REACH": "by-train"}, "node-port, port-forward or a URL by http, not 'by-train'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_serve_is_refused_and_left_as_it_was(
    case: str, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, environment, said = REFUSED[case]
    for name, value in cluster.items():
        setattr(school, name, value)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    before = dict(school.namespaces)
    with pytest.raises(EngineError) as refused:
        ContextEngine("kata", APPLICATION).start(quiet)
    assert said in str(refused.value)
    assert school.namespaces == before
    assert not Folder("kata").kubeconfig.exists()
    assert Folder("kata").note() is None


def test_without_a_context_nothing_is_tried(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KATA_CONTEXT")
    monkeypatch.setattr("kata_lib.engines.context.program", lambda name: name)
    with pytest.raises(EngineUnavailable, match="no context is named: `kata up"):
        ContextEngine("kata", APPLICATION).start(quiet)
    assert school.made == []


def test_a_cluster_is_of_one_context(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    ContextEngine("kata", APPLICATION).start(quiet)
    monkeypatch.setenv("KATA_CONTEXT", "home")
    with pytest.raises(EngineError, match="is a namespace of the context 'school'"):
        ContextEngine("kata", APPLICATION).start(quiet)


def test_a_namespace_that_is_gone_is_made_anew(school: School) -> None:
    ContextEngine("kata", APPLICATION).start(quiet)
    school.namespaces.clear()
    ContextEngine("kata", APPLICATION).start(quiet)
    assert set(school.namespaces) == {"kata-ada-l"}


def test_what_a_killed_start_left_is_removed_first(school: School) -> None:
    ContextEngine("kata", APPLICATION).start(quiet)
    note = Folder("kata").note()
    assert note
    Folder("kata").write({**note, "ready": False})
    assert ContextEngine("kata", APPLICATION).where() is None
    school.made.clear()
    ContextEngine("kata", APPLICATION).start(quiet)
    assert school.made.count("Namespace") == 1
    now = Folder("kata").note()
    assert now
    assert now["owner"] != note["owner"]


def test_a_gateways_url_and_the_instructors_image(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_REACH", "http://class.example:8080/ada/")
    monkeypatch.setenv("KATA_IMAGE", "registry.example/sentences")
    place = ContextEngine("kata", APPLICATION).start(quiet)
    assert place.entry == Entry("sentences", "http://class.example:8080/ada/")
    assert place.images == {"kata/sentences": "registry.example/sentences"}


def test_the_workshops_own_kubeconfig_is_not_the_persons(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tmp_path / "kubeconfig"
    monkeypatch.delenv("KATA_CONTEXT_KUBECONFIG", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(own))
    assert ContextSettings.read("kata", own).kubeconfig == ""
    assert ContextSettings.read("kata", tmp_path / "other").kubeconfig == str(own)


@pytest.mark.parametrize(
    ("text", "number"),
    [("250m", 0.25), ("2", 2), ("128Mi", 128 * 2**20), ("1k", 1000)],
)
def test_quantities(text: str, number: float) -> None:
    assert float(amount(text)) == number

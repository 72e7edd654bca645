"""kata_lib.course.checks: the solution is right, and each mistake is named with the line that mends it."""

import re
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from api_server import Api, StartApi
from argo_stages import GROUP, KINDS, put
from release_plans import VERSIONS

from kata_lib import delivery
from kata_lib.cluster.cluster import MERGE_PATCH, Cluster
from kata_lib.cluster.manifests import load
from kata_lib.course import application, notebooks, originals
from kata_lib.course.checks import CheckFailed, check
from kata_lib.course.result import Result
from kata_lib.course.wanted import V3_FAILURES
from kata_lib.delivery import events, record
from kata_lib.delivery.observed import Look, Observed, Pods
from kata_lib.delivery.state import ReleaseState
from kata_lib.errors import KataError
from kata_lib.mesh.virtual_services import ISTIO
from kata_lib.statistics import shares
from kata_lib.statistics.sequential import Counted
from kata_lib.traffic.frames import RequestRecord

CANARY = "deploy/virtual-service-canary.yaml"
PROMOTE = "deploy/virtual-service-canary-promote.yaml"
CANARY_V3 = "deploy/virtual-service-canary-v3.yaml"

Event = Callable[[ReleaseState, float], ReleaseState]

SOLUTIONS: dict[str, tuple[list[str], tuple[int, int]]] = {
    "v1-runs": (["deploy/v1"], (0, 20)),
    "v1-alone": (["deploy/v1"], (0, 100)),
    "a-third": (["deploy/v1", "deploy/v2"], (133, 400)),
    "canary-10": (["deploy/v1", "deploy/v2", CANARY], (98, 1000)),
    "weights-rule": (["deploy/v1", "deploy/v2", CANARY], (41, 400)),
    "canary-20": (["deploy/v1", "deploy/v2", CANARY], (243, 1200)),
    "mesh-agrees": (["deploy/v1", "deploy/v2", CANARY], (50, 500)),
    "promoted": (["deploy/v1", "deploy/v2", PROMOTE], (300, 300)),
    "v3-hurts": (["deploy/v1", "deploy/v2", "deploy/v3-faulty", PROMOTE, CANARY_V3], (1235, 1235)),
    "rolled-back": (["deploy/v1", "deploy/v2", "deploy/v3-faulty", PROMOTE], (300, 300)),
    "released": (["deploy/v1", "deploy/v2", PROMOTE], (300, 300)),
    "caught": (["deploy/v1", "deploy/v2", "deploy/v3-faulty", PROMOTE], (300, 300)),
    "argo-released": (["deploy/rollouts/argo-rollouts/routing.yaml"], (300, 300)),
    "argo-caught": (["deploy/rollouts/argo-rollouts/routing.yaml"], (300, 300)),
    "cleaned-up": ([], (0, 0)),
}
"""For each check the files that solve its step, and a sample that fits: answers of v2, of all."""


ARGO_STAGES = {"argo-released": "promoted", "argo-caught": "aborted-by-analysis"}
RELEASES = {"released": "deploy/rollouts/v2.yaml", "caught": "deploy/rollouts/v3.yaml"}


def left_to_a_person(release: ReleaseState, now: float) -> ReleaseState:
    """Return it given everything, and not watched there either."""
    return events.promote_fully(events.promote_fully(release, now), now)


def keep(cluster: Cluster, path: str, *, failed: int = 0, looks: int = 6, by: Event | None = None) -> None:
    """Have the cluster keep a release after these looks at 60 requests, or ended by a person."""
    release = events.begin(delivery.read(path), VERSIONS, 1.0)
    for moment in range(looks):
        seen = Look(Counted(failed, 60), Counted(0, 60))
        both = Observed({"success-rate": seen, "latency": seen}, Pods(1, 1), Pods(2, 2))
        release = events.look(release, both, 60.0 * moment)
    record.save(cluster, record.Record(release if by is None else by(release, 9.0)))


def sample(v2: int, n: int, failures: int = 0) -> pd.DataFrame:
    """Return the columns of a sample that checks look at."""
    versions = ["v2"] * v2 + ["v1"] * (n - v2) + [None] * failures
    errors = [None] * n + ["HTTP 503: no healthy upstream"] * failures
    return pd.DataFrame(
        {"version": pd.Series(versions, dtype=object), "error": pd.Series(errors, dtype=object)}
    )


def evidence(name: str) -> pd.DataFrame:
    """Return what a check is given when its step is done."""
    v2, n = SOLUTIONS[name][1]
    if name == "mesh-agrees":
        counts = [n - v2, v2]
        return pd.DataFrame({who: counts for who in ("client", "source", "destination")}, index=["v1", "v2"])
    return sample(v2, n, failures=65 if name == "v3-hurts" else 0)


def solved(name: str, start_api: StartApi) -> tuple[Cluster, Api]:
    """Return a cluster in which the step of a check is done."""
    api = start_api(*SOLUTIONS[name][0])
    cluster = api.cluster()
    if name == "weights-rule":
        cluster.scale("name-v2", 4)
    if name == "canary-20":
        route(cluster, name_v1=80, name_v2=20)
    if name in ARGO_STAGES:
        put(api, ARGO_STAGES[name])
    if name in RELEASES:
        keep(cluster, RELEASES[name], failed=0 if name == "released" else 30)
    return cluster, api


def route(cluster: Cluster, **subsets: int) -> None:
    """Set the route of name to these subsets and weights; underscores stand for dashes."""
    entries = [
        {"destination": {"host": "name", "subset": subset.replace("_", "-")}, "weight": weight}
        for subset, weight in subsets.items()
    ]
    cluster.patch(ISTIO, "VirtualService", "name", {"spec": {"http": [{"route": entries}]}})


def subsets(cluster: Cluster, **versions: str) -> None:
    """Have each of these subsets choose the pods of a version; underscores stand for dashes."""
    chosen = [{"name": name.replace("_", "-"), "labels": {"version": v}} for name, v in versions.items()]
    cluster.patch(ISTIO, "DestinationRule", "name", {"spec": {"subsets": chosen}})


@pytest.mark.parametrize("name", SOLUTIONS)
def test_the_solution_is_right(name: str, start_api: StartApi) -> None:
    cluster, _ = solved(name, start_api)
    result = check(name, cluster, evidence(name))
    assert (result.name, result.verdict, result.mend) == (name, "right", "")


def without_sidecars(cluster: Cluster, api: Api) -> None:
    """Have pods that are older than the namespace's label."""
    label_namespace(cluster, None)
    cluster.delete("deploy/v1")
    cluster.apply("deploy/v1")
    api.ahead += timedelta(seconds=2)
    label_namespace(cluster, "enabled")


def label_namespace(cluster: Cluster, value: str | None) -> None:
    body = {"metadata": {"labels": {"istio-injection": value}}}
    cluster.api.request("PATCH", "/api/v1/namespaces/default", body, content_type=MERGE_PATCH)


def unknown_image(cluster: Cluster, api: Api) -> None:
    cluster.delete("deploy/v1")
    cluster.images = {"kata/sentences": "kata/nobody:v0"}
    cluster.apply("deploy/v1")


def other_host(cluster: Cluster, api: Api) -> None:
    cluster.patch(ISTIO, "VirtualService", "name", {"spec": {"hosts": ["names"]}})


def in_another_namespace(cluster: Cluster, api: Api) -> None:
    api.registry(
        lambda registry: registry.create(
            "namespaces", None, {"metadata": {"name": "team"}}, manager="kubectl"
        )
    )
    path = cluster.api.path("apps/v1", "Deployment", namespace="team")
    deployment = next(manifest for manifest in load("deploy/v1") if manifest["kind"] == "Deployment")
    cluster.api.request("POST", path, deployment)
    cluster.delete("deploy/v1")


def scaled_instead(cluster: Cluster, api: Api) -> None:
    cluster.delete(CANARY)
    cluster.scale("name-v2", 4)


def edited_since(cluster: Cluster, api: Api) -> None:
    """Apply another state of the file than the one that is there now."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(
            Path(CANARY).read_text().replace("weight: 90", "weight: 80").replace("weight: 10", "weight: 20")
        )
        file.flush()
        cluster.apply(file.name)


def without_measurements(cluster: Cluster, api: Api) -> None:
    for run in cluster.objects("argoproj.io/v1alpha1", "AnalysisRun"):
        cluster.remove("argoproj.io/v1alpha1", "AnalysisRun", run["metadata"]["name"])


def without_version(cluster: Cluster, api: Api) -> None:
    """Deploy v2 anew from a file without the version label; the API would not let it change in place."""
    (manifest,) = load("deploy/v2")
    for labels in (
        manifest["spec"]["selector"]["matchLabels"],
        manifest["spec"]["template"]["metadata"]["labels"],
    ):
        labels["version"] = labels.pop("version").replace("v2", "2")
    cluster.delete("deploy/v2")
    cluster.create(manifest)


def kept_anew(cluster: Cluster, path: str, **how: Any) -> None:
    """Have the cluster keep another release."""
    delivery.forget(cluster)
    keep(cluster, path, **how)


def without_argo(cluster: Cluster, api: Api) -> None:
    for kind in KINDS.values():
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind}.{GROUP}"
        cluster.api.request("DELETE", path)


DAMAGES: list[tuple[str, Callable[[Cluster, Api], object], str, str]] = [
    ("v1-runs", lambda c, a: c.delete("deploy/v1"), "no Deployment age", "kubectl apply -f deploy/v1"),
    (
        "v1-runs",
        in_another_namespace,
        "no Deployment age in namespace default. Namespace team has one",
        "kubectl apply -n default -f deploy/v1",
    ),
    (
        "v1-runs",
        unknown_image,
        "ErrImagePull: the embedded engine pulls no images",
        "kubectl describe pods -l app=age,version=v1",
    ),
    ("v1-runs", without_sidecars, "no sidecar.*older than the namespace's label", "kubectl rollout restart"),
    ("v1-alone", lambda c, a: c.apply("deploy/v2"), "v1 is not alone", "kubectl delete -f deploy/v2"),
    ("v1-alone", lambda c, a: c.apply(CANARY), "sets the shares", "kubectl delete virtualservice name"),
    ("a-third", lambda c, a: c.delete("deploy/v2"), "no Deployment name-v2", "kubectl apply -f deploy/v2"),
    ("a-third", lambda c, a: c.apply(CANARY), "sets the shares", "kubectl delete virtualservice name"),
    ("a-third", lambda c, a: c.scale("name-v1", 1), "name-v1 has 1 pod;", "--replicas=2"),
    (
        "canary-10",
        lambda c, a: c.remove(ISTIO, "VirtualService", "name"),
        "Was the file applied",
        "kubectl apply -f deploy/virtual",
    ),
    (
        "canary-10",
        scaled_instead,
        "name-v2 was scaled from 1 to 4.*KATA0403",
        f"replicas=1 && kubectl apply -f {CANARY}",
    ),
    (
        "canary-10",
        edited_since,
        rf"v2 20\.0 %; this step wants .*10\.0 %, and so says {CANARY}.*not applied again",
        f"kubectl apply -f {CANARY}",
    ),
    (
        "canary-10",
        lambda c, a: c.remove(ISTIO, "DestinationRule", "name"),
        "no DestinationRule.*NC.*IST0101",
        "kubectl apply -f deploy/virtual",
    ),
    (
        "canary-10",
        other_host,
        "is for names, and there is no such Service.*KATA0201",
        f"kubectl apply -f {CANARY}",
    ),
    (
        "canary-10",
        lambda c, a: route(c, name_v1=90, name_v3=10),
        r"name\+name-v3\".* has name-v1, name-v2.*IST0101",
        f"kubectl apply -f {CANARY}",
    ),
    (
        "canary-10",
        without_version,
        'Deployment name-v2: .*spec.template.metadata.labels is ."app": "name", "version": "2".',
        "kubectl .*deploy/v2/name-v2.yaml",
    ),
    (
        "canary-10",
        lambda c, a: route(c, name_v1=10, name_v2=90),
        "swapped",
        "kata weights name-v1=90 name-v2=10",
    ),
    (
        "canary-10",
        lambda c, a: route(c, name_v1=80, name_v2=10),
        r"11\.1 %.*total 90.*divides",
        "kata weights",
    ),
    (
        "canary-10",
        lambda c, a: route(c, name_v1=50, name_v2=50),
        r" v2 50\.0 %",
        "kata weights name-v1=90 name-v2=10",
    ),
    ("canary-20", lambda c, a: c.apply(CANARY), r" v2 10\.0 %; this step wants .*20\.0 %", "name-v2=20"),
    (
        "canary-20",
        lambda c, a: route(c, name_v1=20, name_v2=80),
        "swapped",
        "kata weights name-v1=80 name-v2=20",
    ),
    ("weights-rule", lambda c, a: c.scale("name-v2", 1), "name-v2 has 1 pod;", "--replicas=4"),
    (
        "weights-rule",
        lambda c, a: c.remove(ISTIO, "VirtualService", "name"),
        "Was the file applied",
        "kubectl apply",
    ),
    ("mesh-agrees", lambda c, a: c.delete(CANARY), "Was the file applied", "kubectl apply"),
    ("promoted", lambda c, a: c.delete(PROMOTE), "Was the file applied", f"kubectl apply -f {PROMOTE}"),
    (
        "promoted",
        lambda c, a: c.apply(CANARY),
        rf"v1 90\.0 %.*{CANARY} was applied last",
        f"kubectl apply -f {PROMOTE}",
    ),
    ("v3-hurts", lambda c, a: c.delete("deploy/v3-faulty"), "no Deployment name-v3", "deploy/v3-faulty"),
    (
        "v3-hurts",
        lambda c, a: c.apply(PROMOTE),
        "this step wants v2 90.0 %, v3 10.0 %",
        f"kubectl apply -f {CANARY_V3}",
    ),
    (
        "rolled-back",
        lambda c, a: c.apply(CANARY_V3),
        "this step wants v1 0.0 %, v2 100.0 %",
        f"kubectl apply -f {PROMOTE}",
    ),
    (
        "released",
        lambda c, a: delivery.forget(c),
        "no release of name",
        "kata release start deploy/rollouts/v2",
    ),
    (
        "released",
        lambda c, a: kept_anew(c, "deploy/rollouts/v3.yaml", failed=30),
        "last release was that of name-v3",
        "kata release start deploy/rollouts/v2",
    ),
    (
        "released",
        lambda c, a: kept_anew(c, "deploy/rollouts/v2.yaml", looks=1),
        "is Progressing",
        "kata release resume",
    ),
    (
        "released",
        lambda c, a: kept_anew(c, "deploy/rollouts/v2.yaml", failed=30),
        "goes through; yours ended otherwise",
        "kata release start",
    ),
    (
        "released",
        lambda c, a: kept_anew(c, "deploy/rollouts/v2.yaml", looks=1, by=left_to_a_person),
        "A person decided",
        "kata release start",
    ),
    ("released", lambda c, a: c.apply(CANARY), "somebody moved them since", f"kubectl apply -f {PROMOTE}"),
    (
        "caught",
        lambda c, a: kept_anew(c, "deploy/rollouts/v3.yaml", looks=0, by=events.abort),
        "A person decided this release",
        "kata release start deploy/rollouts/v3",
    ),
    (
        "argo-released",
        without_argo,
        "no Argo Rollouts",
        "kata reset argo-rollouts",
    ),
    (
        "argo-released",
        lambda c, a: put(a, "v1-alone"),
        "newest version is v1; .* releases v2",
        "rollout-v2.yaml",
    ),
    ("argo-released", lambda c, a: put(a, "at-50"), "has not ended: Progressing", "kubectl get rollout name"),
    (
        "argo-released",
        lambda c, a: put(a, "inconclusive-without-requests"),
        "has not ended: Paused",
        "kubectl get rollout name",
    ),
    (
        "argo-released",
        lambda c, a: put(a, "aborted-by-hand"),
        "could not judge v2: .*Inconclusive.*It asks Prometheus",
        "kata addons install prometheus && .*rollout-v1.yaml && .*rollout-v2.yaml",
    ),
    (
        "argo-released",
        without_measurements,
        "A person decided",
        "kubectl apply",
    ),
    ("argo-released", lambda c, a: route(c, stable=50, canary=50), "somebody moved them since", "stable=100"),
    ("argo-caught", lambda c, a: put(a, "promoted"), "newest version is v2", "rollout-v3.yaml"),
    (
        "cleaned-up",
        lambda c, a: put(a, "promoted"),
        "Still there: Rollout name",
        "kubectl delete rollout.argoproj.io/name",
    ),
    ("cleaned-up", lambda c, a: c.apply("deploy/v2"), "Still there: Deployment name-v2", "kubectl delete"),
]


@pytest.mark.parametrize(("name", "damage", "said", "mend"), DAMAGES)
def test_a_damaged_solution_is_wrong_by_name(
    name: str,
    damage: Callable[[Cluster, Api], object],
    said: str,
    mend: str,
    monkeypatch: pytest.MonkeyPatch,
    start_api: StartApi,
) -> None:
    cluster, api = solved(name, start_api)
    damage(cluster, api)
    monkeypatch.setenv("KATA_RESET", "1")
    with pytest.raises(CheckFailed, match=rf"(?s)✗ {name}: wrong.*({said}).*Mend it: .*({mend})"):
        check(name, cluster, evidence(name))


def test_every_check_has_a_damage() -> None:
    assert {name for name, *_ in DAMAGES} == set(SOLUTIONS)


def test_counters_that_differ_from_the_client_are_wrong(start_api: StartApi) -> None:
    cluster, _ = solved("mesh-agrees", start_api)
    result = check("mesh-agrees", cluster, evidence("mesh-agrees").assign(source=[460, 52]))
    assert result.verdict == "wrong"
    assert "Something else asked too" in result.text
    assert "lab.counters(since=before)" in result.mend


@pytest.mark.parametrize("name", sorted(SOLUTIONS.keys() - {"mesh-agrees", "v3-hurts", "cleaned-up"}))
def test_failed_requests_are_wrong(name: str, start_api: StartApi) -> None:
    cluster, _ = solved(name, start_api)
    result = check(name, cluster, sample(*SOLUTIONS[name][1], failures=3))
    assert result.verdict == "wrong"
    assert "3 of" in result.text
    assert "HTTP 503: no healthy upstream" in result.text


ALL_V2 = ("promoted", "rolled-back", "released", "caught", "argo-released", "argo-caught")


@pytest.mark.parametrize("name", sorted(SOLUTIONS.keys() - {"mesh-agrees", "cleaned-up"}))
def test_ten_requests_are_not_enough(name: str, start_api: StartApi) -> None:
    cluster, _ = solved(name, start_api)
    result = check(name, cluster, sample(10 if name in ALL_V2 else 0, 10))
    assert result.verdict == "not enough yet"
    assert "requests or more" in result.text


def taken(name: str) -> list[int]:
    """Return how many requests the notebooks take for a check, where the number stands in the cell."""
    return [count for source in notebooks.sources() for count in _taken(name, source.read_text())]


def _taken(name: str, code: str) -> Iterator[int]:
    asked = re.findall(rf'lab\.check\("{name}", (?:lab\.sample\(requests=(\d+)|(\w+))', code)
    for count, of in asked:
        counts = [count] if count else re.findall(rf"^{of} = .*requests=(\d+)", code, re.M)
        yield from map(int, counts)


@pytest.mark.parametrize("name", sorted(SOLUTIONS.keys() - {"mesh-agrees", "canary-20", "cleaned-up"}))
def test_the_notebooks_take_as_many_requests_as_a_check_may_need(name: str, start_api: StartApi) -> None:
    cluster, _ = solved(name, start_api)
    said = check(name, cluster, sample(10 if name in ALL_V2 else 0, 10)).text
    needed = re.search(r"take (\d+) requests or more", said)
    assert needed
    assert taken(name)
    assert min(taken(name)) >= int(needed[1])


@pytest.mark.parametrize(
    ("name", "true", "otherwise", "n"),
    [
        ("a-third", 1 / 3, 0.1, 400),
        ("canary-10", 0.1, 1 / 3, 1000),
        ("weights-rule", 0.1, 2 / 3, 400),
        ("canary-20", 0.2, 0.1, shares.requests_needed(0.2, 0.1)),
        ("v3-hurts", V3_FAILURES, 0.0, 1300),
    ],
)
def test_false_alarms_are_rarer_than_one_in_a_million(
    name: str, true: float, otherwise: float, n: int, start_api: StartApi
) -> None:
    """Exactly, for samples as large as the notebook's, whose objects are right.

    The check is asked at both ends of what its test takes for right, and just beyond.
    """
    cluster, _ = solved(name, start_api)

    def verdict(count: int) -> str:
        drawn = sample(0, n - count, failures=count) if name == "v3-hurts" else sample(count, n)
        return check(name, cluster, drawn).verdict

    right = [count for count in range(n + 1) if shares.judge(count, n, true, otherwise) == "right"]
    first, last = right[0], right[-1]
    assert right == list(range(first, last + 1))
    assert shares.at_most(first - 1, n, true) + shares.at_least(last + 1, n, true) <= 1e-6
    assert [verdict(count) for count in (first, round(n * true), last)] == ["right"] * 3
    assert "right" not in (verdict(first - 1), verdict(last + 1))


def test_a_sample_from_before_is_wrong(start_api: StartApi) -> None:
    cluster, _ = solved("canary-10", start_api)
    result = check("canary-10", cluster, sample(333, 1000))
    assert result.verdict == "wrong"
    assert "take a new one" in result.text


def test_dots_are_not_enough_yet(monkeypatch: pytest.MonkeyPatch, start_api: StartApi) -> None:
    cluster = start_api().cluster()
    assert check("canary-10", cluster, ...).verdict == "not enough yet"
    monkeypatch.setenv("CI", "true")
    with pytest.raises(CheckFailed, match="not enough yet"):
        check("canary-10", cluster, ...)


def test_answers_that_are_no_sentences_are_not_version_1(start_api: StartApi) -> None:
    cluster, _ = solved("v1-alone", start_api)
    drawn = application.frame_of([RequestRecord(0, 1.0, 200, "It works")] * 100)
    result = check("v1-alone", cluster, drawn)
    assert result.verdict == "wrong"
    assert "100 of 100 answers are no sentence of the workshop's: 'It works'" in result.text


def test_an_unknown_check_lists_those_there_are(start_api: StartApi) -> None:
    cluster = start_api().cluster()
    with pytest.raises(KataError, match="v1-runs, v1-alone, a-third"):
        check("canary-11", cluster, sample(0, 1))


def test_a_result_shows_its_words_safely() -> None:
    result = Result("canary-10", "wrong", "<script> in a name", "kubectl apply -f <file>")
    shown = result._repr_html_()
    assert "&lt;script&gt;" in shown
    assert "<code>kubectl apply -f &lt;file&gt;</code>" in shown


def test_a_file_that_was_edited_is_shown_and_brought_back(
    start_api: StartApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cluster, _ = solved("canary-10", start_api)
    cluster.remove(ISTIO, "VirtualService", "name")
    for name, text in originals.texts().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text.replace("weight: 90", "weight: 50"))
    monkeypatch.setattr(originals, "WORKSHOP", tmp_path)
    result = check("canary-10", cluster, evidence("canary-10"))
    assert "-      weight: 90\n+      weight: 50\n" in result.text
    assert result.mend == f"kata original {CANARY} && kubectl apply -f {CANARY}"


def test_a_file_that_was_edited_as_the_step_asks_is_applied_as_it_is(
    start_api: StartApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cluster, _ = solved("canary-10", start_api)
    for name, text in originals.texts().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(
            text.replace("weight: 90", "weight: 80").replace("weight: 10\n", "weight: 20\n")
        )
    monkeypatch.setattr(originals, "WORKSHOP", tmp_path)
    for damage in (lambda: None, lambda: cluster.remove(ISTIO, "VirtualService", "name")):
        damage()
        result = check("canary-20", cluster, evidence("canary-20"))
        assert (result.verdict, result.mend) == ("wrong", f"kubectl apply -f {CANARY}")

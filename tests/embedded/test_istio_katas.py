"""The istio-katas series (MichaelVL/istio-katas) where KATA_ISTIO_KATAS names a clone of it.

Its manifests are applied with nothing changed but the image's name. What they do is what they do on kind, or
the engine says by name what it does not have.
"""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from embedded.engine_cluster import Cluster, Start
from kata_lib.cluster.cluster import Cluster as Namespace
from kata_lib.course import application, service
from kata_lib.statistics.shares import judge

pytestmark = pytest.mark.needs("istio-katas")

SEED = Path(os.environ.get("KATA_ISTIO_KATAS", "")) / "deploy"
TEAMS = {
    "SENTENCES_INGRESSGATEWAY_NS": "istio-system",
    "SENTENCES_NS": "sentences",
    "SENTENCES_AGE_NS": "sentences-age",
    "SENTENCES_NAME_NS": "sentences-name",
}
REFUSED = [
    ("authn/req-authn.yaml", "does not support RequestAuthentication"),
    ("authn/authz-policy.yaml", "does not support AuthorizationPolicy"),
    ("authz/networkpolicy.yaml", "does not support NetworkPolicy"),
    ("mtls/peer-auth/strict.yaml", "does not support PeerAuthentication"),
    ("mtls/dest-rule/name.yaml", "tls.mode: ISTIO_MUTUAL: not supported"),
    ("mtls/igw/gateway.yaml", "tls.mode: MUTUAL: not supported"),
    ("no-tls/service-entry-dest-rule.yaml", "kind ServiceEntry: not supported"),
    ("multitool-dest-rule-distribute.yaml", "localityLbSetting: not supported"),
    ("multitool-readiness-probe.yaml", "readinessProbe.exec: not supported"),
]
ROUTED = [
    ("canary", {}, 0.1, 2 / 3),
    ("canary-promote", {}, 1.0, 0.9),
    ("label-based", {}, 0.0, 1 / 3),
    ("label-based", {"x-test": "use-v2"}, 1.0, 0.9),
    ("svc-based", {}, 0.0, 1 / 3),
    ("svc-based", {"x-test": "use-v2"}, 1.0, 0.9),
]
"""A VirtualService, the headers of requests, the share of v2, and what it would be told from."""


@pytest.fixture
def seeded(start: Start, tmp_path: Path) -> tuple[Cluster, Callable[..., str]]:
    """A cluster with sidecars, and what applies files of the series in it."""
    cluster = start("seed")
    cluster.kubectl("label", "namespace", "default", "istio-injection=enabled")

    def apply(*files: str, wait: str = "default") -> str:
        for number, file in enumerate(path for name in files for path in _manifests(SEED / name)):
            text = file.read_text().replace("michaelvl/sentences:v1", "kata/sentences:v1")
            copy = tmp_path / f"{number}.yaml"
            copy.write_text(re.sub(r"\$(\w+)", lambda found: TEAMS.get(found[1], found[0]), text))
            cluster.kubectl("apply", f"--filename={copy}")
        return cluster.kubectl("wait", "-n", wait, "--for=condition=Available", "deployment", "--all")

    return cluster, apply


def _manifests(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.glob("*.yaml"))


def asked(cluster: Cluster, requests: int, headers: Mapping[str, str] | None = None) -> pd.DataFrame:
    url = application.url(Namespace.at(cluster.location))
    return application.sample(url, requests=requests, rate=100, headers=headers)


def test_versions_and_rules_share_requests_as_they_say(seeded: tuple[Cluster, Callable[..., str]]) -> None:
    cluster, apply = seeded
    apply("v1", "v2", "v3")
    assert set(asked(cluster, 60)["version"]) == {"v1", "v2", "v3"}
    namespace = Namespace.at(cluster.location)
    for name, headers, share, otherwise in ROUTED:
        since = service.moment(namespace)
        apply(f"virtual-service-{name}.yaml")
        service.settle(namespace, since)
        sample = asked(cluster, 300, headers)
        assert sample["error"].isna().all()
        assert str(judge(int((sample["version"] == "v2").sum()), 300, share, otherwise)) != "wrong"
    since = service.moment(namespace)
    cluster.kubectl("delete", "virtualservice,destinationrule", "--all")
    apply("virtual-service-age-delay.yaml")
    service.settle(namespace, since)
    assert asked(cluster, 5)["latency_ms"].min() >= 850


def test_three_tiers_answer_and_the_bug_is_seen_from_the_top(
    seeded: tuple[Cluster, Callable[..., str]],
) -> None:
    cluster, apply = seeded
    apply("three-tiers")
    assert asked(cluster, 30)["error"].isna().all()
    apply("three-tiers/v2")
    # Half of the requests go to the second version, and a fifth of these take 0.7 s: none of 300 has 10^-13.
    assert asked(cluster, 300)["latency_ms"].max() >= 700


def test_teams_delegate_to_namespaces_of_their_own(seeded: tuple[Cluster, Callable[..., str]]) -> None:
    cluster, apply = seeded
    for name in TEAMS.values():
        cluster.kubectl("create", "namespace", name)
        cluster.kubectl("label", "namespace", name, "istio-injection=enabled")
    for files, namespace in (
        (("team1-vs-gw", "team2-sentences", "team2-vs"), "sentences"),
        (("team3-sentences", "team3-vs"), "sentences-age"),
        (("team4-sentences", "team4-vs", "team4-sentences-canary", "team4-vs-canary"), "sentences-name"),
        (("team4-vs-canary-2",), "sentences-name"),
    ):
        apply(*(f"teams/{file}.yaml" for file in files), wait=namespace)
    place = cluster.kubectl("get", "service", "sentences", "-n=sentences", "-o=jsonpath={.spec.clusterIP}")
    sample = application.sample(f"http://{place}:5000/", requests=300, rate=100)
    assert sample["error"].isna().all()
    assert str(judge(int((sample["version"] == "v2").sum()), 300, 0.1, 0.5)) == "right"


@pytest.mark.parametrize(("file", "said"), REFUSED)
def test_what_is_not_there_is_refused_by_name(file: str, said: str, cluster: Cluster) -> None:
    answer = cluster.kubectl("apply", "--dry-run=server", f"--filename={SEED / file}", ok=False)
    assert said in answer

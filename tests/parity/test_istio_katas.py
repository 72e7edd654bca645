"""The istio-katas series (MichaelVL/istio-katas) where KATA_ISTIO_KATAS names a clone of it, on one engine.

Its manifests are applied with nothing changed but the image's name. What they do on the embedded engine is
what they do on kind, or the engine says by name what it does not have. pytest -rP prints what was measured.
"""

import copy
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import by_tls
import pytest
import trustme
import yaml
from labs import lab_on

from kata_lib.cluster import waiting
from kata_lib.cluster.client import Obj
from kata_lib.cluster.manifests import load
from kata_lib.course import application, service
from kata_lib.engines import ways
from kata_lib.engines.kubectl import kubectl
from kata_lib.engines.programs import ProgramFailed
from kata_lib.lab.lab import Lab
from kata_lib.statistics.shares import judge

pytestmark = pytest.mark.needs("istio-katas")

CLUSTER = "seed"
SEED = Path(os.environ.get("KATA_ISTIO_KATAS", "")) / "deploy"
REQUESTS = 300
LIMIT = 90.0
HOST = "sentences.example.com"
INGRESS = "istio-ingressgateway"
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


@pytest.fixture(scope="module")
def kata(engine_environment: dict[str, str]) -> Iterator[Lab]:
    with lab_on(engine_environment, CLUSTER) as made:
        yield made


class Series:
    """What applies files of the series on a cluster, and removes them again."""

    def __init__(self, kata: Lab) -> None:
        self._kata = kata
        self._applied: list[str] = []

    def apply(self, *names: str) -> None:
        """Apply files or folders, and wait until pods are ready and the sidecars have it."""
        since = service.moment(self._kata.cluster)
        for file in (path for name in names for path in _files(SEED / name)):
            text = file.read_text().replace("michaelvl/sentences:v1", "kata/sentences:v1")
            self.add(re.sub(r"\$(\w+)", lambda found: TEAMS.get(found[1], found[0]), text))
        self._kata.cluster.wait_ready(LIMIT)
        service.settle(self._kata.cluster, since)

    def add(self, text: str) -> None:
        """Apply a manifest that the series takes for granted."""
        kubectl(self._kata.cluster.kubeconfig, "apply", "--filename=-", given=text)
        self._applied.append(text)

    def remove(self) -> None:
        """Delete all of it, the last first."""
        while self._applied:
            with suppress(ProgramFailed):  # its namespace goes
                words = ("delete", "--filename=-", "--ignore-not-found", "--wait=false")
                kubectl(self._kata.cluster.kubeconfig, *words, given=self._applied.pop())
        assert waiting.holds(lambda: not self._kata.cluster.objects("v1", "Pod"), LIMIT)


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.glob("*.yaml"))


@pytest.fixture
def series(kata: Lab) -> Iterator[Series]:
    made = Series(kata)
    yield made
    made.remove()


def share_of_v2(kata: Lab, headers: Mapping[str, str] | None = None) -> int:
    """Return how many of REQUESTS, none of which fails, are answered by version 2."""
    sample = kata.sample(requests=REQUESTS, concurrency=4, headers=headers)
    assert sample["error"].isna().all()
    return int((sample["version"] == "v2").sum())


def test_versions_share_requests_by_their_pods(kata: Lab, series: Series) -> None:
    series.apply("v1", "v2", "v3")
    seen = Counter(
        kata.sample(requests=REQUESTS)["version"]
    )  # one by one: of several at once a slow pod gets fewer
    print(f"v1, v2, v3 side by side: {dict(seen)}")
    assert set(seen) == {"v1", "v2", "v3"}
    assert "wrong" not in [judge(count, REQUESTS, 1 / 3, 1 / 2) for count in seen.values()]


@pytest.mark.parametrize(("name", "headers", "share", "otherwise"), ROUTED)
def test_a_rule_shares_requests_as_it_says(
    kata: Lab, series: Series, name: str, headers: dict[str, str], share: float, otherwise: float
) -> None:
    series.apply("v1", "v2", f"virtual-service-{name}.yaml")
    of_v2 = share_of_v2(kata, headers)
    print(f"{name} {headers or ''}: {of_v2} of {REQUESTS} by v2")
    assert judge(of_v2, REQUESTS, share, otherwise) == "right"


def test_a_delay_is_met_by_whoever_asks(kata: Lab, series: Series) -> None:
    series.apply("v1", "virtual-service-age-delay.yaml")
    latency = kata.sample(requests=5)["latency_ms"]
    print(f"age-delay: {latency.min():.0f} to {latency.max():.0f} ms")
    assert latency.min() >= 850


def test_three_tiers_answer_and_the_bug_is_seen_from_the_top(kata: Lab, series: Series) -> None:
    series.apply("three-tiers")
    assert kata.sample(requests=30)["error"].isna().all()
    series.apply("three-tiers/v2")
    # Half of the requests go to the second version, and a fifth of these take 0.7 s: none of 300 has 10^-13.
    latency = kata.sample(requests=REQUESTS, concurrency=4)["latency_ms"]
    print(f"three tiers: {(latency >= 700).sum()} of {REQUESTS} take 0.7 s or more")
    assert latency.max() >= 700


def _ingress() -> str:
    """Return the gateway that Istio's default profile installs, by injection: router and Service."""
    labels = {"app": INGRESS, "istio": "ingressgateway"}
    made: list[Obj] = []
    for found in copy.deepcopy(load("deploy/gateway/gateway.yaml")):
        found["metadata"] |= {"name": INGRESS, "namespace": TEAMS["SENTENCES_INGRESSGATEWAY_NS"]}
        if found["kind"] == "Deployment":
            found["spec"]["selector"]["matchLabels"] = labels
            found["spec"]["template"]["metadata"]["labels"] = {**labels, "sidecar.istio.io/inject": "true"}
        if found["kind"] == "Service":
            found["spec"]["selector"] = labels
        if found["kind"] != "Gateway":
            made.append(found)
    return yaml.safe_dump_all(made)


@pytest.fixture
def ingress(kata: Lab, series: Series) -> str:
    """Have the series' ingress gateway; return the namespace in which it is."""
    namespace = TEAMS["SENTENCES_INGRESSGATEWAY_NS"]
    with suppress(ProgramFailed):  # on kind it is there
        kubectl(kata.cluster.kubeconfig, "create", "namespace", namespace)
    series.add(_ingress())
    kata.cluster.within(namespace).wait_ready(LIMIT)
    return namespace


def test_traffic_gets_into_the_mesh_by_its_gateway(kata: Lab, series: Series, ingress: str) -> None:
    series.apply("v1", "mesh-in")
    url = ways.url(kata.cluster.within(ingress), INGRESS)
    assert waiting.holds(lambda: _all_answered(url, 5, HOST), LIMIT)
    assert _all_answered(url, 50, HOST)
    assert not _all_answered(url, 1, "other.example.com")


def _all_answered(url: str, requests: int, host: str) -> bool:
    sample = application.sample(url, requests=requests, headers={"host": host})
    return bool(sample["error"].isna().all())


@pytest.fixture
def teams(kata: Lab, series: Series) -> Iterator[None]:
    """Have the namespaces that teams/namespaces.sh makes."""
    kubeconfig, own = kata.cluster.kubeconfig, sorted({*TEAMS.values()} - {"istio-system"})
    for name in own:
        kubectl(kubeconfig, "create", "namespace", name)
        kubectl(kubeconfig, "label", "namespace", name, "istio-injection=enabled")
    yield
    series.remove()
    kubectl(kubeconfig, "delete", "namespace", "--wait=false", *own)


@pytest.mark.usefixtures("teams")
def test_teams_delegate_to_namespaces_of_their_own(
    kata: Lab, series: Series, ingress: str, tmp_path: Path
) -> None:
    authority = trustme.CA()
    by_tls.secret(kata.cluster.kubeconfig, tmp_path, ingress, "sentences-tls-secret", HOST, authority)
    by_tls.let_read_secrets(kata.cluster.kubeconfig, ingress)
    files = ["team1-vs-gw", "team2-sentences", "team2-vs", "team3-sentences", "team3-vs", "team4-sentences"]
    series.apply(*(f"teams/{file}.yaml" for file in (*files, "team4-vs", "team4-sentences-canary")))
    for name in TEAMS.values():
        kata.cluster.within(name).wait_ready(LIMIT)
    url = ways.url(kata.cluster.within(ingress), INGRESS, "https")
    assert waiting.holds(lambda: by_tls.asks(url, HOST, authority), LIMIT)
    assert by_tls.ask(f"{url}age", HOST, authority).strip().isdigit()
    series.apply("teams/team4-vs-canary.yaml")
    outside = _settled_share(f"{url}name", authority, 0.1, 0.5)
    series.apply("teams/team4-vs-canary-2.yaml")
    inside = _settled_share(url, authority, 0.1, 0.5)
    print(
        f"teams, canary: {outside} of {REQUESTS} asked for name, {inside} of {REQUESTS} asked for sentences"
    )


def _settled_share(url: str, trusted: trustme.CA, share: float, otherwise: float) -> int:
    """Return how many of REQUESTS are answered by version 2 once that is a share, and not another one."""
    seen: list[int] = []

    def right() -> bool:
        answers = [by_tls.ask(url, HOST, trusted) for _ in range(REQUESTS)]
        seen.append(sum("(v2)" in answer for answer in answers))
        return judge(seen[-1], REQUESTS, share, otherwise) == "right"

    assert waiting.holds(right, LIMIT), seen
    return seen[-1]


@pytest.mark.needs("embedded")
@pytest.mark.parametrize(("file", "said"), REFUSED)
def test_what_is_not_there_is_refused_by_name(file: str, said: str, kata: Lab) -> None:
    with pytest.raises(ProgramFailed) as refused:
        kubectl(kata.cluster.kubeconfig, "apply", "--dry-run=server", f"--filename={SEED / file}")
    assert said in refused.value.said

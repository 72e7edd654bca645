"""What Kubernetes and Istio write in texts of their own: durations, host names, labels."""

import pytest

from kata_lib.cluster import durations, hosts, labels


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1m30s", 90), ("250ms", 0.25), ("1.5h", 5400), ("-2s", -2), ("0", 0), ("3us", 3e-6), (".5s", 0.5)],
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert float(durations.seconds(text)) == seconds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", 'invalid duration ""'),
        ("-", 'invalid duration "-"'),
        ("s", 'invalid duration "s"'),
        (".s", 'invalid duration ".s"'),
        ("30", 'missing unit in duration "30"'),
        ("5 minutes", 'unknown unit " minutes" in duration "5 minutes"'),
        ("1x", 'unknown unit "x" in duration "1x"'),
        ("1s0", 'missing unit in duration "1s0"'),
    ],
)
def test_what_is_no_duration_is_told_in_gos_words(text: str, said: str) -> None:
    """As Go 1.24's time.ParseDuration says it, without its leading `time: `."""
    with pytest.raises(ValueError, match=said):
        durations.seconds(text)


def test_a_host_is_meant_from_its_namespace() -> None:
    assert hosts.full_name("web", "shop") == "web.shop.svc.cluster.local"
    assert hosts.full_name("web.shop", "shop") == "web.shop"
    assert hosts.full_name("*", "shop") == "*"
    assert hosts.short_name("web.shop.svc.cluster.local", "shop") == "web"
    assert hosts.short_name("web.shop.svc.cluster.local", "other") == "web.shop.svc.cluster.local"


def test_the_more_specific_host_is_the_greater() -> None:
    patterns = ["*", "*.example.com", "*.shop.example.com", "web.shop.example.com"]
    assert all(hosts.covers(pattern, "web.shop.example.com") for pattern in patterns)
    assert sorted(reversed(patterns), key=hosts.specificity) == patterns
    assert not hosts.covers("*.example.com", "example.org")


def test_a_selector_that_asks_for_nothing_selects_nothing() -> None:
    pod = {"metadata": {"labels": {"app": "web", "version": "v1"}}}
    assert labels.selects({"app": "web"}, pod)
    assert not labels.selects({"app": "web", "version": "v2"}, pod)
    assert not labels.selects({}, pod)
    assert not labels.selects(None, pod)
    assert labels.carries(pod, {})
    assert labels.of({"metadata": {"labels": None}}) == {}
    assert labels.as_selector({"app": "web", "version": "v1"}) == "app=web,version=v1"

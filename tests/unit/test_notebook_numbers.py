"""Numbers that stand in prose are what they are said to be: computed, or read where they come from."""

import math
import re
from collections.abc import Callable

import pytest

from kata_lib import delivery
from kata_lib.cli import exercise
from kata_lib.cluster.client import Obj
from kata_lib.cluster.manifests import load
from kata_lib.course import notebooks, wanted
from kata_lib.course.exercises import QUESTIONS, hidden_failures, outliers
from kata_lib.course.steps import V1, V3
from kata_lib.delivery import prices
from kata_lib.delivery.illnesses import Crowded
from kata_lib.delivery.plan import Plan
from kata_lib.machine import PROJECT
from kata_lib.statistics import standards
from kata_lib.statistics.shares import at_least, percent, requests_needed, wilson
from kata_lib.traffic import users

WORDS = {3: "three", 4: "four", 5: "five", 6: "six", 7: "seven"}
ANALYSIS = "deploy/rollouts/argo-rollouts/success-rate.yaml"
V2_PLAN, V3_PLAN = "deploy/rollouts/v2.yaml", "deploy/rollouts/v3.yaml"


def prose(name: str) -> str:
    """Return a notebook's source, or a document, as one line without the marks of comments."""
    source = notebooks.SOURCES / f"{name}.py"
    text = source.read_text() if source.exists() else (PROJECT / name).read_text()
    return " ".join(re.sub(r"^# ?", "", text, flags=re.MULTILINE).split())


def only(path: str, kind: str) -> list[Obj]:
    return [obj for obj in load(path) if obj["kind"] == kind]


def number(pattern: str, text: str) -> float:
    """Return the number that a pattern's group finds; it must be there."""
    found = re.search(pattern, text)
    assert found, f"no {pattern!r}"
    return float(found[1].replace(",", ""))


def replicas() -> int:
    return sum(deployment["spec"]["replicas"] for deployment in only(V1, "Deployment"))


def measurement() -> Obj:
    """Return the one metric of Argo's analysis."""
    return dict(only(ANALYSIS, "AnalysisTemplate")[0]["spec"]["metrics"][0])


def seconds_of_an_analysis() -> int:
    metric = measurement()
    measurements = int(metric["count"])
    return int(metric["initialDelay"][:-1]) + (measurements - 1) * int(metric["interval"][:-1])


def limits(plan: str, name: str) -> tuple[str, str]:
    """Return which share of bad requests a plan calls healthy, and which faulty, in percent."""
    metric = next(metric for metric in delivery.read(plan).metrics if metric.name == name)
    return f"{metric.healthy:.0%}".replace("%", " %"), f"{metric.faulty:.0%}".replace("%", " %")


def weights(plan: str) -> list[int]:
    return [step["setWeight"] for step in delivery.read(plan).source["steps"] if "setWeight" in step]


def needed() -> int:
    return max(m.fewest for m in map(delivery.read(V2_PLAN).limit, delivery.read(V2_PLAN).metrics))


HURRIED = "deploy/rollouts/v3-hurried.yaml"


def seen_pages(requests: int, pages: int = 1000) -> float:
    """Return which part of a cache's pages was asked for at least once, by requests for any of them."""
    return 1 - (1 - 1 / pages) ** requests


def fewest(path: str, plan: Plan | None = None) -> int:
    found = plan or delivery.read(path)
    return found.limit(found.metrics[0]).fewest


def of_healthy(path: str) -> float:
    """Return how many seconds half of the releases of a healthy version take at most."""
    return prices.of(delivery.read(path), "healthy, fails 0.1 %").seconds


def strictest_takes() -> float:
    """Return the seconds of a healthy version by the third plan of 13."""
    strict = prices.strictest(delivery.read("deploy/rollouts/v3-careful.yaml"))
    return prices.of(strict, "healthy, fails 0.1 %").seconds


def slow() -> Crowded:
    """Return what is slow under load, which can do a hundred requests a second."""
    found = prices.KINDS["slow above 100 requests/s"].traffic.illness
    assert isinstance(found, Crowded)
    assert 1 / found.each == pytest.approx(100)
    return found


def through(path: str, kind: str) -> int:
    found = prices.of(delivery.read(path), kind)
    return round(100 * found.through / found.releases)


SAID: list[tuple[str, Callable[[], str]]] = [
    ("00-setup", lambda: f"Expect {WORDS[len(load(V1))]} lines that end in *created*"),
    ("00-setup", lambda: f"{WORDS[len(only(V1, 'Service'))]} Services and"),
    ("00-setup", lambda: f"and {WORDS[len(only(V1, 'Deployment'))]} Deployments"),
    ("00-setup", lambda: f"so expect {WORDS[replicas()]} in all"),
    ("02-canary", lambda: f"0.9¹⁰ = {100 * 0.9**10:.0f} %"),
    ("02-canary", lambda: f"about {100 * 0.9**10:.0f} tens with none"),
    (
        "02-canary",
        lambda: "a thousand give you {:.0f} to {:.0f}".format(*(100 * s for s in wilson(100, 1000))),
    ),
    ("02-canary", lambda: f"the share is 10 of 90: {percent(10 / 90)}"),
    ("03-weight-lab", lambda: f"some {requests_needed(0.1, 1 / 3)} |"),
    ("03-weight-lab", lambda: f"some {round(requests_needed(0.2, 0.1), -2):,} |"),
    ("05-promote", lambda: f"{1000 * wanted.V3_FAILURES:.0f} of a thousand"),
    ("05-promote", lambda: f"the {percent(wanted.V3_FAILURES)} that should fail"),
    ("05-promote", lambda: f"from the {percent(wanted.UNROUTED_FAILURES)} that would"),
    ("06-progressive-delivery", lambda: f"Expect {WORDS[len(weights(V2_PLAN))]} weights"),
    ("06-progressive-delivery", lambda: f"the same steps: {', '.join(map(str, weights(V3_PLAN)))} %"),
    (
        "06-progressive-delivery",
        lambda: "{} of failures is healthy, {} is faulty".format(*limits(V2_PLAN, "success-rate")),
    ),
    ("06-progressive-delivery", lambda: "250 ms, with {} and {}".format(*limits(V2_PLAN, "latency"))),
    ("06-progressive-delivery", lambda: f"needs at least {needed()} requests to version 2"),
    ("07-argo-rollouts", lambda: f"a single failed one makes {59 / 60:.3f}"),
    ("11-users", lambda: f"0.9²⁰ = {100 * (1 - users.expected_to_meet(0.1, 20)):.0f} %"),
    ("11-users", lambda: f"there and back, {users.expected_flips(0.1, 20):.1f} changes on average"),
    ("12-hidden-failures", lambda: f"(0.5³ = {100 * wanted.V3_ERRORS**3:.1f} %)"),
    ("12-hidden-failures", lambda: f"one that does {hidden_failures.TRIED} times its work"),
    ("14-outliers", lambda: f"one pod of three is {100 / outliers.PODS:.0f} %".capitalize()),
    ("14-outliers", lambda: f"Without ejections {100 * outliers.CANARY * wanted.V3_ERRORS:.0f} % of"),
    ("14-outliers", lambda: f"at {hidden_failures.TRIED} times the work"),
    ("14-outliers", lambda: f"than {100 * hidden_failures.TRIED:.0f}, more failures than"),
    ("14-outliers", lambda: f"failures than {100 * hidden_failures.HIDDEN:.0f} %"),
    ("06-progressive-delivery", lambda: f"seen {seen_pages(400):.0%}".replace("%", " %")),
    ("06-progressive-delivery", lambda: f"has seen {seen_pages(4000):.0%}".replace("%", " %")),
    ("13-a-little-ill", lambda: f"The plan asks for {fewest(HURRIED)} requests"),
    (
        "13-a-little-ill",
        lambda: f"at 5 % none of {fewest(HURRIED)} fails in {0.95 ** fewest(HURRIED):.0%}"[:-1],
    ),
    (
        "13-a-little-ill",
        lambda: f"waits for {fewest('', prices.strictest(delivery.read(HURRIED)))} that are well",
    ),
    ("13-a-little-ill", lambda: f"took the hurried plan {WORDS[round(of_healthy(HURRIED))]} seconds"),
    ("13-a-little-ill", lambda: f"In the simulation {through(HURRIED, 'fails 5 %')} % go through"),
    ("13-a-little-ill", lambda: f"at 10 % it gets {prices.RATE / 10:.0f} requests a second".capitalize()),
    ("13-a-little-ill", lambda: f"wait for {1000 * slow().each:.0f} ms: all is well, up to some hundred"),
    ("docs/evidence.md", lambda: f"| 147 | 279 | {requests_needed(0.2, 0.1)} |"),
]
"""What a notebook or a document says, with the figure computed."""


@pytest.mark.parametrize(("name", "said"), SAID)
def test_a_number_in_prose_is_computed(name: str, said: Callable[[], str]) -> None:
    assert said() in prose(name)


def test_the_strictest_plan_takes_half_a_minute() -> None:
    assert "half a minute in place of four seconds" in prose("13-a-little-ill")
    assert strictest_takes() == pytest.approx(30, abs=2)


def test_v3_is_what_the_notebooks_say_of_it() -> None:
    (deployment,) = only(V3, "Deployment")
    environment = {
        e["name"]: e["value"] for e in deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    assert float(environment["ERROR_RATE"]) == wanted.V3_ERRORS
    (canary,) = only("deploy/virtual-service-canary-v3.yaml", "VirtualService")
    shares = {d["destination"]["subset"]: d["weight"] for d in canary["spec"]["http"][0]["route"]}
    assert shares["name-v3"] / sum(shares.values()) * wanted.V3_ERRORS == wanted.V3_FAILURES


def test_what_the_answers_to_predictions_say_is_computed() -> None:
    once = 10 * 0.1 * 0.9**9
    assert "two times in five" in QUESTIONS["v2 answers in ten requests"].others
    assert once == pytest.approx(2 / 5, abs=0.02)
    low, high = 82, 118
    thousand = QUESTIONS["v2 answers in a thousand requests"].others
    assert f"between {low} and {high} nineteen times in twenty" in thousand
    assert at_least(low, 1000, 0.1) - at_least(high + 1, 1000, 0.1) == pytest.approx(0.95, abs=0.01)
    assert "moves 20 of a hundred by 8" in QUESTIONS["requests that tell 10 % from 20 %"].others
    assert 1.96 * math.sqrt(100 * 0.2 * 0.8) == pytest.approx(8, abs=0.5)
    assert QUESTIONS["time from 1 to 100 %"].expected == 3 * seconds_of_an_analysis()


def test_a_third_question_of_the_start_page() -> None:
    assert f"({percent(math.comb(10, 5) / 2**10)})" in prose("start")


def test_a_single_band_that_is_watched_misses_in_every_second_run() -> None:
    assert "true share behind in every second run" in prose("02-canary")
    assert 0.45 < standards.errors_under_watch(wilson, 0.1, 1000) < 0.55


def test_half_the_step_takes_four_times_the_requests() -> None:
    assert "four times as many for half the step" in prose("03-weight-lab")
    assert requests_needed(0.15, 0.1) / requests_needed(0.2, 0.1) == pytest.approx(4, rel=0.2)


def test_the_mark_needs_as_many_requests_as_was_simulated() -> None:
    """docs/evidence.md holds the medians of `scripts/bench --only marks`."""
    text, simulated = prose("03-weight-lab"), prose("docs/evidence.md")
    for change in ("10 → 20 %", "10 → 33 %"):
        median = number(rf"\| {change} \|[^|]*\| (\d+),", simulated)
        assert number(rf"\| {change} \| some (\d+) requests", text) == pytest.approx(median, abs=2)
    doubled = number(r"\| 10 → 20 % \|[^|]*\| (\d+),", simulated)
    assert number(r"Half of the time some (\d+) are enough", text) == doubled


def test_users_of_the_notebook_on_argo() -> None:
    text = prose("07-argo-rollouts")
    rate = number(r"lab\.watch\(rate=(\d+)\)", text)
    assert "half a minute holds some sixty requests" in text
    assert rate * 30 * 0.01 == 60
    assert "three quarters of a minute at each weight" in text
    assert seconds_of_an_analysis() == pytest.approx(45, abs=10)


def missing(true: float, n: int) -> float:
    """Return the probability that the 95 % interval of n answers does not hold the true share, exactly."""
    outside = [k for k in range(n + 1) if not wilson(k, n)[0] <= true <= wilson(k, n)[1]]
    return sum(at_least(k, n, true) - at_least(k + 1, n, true) for k in outside)


def test_how_many_tables_have_a_row_whose_interval_misses() -> None:
    """v3 gets a tenth of its row's requests; the rows of 0 and 100 % never miss."""
    rows = {(1 / 3, 600), (0.1, 1000), (wanted.V3_ERRORS, exercise.V3_REQUESTS // 10)}
    assert "One table in seven has a right row whose interval misses" in prose("docs/instructor.md")
    assert 1 - math.prod(1 - missing(*row) for row in rows) == pytest.approx(1 / 7, abs=0.02)


def test_what_the_instructor_plans_for() -> None:
    text, scaled_v2 = prose("docs/instructor.md"), 4
    assert number(r"room for (\d+) pods a learner", text) == replicas() + scaled_v2
    assert f"a table of {WORDS[len(exercise.TITLES)]} steps" in text


def minutes(name: str) -> int:
    return int(number(r"\*About (\d+) minutes", prose(name)))


NAMES = [source.stem for source in notebooks.sources()]


def test_the_minutes_of_the_kata_are_their_sum() -> None:
    text, total = prose("docs/instructor.md"), sum(minutes(name) for name in NAMES if name < "08")
    assert number(r"takes (\d+) minutes of work", text) == total
    assert number(r"without 07, (\d+)", text) == total - minutes("07-argo-rollouts")

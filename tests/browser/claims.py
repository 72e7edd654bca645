"""What the notebooks' text says of the numbers that a cell shows, and what the screen must hold for it.

A number that chance has a part in is tested at one in a million. Beside these sentences stands every
comparison of a prediction, whose third and fourth columns must agree.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from browser.walking import Seen
from kata_lib.course.exercises import question
from kata_lib.statistics.shares import at_least, at_most

NO_CHANCE = 1e-6

Holds = Callable[[Seen], bool]


@dataclass(frozen=True)
class Claim:
    """A sentence about a cell, which `part` of its code names; whether what is seen bears it out."""

    notebook: str
    part: str
    sentence: str
    holds: Holds


def shows(pattern: str) -> Holds:
    """Return what looks for a pattern in a cell's text."""
    return lambda seen: re.search(pattern, seen.text) is not None


def pictured(pattern: str) -> Holds:
    """Return what looks for a pattern in the words of a cell's pictures."""
    return lambda seen: any(re.search(pattern, words) for words in seen.pictures)


def times(number: int, pattern: str) -> Holds:
    """Return what counts a pattern in a cell's text."""
    return lambda seen: len(re.findall(pattern, seen.text)) == number


def drawn(pattern: str, share: float, of: int) -> Holds:
    """Return what asks whether the number that a pattern finds is a count out of so many at that share."""

    def holds(seen: Seen) -> bool:
        found = re.search(pattern, seen.text)
        return found is not None and is_likely(int(found[1].replace(",", "")), of, share)

    return holds


def at_share(share: float) -> Holds:
    """Return what asks whether chance could make the first share that is shown, such as 9.7 % of 300."""

    def holds(seen: Seen) -> bool:
        found = re.search(r"([\d.]+) % of ([\d,]+)", seen.text)
        n = int(found[2].replace(",", "")) if found else 0
        return found is not None and is_likely(round(float(found[1]) * n / 100), n, share)

    return holds


def is_likely(count: int, n: int, share: float) -> bool:
    """Return whether chance could make that count out of n at a true share."""
    return min(at_least(count, n, share), at_most(count, n, share)) > NO_CHANCE


def _a_tenth_or_less(seen: Seen) -> bool:
    """Return whether all at once costs ten times the errors or more, as far as chance allows."""
    canary, everyone = (int(n) for n in re.findall(r"(\d+)\.", seen.text))
    return everyone >= canary and at_least(canary, everyone, 0.1) > NO_CHANCE


def _fewer_step_by_step(seen: Seen) -> bool:
    step_by_step, all_at_once = (int(n) for n in re.findall(r": (\d+)", seen.text))
    return step_by_step < all_at_once


def _budgeted(seen: Seen) -> bool:
    """Return whether retries were fewer, and failures more, than without a budget."""
    found = re.search(r"(?s)failed: ([\d.]+) %.*to it: (\d+)", seen.text)
    return found is not None and float(found[1]) > 6 and int(found[2]) < 175


CLAIMS = (
    Claim("00-setup", 'lab.apply("deploy/v1")', "six lines that end in *created*", times(6, r"created\b")),
    Claim("00-setup", "lab.pods()", "expect four in all", times(4, r"\b2/2\b")),
    Claim(
        "00-setup", "lab.sample(requests=1)", "without it, the answer is from version 1", shows(r"v1\s+200\b")
    ),
    Claim("01-deploy", "print(lab.share(alone))", "Expect none", shows(r"\b0\.0 % of 100\b")),
    Claim("01-deploy", "print(lab.share(alone))", "leaves a little room", shows(r"\(0\.0 % to 3\.\d %\)")),
    Claim("02-canary", "value_counts()", "about 35 tens with none", drawn(r"tens\s+(\d+)", 0.9**10, 100)),
    Claim("02-canary", "lab.expected_share()\n", "10 of 90: 11.1 %", shows(r"'v2': 0\.111")),
    Claim("03-weight-lab", "requests_needed", "| some 1,200 |", shows(r"1,164 requests")),
    Claim(
        "03-weight-lab",
        "standards.compare()",
        "The third column is what comes of the wrong use",
        shows(r"49\.5 %"),
    ),
    Claim(
        "03-weight-lab", "rules.get(name=", "Read the rule, and find the weights in it", shows(r"\(80, 20\)")
    ),
    Claim(
        "03-weight-lab", "rules.replace", "left at the canary's 10 %", shows(r"'name-v1': 90, 'name-v2': 10")
    ),
    Claim(
        "04-observe",
        '.loc["source"]',
        "What `sentences` sent, by whom it went to",
        shows(r"(?s)sentences.*age.*name-v2"),
    ),
    Claim(
        "04-observe",
        '.loc["destination"]',
        "one line that the first table did not have",
        shows(r"sentences\s+v1\s+200\s+500"),
    ),
    Claim("04-observe", "mesh-agrees", "the mesh does not estimate, it counts", shows(r"mesh-agrees: right")),
    Claim(
        "04-observe",
        "graph.draw",
        "Expect 50 % twice behind `sentences`",
        pictured(r"(?:sentences v1 to service \w+: 50\.0 %.*){2}"),
    ),
    Claim("05-promote", "print(lab.share(promoted))", "version 2 gets everything", shows(r"100\.0 % of 300")),
    Claim(
        "05-promote",
        "value_counts()",
        "what users see is the 502 of `sentences`",
        shows(r"HTTP 502: name answered 500"),
    ),
    Claim(
        "05-promote",
        "telemetry.by_version",
        "every error in the row of v3",
        shows(r"(?s)v2\s.*?\)\s+0\s.*v3\s.*?\)\s+[1-9]"),
    ),
    Claim("05-promote", "All at once", "About ten times as many or more", _a_tenth_or_less),
    Claim(
        "05-promote", 'lab.check("rolled-back"', "Everyone is where it worked", shows(r"rolled-back: right")
    ),
    Claim(
        "06-progressive-delivery",
        ".without(lab.uncounted())\nplan",
        "Expect four weights",
        times(4, r"setWeight:"),
    ),
    Claim(
        "06-progressive-delivery",
        "delivery.start(lab.cluster, plan)",
        "at least 17 requests to version 2",
        shows(r"needs 17 requests"),
    ),
    Claim(
        "06-progressive-delivery",
        "chances.table",
        "about one release of four",
        shows(r"fails 5\.0 %, stable 0\.1 %\s+2\d\.\d %"),
    ),
    Claim(
        "06-progressive-delivery",
        "Step by step",
        "every request goes to version 3 in that time",
        _fewer_step_by_step,
    ),
    Claim("08-gateway", 'concurrency=4, through="gateway")))', "Expect ten percent", at_share(0.1)),
    Claim("08-gateway", 'print("inside"', "one weight moves both", times(2, r"'v2': 0\.3")),
    Claim(
        "09-gateway-api",
        "compared.differences",
        "Three values stand there only now",
        shows(r"(?s)routes\[0\]\.name.*INTERNAL_SERVER_ERROR"),
    ),
    Claim(
        "10-blue-green", 'by-service.yaml")\nprint', "All of them on v2 again", shows(r"\b100\.0 % of 100\b")
    ),
    Claim("11-users", "users.flips(by_pods)", "Expect nobody to change sides", shows(r"version: 0;")),
    Claim(
        "12-hidden-failures",
        "given_up[",
        "answers 504 for it (`UT`, upstream time-out)",
        shows(r"504\s+UT\b"),
    ),
    Claim("12-hidden-failures", "given_up[", "code 0, `DC`", shows(r"\b0\s+DC\b")),
    Claim(
        "12-hidden-failures",
        "lab.trace(requests=40)",
        "one hollow bar for `name`",
        pictured(r"^(?!(?:.*sentences asks name){2}).*sentences asks name"),
    ),
    Claim("14-outliers", "runs.until", "stays for millions", shows(r"5%': '\d,\d{3},\d{3} requests")),
    Claim("14-outliers", 'groupby(["service", "code"', "(flag `UO`, overflow)", shows(r"503\s+UO\b")),
    Claim("14-outliers", "attempts at v3 for", "Fewer attempts than 175, more failures than 6 %", _budgeted),
)


def broken(notebook: str, source: str, seen: Seen) -> list[str]:
    """Return the sentences about a cell that what is seen does not bear out."""
    of_this = [claim for claim in CLAIMS if claim.notebook == notebook and claim.part in source]
    return [claim.sentence for claim in of_this if not claim.holds(seen)]


def far_off(seen: Seen) -> list[dict[str, str]]:
    """Return the comparisons whose result chance does not explain and of which the screen does not say so."""
    tables = (table for table in seen.tables if table[0][:2] == ["question", "you said"])
    rows = (dict(zip(*table, strict=True)) for table in tables)
    return [row for row in rows if not _agrees(row) and "But look: expected is" not in seen.text]


def _agrees(row: dict[str, str]) -> bool:
    asked = question(row["question"])
    if asked.expected is None:
        return True
    value, of = _number(row["seen"]), re.search(r"% of ([\d,]+)", row["seen"])
    if asked.out_of is None:
        return abs(value - asked.expected) <= asked.rough * asked.expected
    n = int(of[1].replace(",", "")) if of else asked.out_of
    return is_likely(round(value * n / asked.out_of), n, asked.expected / asked.out_of)


def _number(text: str) -> float:
    found = re.match(r"[\d,.]+", text)
    assert found, text
    return float(found[0].replace(",", ""))

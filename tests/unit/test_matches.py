"""kata_lib.mesh.matches, of conditions that no VirtualService can write; others meet real Envoys."""

import pytest

from kata_lib.mesh.matches import Match, Request, fits, takes, text


def header(**match: object) -> Match:
    return {"prefix": "/", "headers": [{"name": "X-Test", **match}]}


@pytest.mark.parametrize(
    ("match", "hit", "miss", "said"),
    [
        ({"path_separated_prefix": "/a"}, Request("/a/b"), Request("/ab"), "path is below /a"),
        ({"path": "/A", "case_sensitive": False}, Request("/a"), Request("/b"), "path is /A"),
        (
            header(string_match={"suffix": "z"}),
            Request(headers={"x-test": "yz"}),
            Request(headers={"x-test": "zy"}),
            "header X-Test ends in z",
        ),
        (
            header(string_match={"contains": "Y", "ignore_case": True}),
            Request(headers={"x-test": "xyz"}),
            Request(headers={"x-test": "x"}),
            "header X-Test contains Y",
        ),
        (
            header(present_match=False),
            Request(),
            Request(headers={"x-test": "x"}),
            "header X-Test is missing",
        ),
        (
            header(string_match={"exact": "x"}, invert_match=True),
            Request(headers={"x-test": "y"}),
            Request(),
            "not header X-Test is x",
        ),
    ],
)
def test_what_envoy_matches(match: Match, hit: Request, miss: Request, said: str) -> None:
    assert takes(match, hit)
    assert not takes(match, miss)
    assert text(match) == said


def test_a_condition_that_a_request_alone_does_not_tell_does_not_hold() -> None:
    match = {"prefix": "/", "tls_context": {"presented": True}}
    assert not takes(match, Request())
    assert text(match) == "tls_context"


def test_an_expression_that_only_envoy_knows_fits_nothing() -> None:
    assert fits("/a1", "/a[0-9]")
    assert not fits("/a12", "/a[0-9]")
    assert not fits("a", r"\pL(")

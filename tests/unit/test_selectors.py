"""Selectors: what kubectl's -l and --field-selector choose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kata_lib.engines.embedded.registry.selectors import (
    combined,
    field_selector,
    label_selector,
    selector_object,
    selector_text,
)
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.registry.table import RESOURCES

LABELS = {"app": "name", "version": "v2", "weight": "10"}


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("", True),
        ("app=name", True),
        ("app==name,version=v1", False),
        ("version!=v1", True),
        ("team!=blue", True),
        ("version in (v1, v2)", True),
        ("version notin (v1,v2)", False),
        ("team notin (blue)", True),
        ("app", True),
        ("!team", True),
        ("!app", False),
        ("app,version in (v2),!team", True),
        ("weight>5", True),
        ("weight<5", False),
        ("team>5", False),
        ("app=", False),
        ("app in ()", False),
        ("app in (name,)", True),
        ("kubernetes.io/service-name=name", False),
    ],
)
def test_label_selector(text: str, chosen: bool) -> None:
    assert label_selector(text)(LABELS) is chosen


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a=(", "unable to parse requirement: found '(', expected: identifier"),
        ("a in v1", "unable to parse requirement: found 'v1' expected: '('"),
        ("a in", "unable to parse requirement: found '' expected: '('"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("!!a", "unable to parse requirement: found '!', expected: identifier"),
        ("a notin (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        (
            "a>x",
            'unable to parse requirement: values[0]: Invalid value: "x": '
            "for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        ("a==b==c", "found '==', expected: ',' or 'end of string'"),
        ("a=b,,c=d", "found ',', expected: identifier after ','"),
        ("a!b", "unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt"),
        ("(a)", "found '(', expected: !, identifier, or 'end of string'"),
        ("a in (b) c", "found 'c', expected: ',' or 'end of string'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("a gt 3", "unable to parse requirement: found 'gt', expected: in, notin, =, ==, !=, gt, lt"),
    ],
)
def test_what_is_no_label_selector_is_refused_as_a_real_server_does(text: str, words: str) -> None:
    with pytest.raises(StatusError) as refused:
        label_selector(text)
    assert (refused.value.code, refused.value.message) == (400, words)


def test_selector_object() -> None:
    selector = {
        "matchLabels": {"app": "name"},
        "matchExpressions": [
            {"key": "version", "operator": "In", "values": ["v1", "v2"]},
            {"key": "team", "operator": "DoesNotExist"},
        ],
    }
    assert selector_object(selector)(LABELS)
    assert not selector_object(selector)({**LABELS, "team": "blue"})
    assert not selector_object(None)({})
    assert selector_object({})({})
    assert selector_text(selector) == "!team,app=name,version in (v1,v2)"


keys = st.sampled_from(["app", "version", "kata/team"])
values = st.sampled_from(["v1", "v2", "name"])
expressions = st.one_of(
    st.fixed_dictionaries(
        {
            "key": keys,
            "operator": st.sampled_from(["In", "NotIn"]),
            "values": st.lists(values, min_size=1, max_size=3, unique=True),
        }
    ),
    st.fixed_dictionaries({"key": keys, "operator": st.sampled_from(["Exists", "DoesNotExist"])}),
)


@given(
    st.dictionaries(keys, values),
    st.dictionaries(keys, values),
    st.lists(expressions, max_size=3),
)
def test_a_selector_and_its_text_choose_the_same(
    labels: dict[str, str], match: dict[str, str], found: list[dict[str, object]]
) -> None:
    selector = {"matchLabels": match, "matchExpressions": found}
    assert selector_object(selector)(labels) == label_selector(selector_text(selector))(labels)


def test_field_selector() -> None:
    pods = RESOURCES["pods"]
    pod = {"metadata": {"name": "a", "namespace": "default"}, "status": {"phase": "Running"}}
    assert field_selector("status.phase=Running,metadata.name==a", pods)(pod)
    assert not field_selector("status.phase!=Running", pods)(pod)
    assert field_selector("spec.nodeName=", pods)(pod)
    with pytest.raises(StatusError, match=r"^field label not supported: spec\.colour$"):
        field_selector("spec.colour=blue", pods)


def test_an_event_is_found_by_what_it_is_about() -> None:
    event = {
        "metadata": {"name": "a.1"},
        "involvedObject": {"kind": "Pod"},
        "source": {"component": "kubelet"},
    }
    chosen = combined(RESOURCES["events"], None, "involvedObject.kind=Pod,source=kubelet")
    assert chosen(event)

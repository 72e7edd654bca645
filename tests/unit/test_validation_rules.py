"""CEL rules of custom resources' schemas: what breaks one, and in which words."""

import subprocess
import sys
from typing import Any

import pytest

from kata_lib.engines.embedded.registry.schemas import Rule, Schema
from kata_lib.engines.embedded.registry.validation import rules

TEXT = Schema(type="string")


def ruled(schema: Schema, *found: Rule) -> Schema:
    fields = {name: getattr(schema, name) for name in Schema.__slots__}
    return Schema(**{**fields, "rules": found})


def said(schema: Schema, value: Any, old: Any = None) -> list[tuple[str, str]]:
    whole = Schema(type="object", properties={"spec": schema})
    before = None if old is None else {"spec": old}
    return [(cause.field, cause.message) for cause in rules.check(whole, {"spec": value}, before)]


def test_a_broken_rule_says_its_message_or_itself() -> None:
    assert said(ruled(TEXT, Rule("self != 'a'", "not a")), "a") == [("spec", 'Invalid value: "a": not a')]
    assert said(ruled(TEXT, Rule("self != 'a'")), "a") == [
        ("spec", "Invalid value: \"a\": failed rule: self != 'a'")
    ]
    assert said(ruled(TEXT, Rule("self != 'a'", "not a")), "b") == []


def test_a_message_may_be_made_of_the_value() -> None:
    rule = Rule("self < 5", "too large", message_expression="'found ' + string(self)")
    assert said(ruled(Schema(type="integer"), rule), 7) == [("spec", "Invalid value: 7: found 7")]


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("FieldValueForbidden", "Forbidden: no"),
        ("FieldValueRequired", "Required value: no"),
        ("FieldValueDuplicate", "Duplicate value"),
    ],
)
def test_a_rule_may_have_another_reason_and_blame_a_field(reason: str, message: str) -> None:
    schema = ruled(
        Schema(type="object", properties={"name": TEXT}),
        Rule("has(self.name)", "no", reason=reason, field_path=".name"),
    )
    assert said(schema, {}) == [("spec.name", message)]


def test_a_rule_of_the_step_from_one_state_to_the_next_waits_for_the_second() -> None:
    schema = ruled(TEXT, Rule("self == oldSelf", "is fixed"))
    assert said(schema, "a") == []
    assert said(schema, "a", "a") == []
    assert said(schema, "b", "a") == [("spec", 'Invalid value: "b": is fixed')]


def test_items_of_a_keyed_list_have_a_past() -> None:
    item = Schema(
        type="object",
        properties={"name": TEXT, "size": ruled(Schema(type="integer"), Rule("self >= oldSelf", "shrinks"))},
    )
    schema = Schema(type="array", items=item, list_type="map", keys=("name",))
    old = [{"name": "a", "size": 1}, {"name": "b", "size": 5}]
    new = [{"name": "b", "size": 4}, {"name": "a", "size": 1}, {"name": "c", "size": 0}]
    assert said(schema, new, old) == [("spec[0].size", "Invalid value: 4: shrinks")]


def test_values_of_a_map_and_names_that_the_language_keeps_for_itself() -> None:
    inner = Schema(type="object", properties={"namespace": TEXT, "a-b": TEXT})
    schema = Schema(
        type="object", values=ruled(inner, Rule("self.__namespace__ == self.a__dash__b", "differ"))
    )
    assert said(schema, {"x": {"namespace": "a", "a-b": "a"}}) == []
    assert said(schema, {"x": {"namespace": "a", "a-b": "b"}}) == [("spec[x]", "Invalid value: differ")]


@pytest.mark.parametrize(
    ("rule", "value", "why"),
    [
        (
            "duration(self) > duration('1s')",
            "5 minutes",
            "type conversion error from 'string' to 'google.protobuf.Duration'",
        ),
        (
            "timestamp(self) > timestamp('2020-01-01T00:00:00Z')",
            "now",
            "type conversion error from 'string' to 'google.protobuf.Timestamp'",
        ),
        ("int(self) > 1", "x", "type conversion error from 'string' to 'int'"),
    ],
)
def test_what_a_rule_cannot_be_applied_to(rule: str, value: str, why: str) -> None:
    assert said(ruled(TEXT, Rule(rule, "m")), value) == [
        ("spec", f'Invalid value: "string": {why} evaluating rule: m')
    ]


def test_the_evaluator_is_loaded_by_the_first_value_that_meets_a_rule() -> None:
    """It costs the daemon 13 MB, which most clusters need not pay: a class's status is written in each."""
    script = """if True:
        import sys
        from kata_lib.engines.embedded.registry.schemas import Rule, Schema, schema_for
        from kata_lib.engines.embedded.registry.validation import rules, structural
        fixed = Schema(type="string", rules=(Rule("self == oldSelf"),))
        made = {"controllerName": "istio.io/gateway-controller"}
        assert not [*rules.check(Schema(type="object", properties={"controllerName": fixed}), made, made)]
        route = {"route": [{"destination": {"host": "a"}}]}
        for rule, loaded in ((route, False), ({**route, "timeout": "1s"}, True)):
            obj = {"metadata": {"name": "a"}, "spec": {"hosts": ["a"], "http": [rule]}}
            assert structural.check(schema_for("virtualservices"), obj) == []
            assert ("cel_expr_python" in sys.modules) is loaded
    """
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)

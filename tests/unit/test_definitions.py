"""CustomResourceDefinitions in parts: paths of columns, versions' order, names, formats, and keys."""

from typing import Any

import pytest
from control_plane import make_registry

from kata_lib.engines.embedded.controllers import DefinitionController
from kata_lib.engines.embedded.registry import crds
from kata_lib.engines.embedded.registry.crds.formats import fits
from kata_lib.engines.embedded.registry.crds.stability import by_stability
from kata_lib.engines.embedded.registry.custom_resources import ensure_definitions
from kata_lib.engines.embedded.registry.jsonpath import BadPath, compiled
from kata_lib.engines.embedded.registry.patches import APPLY_PATCH
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.schemas import Rule, Schema
from kata_lib.engines.embedded.registry.served import Resources
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.registry.validation import patterns, rules
from kata_lib.engines.embedded.store import Obj

THING: Obj = {
    "spec": {"a": 1, "list": [{"n": "x", "v": 1}, {"n": "y", "v": 2}], "dotted.name": "d"},
    "metadata": {"labels": {"app.kubernetes.io/name": "l"}},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.a", 1),
        (".spec.list[0].n", "x"),
        (".spec.list[-1].n", "y"),
        (".spec.list[*].v", 1),
        (".spec.list[].v", 1),
        ('.spec.list[?(@.n=="y")].v', 2),
        (".spec.list[?(@.v==2)].n", "y"),
        ('.spec.list[?(@.n!="x")].v', 2),
        (".spec['dotted.name']", "d"),
        (r".metadata.labels.app\.kubernetes\.io/name", "l"),
        (".spec.nothing.at.all", None),
        (".spec.list[7]", None),
        (".spec.a.b", None),
    ],
)
def test_the_paths_of_columns(path: str, found: Any) -> None:
    assert compiled(path)(THING) == found


@pytest.mark.parametrize("path", [".spec[", ".spec..a", ".list[1:2]", ".a[?(@.b>1)]", "spec a"])
def test_paths_that_are_not_understood(path: str) -> None:
    with pytest.raises(BadPath, match="is not understood"):
        compiled(path)


def test_versions_are_ordered_as_kubernetes_documents_it() -> None:
    ordered = [
        "v10",
        "v2",
        "v1",
        "v11beta2",
        "v10beta3",
        "v3beta1",
        "v12alpha1",
        "v11alpha2",
        "foo1",
        "foo10",
    ]
    assert by_stability(sorted(ordered)) == ordered


@pytest.mark.parametrize(
    ("format_", "good", "bad"),
    [
        ("date-time", "2026-01-31T12:00:00.5Z", "2026-01-31"),
        ("date", "2026-01-31", "2026-02-31"),
        ("email", "a@example.com", "nobody"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", "10.0.0.1"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
        ("hostname", "example.com", "-a"),
        ("mac", "00:00:5e:00:53:01", "00:00"),
        ("byte", "YQ==", "*"),
        ("uri", "https://example.com/a", "nothing"),
        ("duration", "1h30m", "soon"),
    ],
)
def test_formats(format_: str, good: str, bad: str) -> None:
    assert (fits(format_, good), fits(format_, bad)) == (True, False)
    assert fits("unheard-of", bad)


def definition(plural: str, kind: str, group: str = "example.com", **names: Any) -> Obj:
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}},
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind, **names},
            "versions": [version],
        },
    }


def define(registry: Registry, obj: Obj) -> Obj:
    """Create a definition and let the controller look at it."""
    made = registry.create(crds.KEY, None, obj, manager="test")
    DefinitionController(registry).reconcile(made["metadata"]["name"])
    return registry.get(crds.KEY, None, made["metadata"]["name"])


def test_a_name_is_given_once_and_again_when_it_is_free() -> None:
    registry = make_registry()
    define(registry, definition("widgets", "Widget", shortNames=["w"]))
    second = define(registry, definition("wheels", "Wheel", shortNames=["w"]))
    assert not crds.is_true(second, "Established")
    assert "wheels.example.com" not in registry.resources
    registry.delete(crds.KEY, None, "widgets.example.com")
    controller = DefinitionController(registry)
    controller.reconcile("widgets.example.com")
    controller.reconcile("wheels.example.com")
    assert crds.is_true(registry.get(crds.KEY, None, "wheels.example.com"), "Established")
    assert "wheels.example.com" in registry.resources


def test_a_kind_may_be_called_as_one_of_kubernetes_own() -> None:
    registry = make_registry()
    define(registry, definition("services", "Service", "serving.example.com"))
    key = "services.serving.example.com"
    made = registry.create(key, "default", {"metadata": {"name": "a"}, "spec": {"a": "b"}}, manager="test")
    assert made["apiVersion"] == "serving.example.com/v1"
    assert made["spec"] == {"a": "b"}
    assert "status" not in made
    assert registry.list("services") == []
    found = registry.resources.find("serving.example.com", "v1", "services")
    assert found
    assert found.key == key
    assert registry.resources.get("services").group == ""


def test_definitions_are_served_again_by_whoever_opens_the_store() -> None:
    registry = make_registry()
    define(registry, definition("widgets", "Widget"))
    again = Resources(registry.store)
    assert again.of_kind("example.com/v1", "Widget") == registry.resources.of_kind("example.com/v1", "Widget")


@pytest.mark.parametrize("name", ["virtualservices.networking.istio.io", "envoyfilters.networking.istio.io"])
def test_the_kinds_that_are_there_cannot_be_defined_anew(name: str) -> None:
    plural, _, group = name.partition(".")
    with pytest.raises(StatusError) as refused:
        make_registry().create(crds.KEY, None, definition(plural, "Other", group), manager="test")
    assert refused.value.code in (403, 409)


@pytest.mark.parametrize("plural", ["virtualservices", "httproutes"])
def test_installing_what_is_there_changes_nothing_and_says_so(plural: str) -> None:
    registry = make_registry()
    ensure_definitions(registry)
    name = next(n for _, n in registry.store.names(crds.KEY) if n.startswith(f"{plural}."))
    before = registry.get(crds.KEY, None, name)
    other = definition(plural, "Other", name.partition(".")[2])
    warnings: list[str] = []
    put = registry.update(crds.KEY, None, name, other, manager="test", warnings=warnings)
    applied = registry.patch(
        crds.KEY, None, name, other, content_type=APPLY_PATCH, manager="test", warnings=warnings
    )
    assert put == applied == before == registry.get(crds.KEY, None, name)
    assert warnings == [f"{name} is the embedded engine's own and stays as it is"] * 2


@pytest.mark.parametrize(
    ("rule", "value", "holds"),
    [
        ("isIP(self)", "10.0.0.1", True),
        ("isIP(self)", "10.0.0", False),
        ("ip(self).family() == 6", "::1", True),
        ("isCIDR(self)", "10.0.0.0/8", True),
        ("isCIDR(self)", "10.0.0.0", False),
        ("isURL(self)", "https://example.com", True),
        ("isURL(self)", "nothing", False),
        ("self.find('[0-9]+') == '12'", "a12b3", True),
        ("self.findAll('[0-9]+').size() == 2", "a12b3", True),
        ("self.?a.orValue('b') == 'b'", {}, True),
    ],
)
def test_functions_of_rules(rule: str, value: Any, holds: bool) -> None:
    schema = Schema(rules=(Rule(rule),))
    assert bool([*rules.check(schema, value)]) is not holds


def test_a_rule_with_a_function_that_is_not_there_is_refused_by_name() -> None:
    assert rules.problem("isIP(self)") == ""
    assert "undeclared reference to 'quantity'" in rules.problem("quantity(self) == quantity('1')")


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [("^[a-z]+$", "abc", "A"), (r"^\p{L}+$", "äbc", "1"), ("^a(?i)b$", "aB", "AB")],
)
def test_patterns(pattern: str, good: str, bad: str) -> None:
    assert patterns.problem(pattern) == ""
    assert (patterns.fits(pattern, good), patterns.fits(pattern, bad)) == (True, False)


def test_what_is_no_pattern() -> None:
    assert patterns.problem("(a") == "error parsing regexp: missing closing ): `(a`"
    assert patterns.problem("[a").startswith("error parsing regexp: ")


def test_an_object_is_kept_with_a_warning_while_no_controller_watches_its_kind() -> None:
    registry = make_registry()
    define(registry, definition("canaries", "Canary", "flagger.app"))

    def warnings_for(name: str) -> list[str]:
        found: list[str] = []
        canary: Obj = {"metadata": {"name": name}}
        registry.create("canaries.flagger.app", "default", canary, manager="test", warnings=found)
        return found

    end = registry.subscribe(lambda event: None, {"canaries.flagger.app"})
    assert warnings_for("watched") == []
    end()
    why = "this Canary is kept and nothing comes of it: no controller watches canaries.flagger.app"
    assert warnings_for("unwatched") == [why]

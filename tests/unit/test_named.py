"""Each command and call that a message, a document or a notebook names is there, with its arguments."""

import ast
import inspect
import shlex
from collections.abc import Mapping
from math import inf
from typing import Any

import pytest
from named import BLANK, Named, calls, commands

from kata_lib import (
    addons,
    argo,
    cli,
    delivery,
    endings,
    graph,
    live,
    manifests,
    meeting,
    overview,
    plots,
    shares,
    standards,
    telemetry,
    users,
)
from kata_lib.delivery import chances, other_rules, prices, trials
from kata_lib.delivery.argo.handle import ArgoRollout
from kata_lib.lab.lab import Lab
from kata_lib.traffic import Sampler

THERE: dict[str, list[Any]] = {
    "addons": [addons],
    "argo": [argo],
    "chances": [chances],
    "crowd": [Sampler],
    "delivery": [delivery],
    "endings": [endings],
    "graph": [graph],
    "lab": [Lab],
    "live": [live],
    "manifests": [manifests],
    "other_rules": [other_rules],
    "meeting": [meeting],
    "overview": [overview],
    "people": [live.LiveUsers],
    "plots": [plots],
    "prices": [prices],
    "release": [delivery.Release, ArgoRollout],
    "shares": [shares],
    "standards": [standards],
    "telemetry": [telemetry],
    "trials": [trials],
    "users": [users, Sampler],
}
"""What the names mean in a notebook: modules, and the classes of what its cells make."""

COMMANDS = sorted(set(commands()), key=str)
CALLS = sorted({call for call in calls() if call.words.partition(".")[0] in THERE}, key=str)


def wrong_word(command: Any, words: list[str], shared: Mapping[str, Any]) -> str:
    """Return the first of the words that a command does not take, "" where it takes them all.

    command: Typer's. shared: the options that stand after every command too, by name.
    """
    options = {**shared, **{name: option for option in command.params for name in option.opts}}
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    places = inf if any(argument.nargs == -1 for argument in arguments) else len(arguments)
    left = iter(words)
    for word in left:
        name, _, value = word.partition("=")
        if name == "--help" or word == "..." or word == BLANK:
            continue
        if name.startswith("-"):
            if name not in options:
                return word
            if not value and not options[name].is_flag:
                next(left, None)
        elif commands_below := getattr(command, "commands", None):
            return wrong_word(commands_below[word], list(left), shared) if word in commands_below else word
        elif (places := places - 1) < 0:
            return word
    return ""


@pytest.mark.parametrize("named", COMMANDS, ids=str)
def test_a_command_that_is_named_is_there(named: Named) -> None:
    kata = cli.app
    words = [word.strip("[]") for word in shlex.split(named.words)]
    shared = {name: option for option in kata.params for name in option.opts}
    assert wrong_word(kata, words[1:], shared) == ""


@pytest.mark.parametrize("named", CALLS, ids=str)
def test_a_call_that_is_named_is_there(named: Named) -> None:
    match ast.parse(named.words, mode="eval").body:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name))) as call:
            assert any(takes(place, call) for place in THERE[name])
        case _:
            pytest.fail("this is no call")


def takes(place: Any, call: ast.Call) -> bool:
    """Return whether a module or a class has what is called, and whether that takes the arguments."""
    assert isinstance(call.func, ast.Attribute)
    given = [None, *call.args] if inspect.isclass(place) else call.args
    if any(isinstance(argument, ast.Constant) and argument.value is ... for argument in call.args):
        return hasattr(place, call.func.attr)
    named = {keyword.arg: None for keyword in call.keywords if keyword.arg}
    try:
        inspect.signature(getattr(place, call.func.attr)).bind(*given, **named)
    except (AttributeError, TypeError):
        return False
    return True


def test_what_is_named_is_found() -> None:
    assert Named("docs/clusters.md", "kata addons open kiali") in COMMANDS
    assert len(COMMANDS) > 60
    assert len(CALLS) > 60
    kata = cli.app
    assert wrong_word(kata, ["release", "begin"], {}) == "begin"
    assert wrong_word(kata, ["weights", "a=1", "--wait-for"], {}) == "--wait-for"

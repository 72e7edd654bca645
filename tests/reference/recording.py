"""What a real cluster answers, in the form that the files here keep it; scripts/record makes them.

What a cluster makes up (uids, times, addresses, versions of objects) becomes a mark such as <uid>.
"""

import json
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
COMMANDS = HERE / "kubectl"
EXCHANGES = HERE / "api"
NAMESPACE = "reference"
AGENT = "Python-urllib/3"
COMMAND_SECONDS = 90
NO_PAGE = "404 page not found\n"
NO_RESOURCE = "the server could not find the requested resource"

MADE_UP = [
    (re.compile(pattern, re.MULTILINE), mark)
    for pattern, mark in (
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uid>"),
        (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\b", "<time>"),
        (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<time>"),
        (r"\b([a-z][a-z0-9-]*?)-[0-9a-f]{6,10}-[a-z0-9]{5}\b", r"\1-<rs>-<pod>"),
        (r"\b((?:age|name|sentences|sleeper|hello)(?:-v\d)?)-[0-9a-f]{6,10}\b", r"\1-<rs>"),
        (r"\b((?:age|name|sentences|hello)(?:-v\d)?)-[a-z0-9]{5}\b", r"\1-<slice>"),
        (r"pod-template-hash[=:] ?\"?[0-9a-f]{6,10}\"?", "pod-template-hash=<rs>"),
        (r"\b\d{1,3}(\.\d{1,3}){3}\b", "<ip>"),
        (r"(Resource Version: +|resourceVersion: |\"resourceVersion\": ?)\"?\d+\"?", r"\1<rv>"),
        (r"(resourceVersion\\+\":\\+\")\d+", r"\1<rv>"),
        (r"(?<=resource version to be 1, was )\d+$", "<rv>"),
        (r":3[0-2]\d{3}/TCP", ":<nodeport>/TCP"),
        (r"\b(nodePort: |\"nodePort\": ?|NodePort: +(<unset>|\w+)? *)3[0-2]\d{3}", r"\1<nodeport>"),
        (r"(?<=\s)(\d+[smhd]){1,3}(?=\s|$|\))", "<age>"),
        (r"https://[\w.-]+:\d+", "https://<server>"),
        (r"/[\w./-]*/(LIVE|MERGED|kubectl-edit)-\d+", r"/tmp/\1"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4}", "<time>"),
    )
]
"""What a cluster makes up in kubectl's text, and the mark that stands for it; in this order."""

LOGGED = re.compile(r"[IWE]\d{4} \d\d:\d\d:\d\d\.\d+ ")
"""How a line of kubectl's own log begins: what it says of a watch that ends depends on the moment."""

OWNERS = re.compile(
    r"(?:^ - apiVersion: \S+\n fieldsType: FieldsV1\n(?:(?! - apiVersion: ).+\n)*? time: \"<time>\"\n)+"
    r"|(?:^\S+ (?:Apply|Update) \{.*\}(?:\n|\Z))+",
    re.MULTILINE,
)
"""The entries of managedFields, as YAML or a line each: by time in seconds, in one second by manager."""

MADE_UP_FIELDS = {
    "clusterIP": "<ip>",
    "creationTimestamp": "<time>",
    "deletionTimestamp": "<time>",
    "lastTransitionTime": "<time>",
    "resourceVersion": "<rv>",
    "time": "<time>",
    "uid": "<uid>",
}
"""The fields of objects whose values a cluster makes up."""

MADE_UP_TEXT = [
    (re.compile(pattern, re.DOTALL), mark)
    for pattern, mark in (
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uid>"),
        (r"(?<=ResourceVersion in object meta: )\d+", "<rv>"),
        (r'(?<=Invalid value: )"\{\\"apiVersion.*\}"(?=: )', "<object>"),
        (r"(?<=\(allow it to be set to 1 if it was previously negative\))\n@@.*", ""),
        (r'(?<=Invalid value: )"10\.96\.\d+\.\d+"(?=: expected)', '"<ip>"'),
        (r"(?<=-)[bcdfghjklmnpqrstvwxz2456789]{5}\b", "<random>"),
    )
]
"""What a cluster makes up in the texts of answers; how Go prints the difference of two pods is left out."""


def recorded_form(text: str, namespace: str, node: str) -> str:
    """Return kubectl's text as the recordings have it."""
    text = text.replace(namespace, "<ns>").replace(node, "<node>")
    for pattern, mark in MADE_UP:
        text = pattern.sub(mark, text)
    lines = [
        re.sub(r"[ \t]+", " ", line).rstrip()
        for line in text.splitlines()
        if not line.startswith("Waiting for ") and not LOGGED.match(line)
    ]
    return OWNERS.sub(_by_text, "\n".join(lines)).strip()


def _by_text(owners: re.Match[str]) -> str:
    """Return managedFields' entries in an order that does not depend on when a second begins."""
    text = owners[0].rstrip("\n")
    entries = re.split(r"\n(?= - apiVersion: |\S)", text)
    return "\n".join(sorted(entries)) + owners[0][len(text) :]


def play(command: str, environment: Mapping[str, str], node: str) -> dict[str, object]:
    """Run one line of a `.commands` file, in the NAMESPACE of the environment, and return its answer."""
    done = subprocess.run(
        ["bash", "-c", command],
        env=environment,
        cwd=COMMANDS,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    namespace = environment["NAMESPACE"]
    return {
        "command": command,
        "exit": done.returncode,
        "stdout": recorded_form(done.stdout, namespace, node),
        "stderr": recorded_form(done.stderr, namespace, node),
    }


def play_all(name: str, environment: Mapping[str, str], node: str) -> list[dict[str, object]]:
    """Return the answers to a `.commands` file; after its waits, commands show a later state."""
    answers = []
    for line in (COMMANDS / f"{name}.commands").read_text().splitlines():
        if line.startswith("## wait "):
            time.sleep(float(line.split()[2]))
        elif line and not line.startswith("#"):
            answers.append(play(line, environment, node))
    return answers


def exchanges(name: str) -> list[dict[str, Any]]:
    """Return the requests of a file of the `api` folder, each with its recorded answer."""
    found: list[dict[str, Any]] = json.loads((EXCHANGES / f"{name}.json").read_text())
    return found


def answer_of(code: int, warnings: list[str], text: str) -> dict[str, Any]:
    """Return the answer to a request of the API as the recordings have it.

    That nothing is at a path a real server says in plain text or as a Status: the code is kept.
    """
    answer: dict[str, Any] = {"code": code}
    if text == NO_PAGE or NO_RESOURCE in text:
        return answer
    body = json.loads(text)
    if warnings:
        answer["warnings"] = warnings
    if body.get("kind") == "Status":
        kept = {key: body[key] for key in ("status", "reason", "message", "details") if key in body}
        return {**answer, **_without_made_up(kept)}
    return answer | {"object": _without_made_up(body)}


def _without_made_up(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        kept = {name: item for name, item in value.items() if not _is_left_out(name, item, key)}
        return {name: _without_made_up(item, name) for name, item in sorted(kept.items())}
    if key == "verbs":
        return sorted(value)
    if key == "cells":
        return [_cell(item) for item in value]
    if key == "managedFields":
        owners = [_without_made_up(item) for item in value]
        return sorted(owners, key=lambda owner: json.dumps(owner, sort_keys=True))
    if isinstance(value, list):
        of_items = {"clusterIPs": "clusterIP", "columnDefinitions": "column"}
        return [_without_made_up(item, of_items.get(key, "")) for item in value]
    if isinstance(value, str) and value not in ("", "None") and key in MADE_UP_FIELDS:
        return MADE_UP_FIELDS[key]
    if key == "nodePort" and value:
        return "<nodeport>"
    if isinstance(value, str):
        for pattern, mark in MADE_UP_TEXT:
            value = pattern.sub(mark, value)
    return value


def _is_left_out(name: str, value: Any, parent: str) -> bool:
    """Whether a field of an answer is not compared: prose about columns, and what says nothing."""
    empty = (name == "continue" and not value) or (name == "object" and value is None)
    return empty or name == "storageVersionHash" or (parent == "column" and name == "description")


def _cell(value: Any) -> Any:
    """Return a cell of a table, in which an age or a time is a text like any other."""
    if isinstance(value, str) and re.fullmatch(r"(\d+[smhd]){1,2}", value):
        return "<age>"
    is_time = isinstance(value, str) and re.fullmatch(r"[\d-]+T[\d:]+Z", value)
    return "<time>" if is_time else _without_made_up(value)

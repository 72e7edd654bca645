"""What a screen reader reads: Chromium's own accessibility tree, of a part of a page.

The tree is asked for by the DevTools protocol's Accessibility.queryAXTree.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

LATE_SECONDS = 20
NAMED = {
    "DisclosureTriangle",
    "button",
    "checkbox",
    "combobox",
    "image",
    "link",
    "listbox",
    "menuitem",
    "progressbar",
    "radio",
    "searchbox",
    "slider",
    "spinbutton",
    "switch",
    "tab",
    "textbox",
}
"""Roles that say nothing without a name."""


@dataclass(frozen=True)
class Node:
    """A node of the tree: its role, its name, its value, and what it says unasked if it is a live region."""

    role: str
    name: str
    value: str
    spoken: str


class ScreenReader:
    """Reads one page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._chromium = page.context.new_cdp_session(page)
        self._chromium.send("DOM.enable")
        self._chromium.send("Accessibility.enable")

    def reads(self, selector: str, until: Callable[[list[Node]], bool]) -> list[Node]:
        """Return what is below the first element that the selector finds, [] where there is none.

        Chromium brings the tree up to date after the page: what `until` asks for is waited for, LATE_SECONDS
        at most.
        """
        limit = time.monotonic() + LATE_SECONDS
        while not until(nodes := self._below(selector)) and time.monotonic() < limit:
            self._page.wait_for_timeout(100)
        return nodes

    def _below(self, selector: str) -> list[Node]:
        root = self._chromium.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
        found = self._chromium.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
        if not found:
            return []
        tree = self._chromium.send("Accessibility.queryAXTree", {"nodeId": found})["nodes"]
        by_id = {node["nodeId"]: node for node in tree}
        return [_node(node, by_id) for node in tree if not node["ignored"]]


def nameless(nodes: list[Node]) -> list[str]:
    """Return the roles of what can only be called by its role."""
    return [node.role for node in nodes if node.role in NAMED and not node.name]


def _node(node: dict[str, Any], by_id: dict[str, Any]) -> Node:
    live = any(each["name"] == "live" for each in node.get("properties", []))
    role, name, value = (_said(node, part) for part in ("role", "name", "value"))
    return Node(role, name, value, spoken=_text(node, by_id) if live else "")


def _said(node: dict[str, Any], part: str) -> str:
    return str(node.get(part, {}).get("value", "")).strip()


def _text(node: dict[str, Any], by_id: dict[str, Any]) -> str:
    if _said(node, "role") == "StaticText":
        return _said(node, "name")
    return "".join(_text(by_id[child], by_id) for child in node["childIds"] if child in by_id)

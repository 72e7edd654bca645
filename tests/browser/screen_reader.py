"""What a screen reader reads: Chromium's own accessibility tree, of a part of a page."""

import re
from dataclasses import dataclass

from playwright.sync_api import Page

NAMED = {
    "button",
    "checkbox",
    "combobox",
    "image",
    "link",
    "listbox",
    "progressbar",
    "slider",
    "spinbutton",
    "textbox",
}
"""Roles that say nothing without a name."""


@dataclass(frozen=True)
class Node:
    """A node of the tree: its role, its name, and its value such as `10 percent to v2`."""

    role: str
    name: str
    value: str


class ScreenReader:
    """Reads one page."""

    def __init__(self, page: Page) -> None:
        self._chromium = page.context.new_cdp_session(page)
        self._chromium.send("DOM.enable")
        self._chromium.send("Accessibility.enable")

    def reads(self, selector: str) -> list[Node]:
        """Return what it finds below the first element that the selector finds, [] where there is none."""
        root = self._chromium.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
        found = self._chromium.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
        if not found:
            return []
        nodes = self._chromium.send("Accessibility.queryAXTree", {"nodeId": found})["nodes"]
        return [
            Node(*(str(node.get(part, {}).get("value", "")).strip() for part in ("role", "name", "value")))
            for node in nodes
            if not node["ignored"]
        ]


def nameless(nodes: list[Node]) -> list[str]:
    """Return the roles of what can only be called by its role."""
    return [node.role for node in nodes if node.role in NAMED and not node.name]


def unread(text: str, nodes: list[Node]) -> list[str]:
    """Return the words of a text that are in no name of the tree; a live view's numbers move on."""
    words = {word for node in nodes for word in node.name.split()}
    return [word for word in text.split() if word not in words and not re.search(r"\d", word)]

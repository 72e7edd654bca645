"""The rooms below the course's know nothing of this workshop: not its services, image, files or steps."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import kata_lib

ABOVE = ("course", "lab", "classroom", "cli")
ROOT = Path(kata_lib.__file__).parent
MODULES = [file for file in sorted(ROOT.rglob("*.py")) if file.relative_to(ROOT).parts[0] not in ABOVE]

WORDS = re.compile(r"\bsentences\b|SENTENCE_|deploy/|\bname-v\d|\(v\d\)|\bPorthos\b")
"""The application's entry and settings, where its manifests are, its subsets, the marks of its answers."""

SERVICE = "name"
"""The Service that the workshop releases: no parameter has it as a default."""


def _docstrings(tree: ast.Module) -> set[ast.AST]:
    """Return the nodes that are a docstring, or the words below a constant."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _literals(tree: ast.Module) -> Iterator[str]:
    passed_over = _docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in passed_over:
            yield node.value


def _defaults(tree: ast.Module) -> Iterator[object]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
                if isinstance(default, ast.Constant):
                    yield default.value


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_literal_is_of_the_workshop(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert [text for text in _literals(tree) if WORDS.search(text)] == []
    assert SERVICE not in set(_defaults(tree))


def test_the_words_are_found_where_they_are() -> None:
    of_course = [ast.parse(file.read_text()) for file in (ROOT / "course").glob("*.py")]
    assert any(WORDS.search(text) for tree in of_course for text in _literals(tree))
    assert SERVICE in set(_defaults(ast.parse('def find(service="name"): ...')))

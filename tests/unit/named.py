"""What texts tell people to type: the commands and the calls that messages, documents and notebooks name."""

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLANK = "BLANK"
"""What stands for a part that is filled in when a message is said."""

_QUOTED = re.compile(r"`([^`]+)`")
_TYPED = re.compile(r"^(?:    |\$ |)(?:\.venv/bin/)?(kata .+)$", re.MULTILINE)
_CALL = re.compile(r"^[a-z_]+\.[a-z_]+\(.*\)$")
_NEXT = re.compile(r"\s+(?:&&|\|\|?|&|;|>)(?:\s+|$)")


@dataclass(frozen=True)
class Named:
    """Words that a person may type, and the file that has them."""

    place: str
    words: str

    def __str__(self) -> str:
        return f"{self.place}: {self.words}"


def commands() -> Iterator[Named]:
    """Yield each `kata ...` that a text names."""
    for place, text, is_code in _texts():
        typed = [text] if is_code and text.startswith("kata ") else []
        for found in (*_QUOTED.findall(text), *([] if is_code else _TYPED.findall(text)), *typed):
            for command in _NEXT.split(found):
                if command.startswith("kata "):
                    yield Named(place, re.split(r"[,;:]\s", " ".join(command.split()))[0])


def calls() -> Iterator[Named]:
    """Yield each call such as `lab.pods()` that a text names or a cell holds."""
    for place, text, _ in _texts():
        yield from (Named(place, found) for found in _QUOTED.findall(text) if _CALL.match(found))
    for source in sorted((ROOT / "notebooks" / "src").glob("*.py")):
        for node in ast.walk(ast.parse(source.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name())):
                    yield Named(_name(source), ast.unparse(node))


@functools.cache
def _texts() -> list[tuple[str, str, bool]]:
    """Return each text with its place, and whether it is a literal of the library."""
    return list(_read())


def _read() -> Iterator[tuple[str, str, bool]]:
    for file in (*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))):
        yield _name(file), re.sub(r"  +# .*$", "", file.read_text(), flags=re.MULTILINE), False
    for file in sorted((ROOT / "notebooks" / "src").glob("*.py")):
        yield _name(file), re.sub(r"^# ?", "", file.read_text(), flags=re.MULTILINE), False
    for file in sorted((ROOT / "kata_lib").rglob("*.py")):
        yield from ((_name(file), text, True) for text in _literals(ast.parse(file.read_text())))


def _literals(tree: ast.Module) -> Iterator[str]:
    """Yield a module's string literals; what an f-string fills in is BLANK."""
    parts: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts |= set(ast.walk(node)) - {node}
            yield "".join(str(v.value) if isinstance(v, ast.Constant) else BLANK for v in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            yield node.value


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))

"""A prediction as people type it, such as 33 %, becomes Python before the cell runs."""

import ast
import re
import sys

_CALL = re.compile(r"""^(\s*lab\.predict\((["']).*?\2,\s*)(.+?)\)\s*$""")


def accept() -> None:
    """Take predictions without quotation marks from now on; outside of IPython nothing happens."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and (shell := ipython.get_ipython()):
        transforms = shell.input_transformers_cleanup
        if quoted not in transforms:
            transforms.append(quoted)


def quoted(lines: list[str]) -> list[str]:
    """Return a cell's lines with what is no Python number in a prediction as a text."""
    return [_quoted(line) for line in lines]


def _quoted(line: str) -> str:
    found = _CALL.match(line)
    return line if found is None or _is_one_value(found[3]) else f"{found[1]}{found[3]!r})\n"


def _is_one_value(text: str) -> bool:
    try:
        return not isinstance(ast.parse(text, mode="eval").body, ast.Tuple)
    except SyntaxError:
        return False

"""A widget's one script: the entry of a set of ES modules goes in, one ES module comes out, without a build.

Each module becomes a function that is called once, after those that it imports, and returns its exports; so
its names stay its own. A module may import by name from files beside it, and export functions, classes and
constants where they are declared. That is all that the views need, and anything else is refused.
"""

import re
from graphlib import TopologicalSorter
from pathlib import Path

_IMPORT = re.compile(r'^import (\{\s*\w+(?:,\s*\w+)*,?\s*\}) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)


def joined(entry: Path) -> str:
    """Return the script whose default export is the entry's.

    ValueError for an import or export of another form; graphlib.CycleError for modules that need each other.
    """
    texts = _texts(entry)
    *others, last = TopologicalSorter({name: _imported(text) for name, text in texts.items()}).static_order()
    modules = [f"const $_{name} = {_function(name, _returning(texts[name]))};" for name in others]
    return "\n".join([*modules, f"export default {_function(last, _DEFAULT.sub('return ', texts[last]))};\n"])


def _texts(entry: Path) -> dict[str, str]:
    """Return the text of a module and of all that it imports, by name."""
    texts: dict[str, str] = {}
    wanted = [entry.stem]
    while wanted:
        name = wanted.pop()
        if name not in texts:
            texts[name] = (entry.parent / f"{name}.js").read_text()
            wanted += _imported(texts[name])
    return texts


def _imported(text: str) -> list[str]:
    return [name for _, name in _IMPORT.findall(text)]


def _returning(text: str) -> str:
    """Return a module's text that returns what it exports."""
    return f"{_EXPORT.sub('', text)}return {{ {', '.join(_EXPORT.findall(text))} }};\n"


def _function(name: str, text: str) -> str:
    """Return a call of a function with a module's text; its imports are what functions before returned."""
    body = _IMPORT.sub(r"const \1 = $_\2;", text)
    if other := _OTHER.search(body):
        raise ValueError(
            f'{name}.js: expected `import {{ name }} from "./module.js";`, or `export` before a function, '
            f"a class or a constant; found `{other[0]}`"
        )
    return f"(() => {{\n{body}}})()"

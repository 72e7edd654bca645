"""Which test files look at what changed: prints them for `scripts/test --changed`.

A change is what differs from the commit at which this branch left its upstream (without an upstream, from
the last commit), and what git does not know yet. Its tests are the test files that changed and those of
tests/unit that import a changed module; where none does, those that import what imports it, and so on. Of a
file that is no module: those that have its name, and those of the module that reads its folder.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
UNIT = ROOT / "tests" / "unit"
PACKAGES = ("kata_lib", "bench")
READ_BY = {"deploy": "kata_lib.course.originals", "notebooks": "kata_lib.course.notebooks"}
"""For folders the module that reads their files."""
BY_NAME = ("kata_lib.course.exercises",)
"""Packages that import whatever module they hold."""


def main() -> None:
    """Print the test files, one a line; on stderr what was compared, and which files have no test here."""
    base, graph = _base(), imports()
    tests = {path: set(tests_of(graph, Path(path))) for path in changed(base)}
    print(f"{len(tests)} files differ from {base[:12]}.", file=sys.stderr)
    if without := [path for path in tests if not tests[path]]:
        print(f"scripts/test looks at these, no unit test: {', '.join(without)}", file=sys.stderr)
    print(*sorted(set().union(*tests.values())), sep="\n")


def changed(base: str) -> list[str]:
    """Return the paths that differ from a commit, of files that are still there, and the new ones."""
    known = _git("diff", "--name-only", "--diff-filter=d", base)
    return [*known, *_git("ls-files", "--others", "--exclude-standard")]


def tests_of(graph: grimp.ImportGraph, path: Path) -> Iterator[str]:
    """Yield the test files for a changed path."""
    if path.parts[0] == "tests" and path.name.startswith("test_"):
        yield str(path)
    elif (module := module_of(path)) in graph.modules:
        yield from nearest(graph, module)
    else:
        tests = sorted(UNIT.glob("test_*.py"))
        name = path.name if path.suffix else str(path)
        yield from (str(test.relative_to(ROOT)) for test in tests if name in test.read_text())
        yield from nearest(graph, READ_BY.get(path.parts[0], ""))


def imports() -> grimp.ImportGraph:
    """Return who imports whom: the packages' modules, the tests and what these share."""
    graph = grimp.build_graph(*PACKAGES)
    for package in BY_NAME:
        for module in graph.find_children(package):
            graph.add_import(importer=package, imported=module)
    files = {path.stem: path for folder in (UNIT, ROOT / "scripts") for path in folder.glob("*.py")}
    for module in files:
        graph.add_module(module)
    for module, path in files.items():
        for imported in _imported(path):
            if imported in graph.modules:
                graph.add_import(importer=module, imported=imported)
    return graph


def nearest(graph: grimp.ImportGraph, module: str) -> Iterator[str]:
    """Yield the unit tests that import a module by the fewest others between."""
    importers = {module} & graph.modules
    seen = set(importers)
    while importers:
        importers = {
            more for one in importers for more in graph.find_modules_that_directly_import(one)
        } - seen
        seen |= importers
        if tests := [name for name in importers if name.startswith("test_")]:
            yield from (f"tests/unit/{name}.py" for name in tests)
            return


def module_of(path: Path) -> str:
    """Return the name by which a file is imported, "" for one that is not; only packages have a path."""
    if path.suffix != ".py":
        return ""
    if path.parts[0] in PACKAGES:
        return ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    return path.stem if path.parent in (Path("tests/unit"), Path("scripts")) else ""


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _base() -> str:
    try:
        return _git("merge-base", "HEAD", "@{upstream}")[0]
    except subprocess.CalledProcessError:
        return "HEAD"


def _git(*words: str) -> list[str]:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


if __name__ == "__main__":
    main()

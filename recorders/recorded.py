"""tests/reference/recorded.json: of which versions each set was, when it was recorded last."""

import json
from pathlib import Path

REFERENCE = Path(__file__).parents[1] / "tests" / "reference"
REGISTRY = Path(__file__).parents[1] / "kata_lib" / "engines" / "embedded" / "registry"
FILE = REFERENCE / "recorded.json"

Versions = dict[str, str]


def all_sets() -> dict[str, Versions]:
    """Return the versions of every set by its name."""
    found: dict[str, Versions] = json.loads(FILE.read_text())
    return found


def note(name: str, versions: Versions) -> None:
    """Write down of which versions a set was recorded."""
    found = all_sets() | {name: versions}
    FILE.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n")

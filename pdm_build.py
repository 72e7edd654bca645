"""What the build backend is told: what the wheel holds beside the package, and of which versions it is.

Learners run the wheel without a clone (`uvx canary-kata`), so it brings the files that they work with, and
requires the very versions of requirements.lock, which the tests ran with.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pdm.backend.hooks import Context

SHIPPED = (
    *("README.md", "deploy/app", "docs", "etc/*.*", "etc/jupyter", "notebooks"),
    *("scripts/get-tools", "scripts/get_tools.py", "scripts/loop-query.sh"),
)
"""What is read where the workshop runs: patterns from the project's folder, of folders all that they hold.

Manifests are in the package itself: kata_lib/course/originals.json.
"""
PLACE = "kata_lib/shipped"
"""Where the wheel has it; kata_lib/machine.py looks there."""


def pdm_build_initialize(context: "Context") -> None:
    """Have the wheel require what the lock has."""
    if context.target == "wheel":
        context.config.metadata["dependencies"] = locked(context.root / "requirements.lock")


def pdm_build_update_files(context: "Context", files: dict[str, Path]) -> None:
    """Add to the wheel what the package reads."""
    if context.target == "wheel":
        files.update({f"{PLACE}/{file.relative_to(context.root)}": file for file in shipped(context.root)})


def locked(lock: Path) -> list[str]:
    """Return the requirements of a lock file, without their hashes."""
    return re.findall(r"^[\w.-]+==[^\\\n]*[^\\\s]", lock.read_text(), re.MULTILINE)


def shipped(project: Path) -> Iterator[Path]:
    """Yield the files of SHIPPED, without what Python and Jupyter leave behind."""
    for found in sorted(place for pattern in SHIPPED for place in project.glob(pattern)):
        for file in sorted(found.rglob("*")) if found.is_dir() else [found]:
            hidden = any(part.startswith((".", "__")) for part in file.relative_to(project).parts)
            if file.is_file() and not hidden:
                yield file

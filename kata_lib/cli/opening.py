"""The `canary-kata` command, by which a wheel is run: it writes the learner's folder and opens JupyterLab.

In a checkout that is the folder, and nothing is written.
"""

import argparse
import os
import sys
from importlib.metadata import version
from pathlib import Path

from kata_lib import machine
from kata_lib.course import folder as folders
from kata_lib.errors import KataError
from kata_lib.files import write_text

BIN = Path(sys.executable).parent


def main() -> None:
    """Open the workshop, or do what the arguments say; a person's mistake is one line, not a traceback."""
    arguments, others = _parser().parse_known_args()
    try:
        if reason := machine.unsupported(machine.here()):
            raise KataError(f"{reason} Supported: {machine.SUPPORTED}.")
        folder = arguments.folder.resolve() if arguments.folder else machine.WORKSHOP
        if not machine.IS_CHECKOUT:
            _write(folder)
        if arguments.write:
            return
    except KataError as error:
        sys.exit(f"canary-kata: {error}")
    except OSError as error:
        sys.exit(
            f"canary-kata: {folder} cannot be written: {error.strerror}. `--folder FOLDER` names another."
        )
    run = ["--run"] if arguments.run else []
    script = str(machine.PROJECT / "etc" / "open.sh")
    os.environ["KATA_WORKSHOP"] = str(folder)
    os.execvp("bash", ["bash", script, str(machine.PROJECT), str(BIN), *run, *others])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="canary-kata",
        description="Write the workshop's folder, start its cluster, and open JupyterLab at its start page. "
        "What you changed in the folder stays. Any other argument goes to JupyterLab (--port 9000), and with "
        "--run to `kata run`.",
        epilog="KATA_NAME says which cluster of several (default: kata); `kata` is the command for it, "
        "in any folder.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"canary-kata {version('canary-kata')}")
    if not machine.IS_CHECKOUT:
        parser.add_argument("--write", action="store_true", help="write the folder, and open nothing")
        parser.add_argument(
            "--folder",
            type=Path,
            help="the workshop's folder; by default KATA_WORKSHOP, the one in which you stand, or that you "
            "opened last, and where there is none ./canary-kata",
        )
    parser.set_defaults(folder=None, write=False)
    parser.add_argument("--run", action="store_true", help="run the whole kata without a browser")
    return parser


def _write(folder: Path) -> None:
    """Fill or renew the learner's folder, say what was done, and remember where it is."""
    print("\n".join(folders.fill(folder)), flush=True)
    last = machine.last_opened()
    last.parent.mkdir(parents=True, exist_ok=True)
    write_text(last, f"{folder}\n")


if __name__ == "__main__":
    main()

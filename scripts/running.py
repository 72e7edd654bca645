"""One command of the set-up: its output in a file, how far it is on the screen, in words why it failed."""

import os
import platform
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from moving import Moving

LIMIT_SECONDS = 1800

Reading = Callable[[str], tuple[str, float | None]]
"""Returns from a command's output what it does, in words, and how much of it is done (0 to 1)."""


_UNREACHABLE = re.compile(r"Retrying \(|NewConnectionError|SSLError|ProxyError|Read timed out|Max retries")


class SetupError(Exception):
    """Why the environment cannot be made, and what would mend it."""


class Unreachable(SetupError):
    """The package index gives no answer, whoever asks it."""


def nothing_known(_said: str) -> tuple[str, None]:
    return "this takes a moment", None


def run(
    command: list[str],
    log: Path,
    read: Reading = nothing_known,
    variables: Mapping[str, str] = {},
) -> None:
    """Run a command with its output in the log; raise SetupError with its reason where it fails.

    variables: of the environment, in place of this process's own.
    """
    started = time.monotonic()
    moving = Moving(lambda: read(log.read_text(errors="replace")))
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            close_fds=False,
            env={**os.environ, **variables},
        )
        try:
            while process.poll() is None:
                if time.monotonic() - started > LIMIT_SECONDS:
                    raise SetupError(f"Not done after half an hour: {' '.join(command)}\nIts output: {log}")
                moving.show()
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
            moving.end()
    if process.returncode != 0:
        said = log.read_text(errors="replace")
        failure = Unreachable if _UNREACHABLE.search(said) else SetupError
        raise failure(f"{reason(said)}\nThe whole output: {log}")


def reason(output: str) -> str:
    """Say in a person's words why pip, uv or npm failed, with the end of what it said."""
    end = "\n".join("  " + line[:160] for line in output.strip().splitlines()[-5:])
    if "No space left on device" in output:
        return f"The disk is full.\n{end}"
    if re.search(r"DO NOT MATCH THE HASHES|EINTEGRITY", output):
        return f"A package is not the one that was locked; the index or a proxy changed it.\n{end}"
    if re.search(r"npm error (network|code (ECONN|ENOTFOUND|ETIMEDOUT|EAI_AGAIN))", output):
        return f"npm's registry cannot be reached. Check the network and npm's settings (~/.npmrc).\n{end}"
    if _UNREACHABLE.search(output):
        return (
            "The package index cannot be reached. Check the network and pip's own settings\n"
            f"(PIP_INDEX_URL, HTTPS_PROXY, PIP_CERT, pip.conf), which are honoured here.\n{end}"
        )
    if "No matching distribution" in output:
        return f"The index has no build of a package for Python {platform.python_version()} here.\n{end}"
    return f"The set-up failed.\n{end}"


def say(line: str) -> None:
    print(line, flush=True)

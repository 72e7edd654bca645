"""The one context of a person's kubeconfig that is used: read there, copied, and never written back."""

import json
import os
from pathlib import Path

from kata_lib.engines.programs import ask, program
from kata_lib.errors import EngineError
from kata_lib.files import write_json


def contexts(kubeconfig: str) -> list[str]:
    """Return the names of the contexts there are; "" is the person's own kubeconfig."""
    return ask([program("kubectl"), *_of(kubeconfig), "config", "get-contexts", "--output=name"]).split()


def copy(kubeconfig: str, context: str, namespace: str, target: Path) -> None:
    """Write one context with its credentials into a file of its own (0600), set to the namespace."""
    if context not in (known := contexts(kubeconfig)):
        raise EngineError(
            f"There is no context {context!r} in {kubeconfig or 'your kubeconfig'}; "
            f"there are: {', '.join(known) or 'none'}."
        )
    view = [program("kubectl"), *_of(kubeconfig), "config", "view", "--minify", "--flatten", "--output=json"]
    found = json.loads(ask([*view, f"--context={context}"]))
    found["contexts"][0]["context"]["namespace"] = namespace
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(target, found)


def _of(kubeconfig: str) -> list[str]:
    # KUBECONFIG may list several files, which only the variable can.
    return [f"--kubeconfig={kubeconfig}"] if kubeconfig and os.pathsep not in kubeconfig else []

"""Argo Rollouts on the embedded engine: its definitions in the API, its real controller as a process."""

from collections.abc import Callable
from pathlib import Path

from kata_lib.engines.base import Engine
from kata_lib.errors import EngineError


def install(engine: Engine, kubeconfig: Path, say: Callable[[str], None]) -> None:
    """Install Argo Rollouts' definitions and start its controller; raise EngineError where it cannot be."""
    raise EngineError("The add-on rollouts is not yet installed on the embedded engine.")

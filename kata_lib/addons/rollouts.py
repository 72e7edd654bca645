"""Argo Rollouts in a real cluster: its manifest applied, its image at hand, its Deployment ready."""

from collections.abc import Callable
from pathlib import Path

from kata_lib.engines.base import Engine
from kata_lib.errors import EngineError


def install(engine: Engine, kubeconfig: Path, say: Callable[[str], None]) -> None:
    """Install Argo Rollouts and wait until its controller is ready; raise EngineError where it cannot be."""
    raise EngineError("The add-on rollouts is not yet installed on real clusters.")

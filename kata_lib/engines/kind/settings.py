"""What a person with a mirror, an air-gapped site or another container engine sets, by the environment.

KATA_NODE_IMAGE         kind's node image             KATA_ISTIO_HUB       where Istio's images are
KATA_APP_BASE           the application's base image  KATA_ISTIO_TAG       which of them
KATA_PORT               where the application answers  KATA_ISTIO_SETTINGS  a file for istioctl, over ours
KATA_KIND, KATA_ISTIOCTL, KATA_KUBECTL    the programs, by name or path
KIND_EXPERIMENTAL_PROVIDER                kind's own: podman or nerdctl in place of docker
"""

import os
from dataclasses import dataclass
from pathlib import Path

from kata_lib import versions
from kata_lib.errors import EngineError


@dataclass(frozen=True)
class KindSettings:
    """All of them; "" where istioctl's own default holds, port None for the first free one."""

    node_image: str
    hub: str
    tag: str
    istio_settings: Path | None
    app_base: str
    port: int | None
    provider: str

    @classmethod
    def read(cls) -> "KindSettings":
        """Return what the environment says; EngineError for what makes no sense."""
        file = os.environ.get("KATA_ISTIO_SETTINGS")
        if file and not Path(file).is_file():
            raise EngineError(f"KATA_ISTIO_SETTINGS names {file!r}, which is no file.")
        port = os.environ.get("KATA_PORT")
        if port and not (port.isdecimal() and 0 < int(port) < 65536):
            raise EngineError(f"KATA_PORT must be a port from 1 to 65535, not {port!r}.")
        provider = os.environ.get("KIND_EXPERIMENTAL_PROVIDER") or "docker"
        if provider not in ("docker", "podman", "nerdctl"):
            raise EngineError(
                f"KIND_EXPERIMENTAL_PROVIDER must be docker, podman or nerdctl, not {provider!r}."
            )
        return cls(
            node_image=os.environ.get("KATA_NODE_IMAGE") or versions.NODE_IMAGE,
            hub=os.environ.get("KATA_ISTIO_HUB", ""),
            tag=os.environ.get("KATA_ISTIO_TAG", ""),
            istio_settings=Path(file).resolve() if file else None,
            app_base=os.environ.get("KATA_APP_BASE", ""),
            port=int(port) if port else None,
            provider=provider,
        )

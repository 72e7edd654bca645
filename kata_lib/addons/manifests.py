"""The add-ons' manifests: taken from the folder that KATA_ADDONS names (NAME.yaml in it), or fetched.

A bundle sets KATA_ADDONS. Istio's add-ons come as Istio's release brings them, Argo Rollouts as its own does.
"""

import os
from pathlib import Path

import httpx2

from kata_lib.engines.kind import istio
from kata_lib.errors import EngineError

ROLLOUTS_VERSION = "v1.10.1"
ROLLOUTS = "https://github.com/argoproj/argo-rollouts/releases/download/{version}/install.yaml"
ISTIO = "https://raw.githubusercontent.com/istio/istio/release-{release}/samples/addons/{name}.yaml"
FETCH_SECONDS = 30.0


def manifest_of(name: str, folder: Path) -> Path:
    """Return an add-on's manifest: from the folder of KATA_ADDONS, or fetched into `folder`.

    Raises EngineError where it is in neither place.
    """
    if place := os.environ.get("KATA_ADDONS"):
        file = Path(place) / f"{name}.yaml"
        if not file.is_file():
            raise EngineError(f"KATA_ADDONS names {place!r}, and there is no {name}.yaml in it.")
        return file
    url = _source(name)
    try:
        answer = httpx2.get(url, timeout=FETCH_SECONDS, follow_redirects=True)
        answer.raise_for_status()
    except httpx2.HTTPError as error:
        raise EngineError(
            f"The manifest of {name} cannot be fetched from {url}: {error}. "
            f"KATA_ADDONS names a folder that holds it as {name}.yaml, such as samples/addons of "
            "Istio's release."
        ) from error
    file = folder / f"{name}.yaml"
    file.write_text(answer.text)
    return file


def _source(name: str) -> str:
    if name == "rollouts":
        return ROLLOUTS.format(version=ROLLOUTS_VERSION)
    return ISTIO.format(release=".".join(istio.version().split(".")[:2]), name=name)

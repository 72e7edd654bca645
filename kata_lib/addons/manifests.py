"""The add-ons' manifests: taken from the folder that KATA_ADDONS names (NAME.yaml in it), or fetched.

A bundle sets KATA_ADDONS. Istio's add-ons come as Istio's release brings them.
"""

import os
from pathlib import Path

import httpx2

from kata_lib.engines import istioctl
from kata_lib.errors import EngineError

ISTIO = "https://raw.githubusercontent.com/istio/istio/release-{release}/samples/addons/{name}.yaml"
FETCH_SECONDS = 30.0


def of_istio(name: str) -> str:
    """Return the manifest of one of Istio's add-ons, of the release whose istioctl this machine has."""
    return here(name) or fetched(name, ISTIO.format(release=_minor(istioctl.version()), name=name))


def here(name: str, *, needed: bool = True) -> str:
    """Return the manifest in the folder of KATA_ADDONS, "" where none is named.

    EngineError where it is not in the folder; "" where it is not `needed`.
    """
    place = os.environ.get("KATA_ADDONS")
    if not place:
        return ""
    file = Path(place) / f"{name}.yaml"
    if not file.is_file():
        if not needed:
            return ""
        raise EngineError(f"KATA_ADDONS names {place!r}, and there is no {name}.yaml in it.")
    return file.read_text()


def fetched(name: str, url: str) -> str:
    """Return the manifest at a URL; EngineError where it cannot be had."""
    try:
        answer = httpx2.get(url, timeout=FETCH_SECONDS, follow_redirects=True)
        answer.raise_for_status()
    except httpx2.HTTPError as error:
        raise EngineError(
            f"The manifest of {name} cannot be fetched from {url}: {error}. "
            f"KATA_ADDONS names a folder that holds it as {name}.yaml, such as samples/addons of "
            "Istio's release."
        ) from error
    return answer.text


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])

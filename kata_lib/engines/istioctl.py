"""istioctl as more than one room needs it: which Istio it is of, and where that is installed."""

import json

from kata_lib.engines.programs import ask, program

NAMESPACE = "istio-system"


def version() -> str:
    """Return istioctl's own version, which is the one that it installs."""
    said = json.loads(ask([program("istioctl"), "version", "--remote=false", "--output=json"]))
    return str(said["clientVersion"]["version"])

"""Prometheus, Kiali and Grafana in a cluster with a real Istio: installed by one call, opened by another.

The manifests are those that Istio's release brings as add-ons: fetched at that moment, or taken from the
folder that KATA_ADDONS names (NAME.yaml in it), as a bundle sets it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx2

from kata_lib.engines import kubectl
from kata_lib.engines.base import Engine
from kata_lib.engines.forwarding import port_forward
from kata_lib.engines.kind import KindEngine, images, istio
from kata_lib.engines.programs import ProgramFailed, await_true
from kata_lib.errors import EngineError, KataError

PORTS = {"prometheus": 9090, "kiali": 20001, "grafana": 3000}
"""Each add-on's Service and its port; in this order, because Kiali and Grafana ask Prometheus."""

SOURCE = "https://raw.githubusercontent.com/istio/istio/release-{release}/samples/addons/{name}.yaml"
NAMESPACE = istio.NAMESPACE
FETCH_SECONDS = 30.0
READY_SECONDS = 180.0

Say = Callable[[str], None]


def install(engine: Engine, names: list[str], say: Say) -> None:
    """Install add-ons by name and wait until they are ready; `say` is told what is waited for.

    Raises KataError for a name that is none, EngineError where the engine has none, the manifests cannot be
    had, the cluster refuses, or an add-on is not ready within READY_SECONDS.
    """
    kubeconfig = _kubeconfig(engine)
    for name in names:
        if name not in PORTS:
            raise KataError(f"There is no add-on {name!r}; there are: {', '.join(PORTS)}.")
    engine.logs().mkdir(parents=True, exist_ok=True)
    for name in names:
        manifest = manifest_of(name, engine.logs().parent)
        if isinstance(engine, KindEngine):
            engine.load(images.named_in(manifest.read_text()), say)
        say(f"installing {name}")
        try:
            kubectl.kubectl(
                kubeconfig, "apply", "--server-side", "--force-conflicts", f"--filename={manifest}"
            )
        except ProgramFailed as failed:
            raise EngineError(f"The cluster does not take {name}: {failed.said}") from failed
    for name in names:
        await_true(partial(_missing, kubeconfig, name), READY_SECONDS, f"{name} was not ready", say)


def manifest_of(name: str, folder: Path) -> Path:
    """Return an add-on's manifest: from the folder of KATA_ADDONS, or fetched into `folder`."""
    if place := os.environ.get("KATA_ADDONS"):
        file = Path(place) / f"{name}.yaml"
        if not file.is_file():
            raise EngineError(f"KATA_ADDONS names {place!r}, and there is no {name}.yaml in it.")
        return file
    release = ".".join(istio.version().split(".")[:2])
    url = SOURCE.format(release=release, name=name)
    try:
        answer = httpx2.get(url, timeout=FETCH_SECONDS, follow_redirects=True)
        answer.raise_for_status()
    except httpx2.HTTPError as error:
        raise EngineError(
            f"The manifest of {name} cannot be fetched from {url}: {error}. "
            "KATA_ADDONS names a folder that holds it, such as samples/addons of Istio's release."
        ) from error
    file = folder / f"{name}.yaml"
    file.write_text(answer.text)
    return file


@contextmanager
def opened(engine: Engine, name: str, port: int = 0) -> Iterator[str]:
    """Open a port-forward to an add-on while the block runs; its URL on 127.0.0.1 is given."""
    if name not in PORTS:
        raise KataError(f"There is no add-on {name!r}; there are: {', '.join(PORTS)}.")
    kubeconfig = _kubeconfig(engine)
    if _missing(kubeconfig, name):
        raise EngineError(f"{name} is not ready in this cluster: `kata addons install {name}` installs it.")
    with port_forward(kubeconfig, NAMESPACE, f"service/{name}", PORTS[name], port) as address:
        yield f"http://{address}/"


def _kubeconfig(engine: Engine) -> Path:
    place = engine.where()
    if engine.name == "embedded":
        raise EngineError(
            "The embedded engine has no Prometheus, Kiali or Grafana: `lab.counters()` shows the same, "
            "and `kata up --engine kind` gives a cluster that can have them."
        )
    if place is None:
        raise EngineError("The cluster does not run: `kata up` starts it.")
    return place.kubeconfig


def _missing(kubeconfig: Path, name: str) -> str:
    """Return why an add-on does not serve yet, "" where it does."""
    try:
        found = kubectl.read(kubeconfig, "get", "deployment", name, f"--namespace={NAMESPACE}")
    except ProgramFailed as failed:
        return failed.said or f"there is no Deployment {name}"
    if found.get("status", {}).get("availableReplicas", 0) > 0:
        return ""
    pods = [p for p in kubectl.pods(kubeconfig, NAMESPACE) if p["metadata"]["name"].startswith(f"{name}-")]
    return f"{name}: {'; '.join(kubectl.unready(pods)) or 'no pods yet'}"

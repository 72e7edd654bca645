"""What an API server answers by itself to the requests of tests/reference/api.

The cluster's controller manager and scheduler do not run: the API server alone speaks, with the
admission plugins that it has by default, Istio's definitions and Istio's validating webhook.
"""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from recording import AGENT, EXCHANGES, NAMESPACE, answer_of, exchanges

from kata_lib import versions
from recorders.lab import Lab, LabError
from recorders.leaving import leaving_nothing
from recorders.recorded import Versions

PROXY_SECONDS = 10
NOTICED_SECONDS = 2.0
"""Within which a controller manager makes a new namespace's account, if one runs."""
PATIENCE = 10
"""How often a request is sent again, a second apart, that the server was not ready for (429)."""


def record(lab: Lab) -> Versions:
    """Send the requests of every file anew, each file to a server without what the others made."""
    with _proxy(lab) as server:
        for name in sorted(path.stem for path in EXCHANGES.glob("*.json")):
            with leaving_nothing(lab.client):
                _fresh_namespace(lab)
                _record_file(server, name)
    return {"kubernetes": lab.kubernetes, "istio": versions.ISTIO}


def _record_file(server: str, name: str) -> None:
    found = [{**asked, "answer": _ask(server, asked)} for asked in exchanges(name)]
    lines = ",\n".join(json.dumps(entry, separators=(",", ":"), ensure_ascii=False) for entry in found)
    (EXCHANGES / f"{name}.json").write_text(f"[\n{lines}\n]\n")
    print(f"{name}: {len(found)} answers recorded", flush=True)


def _fresh_namespace(lab: Lab) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    lab.client.request("POST", "/api/v1/namespaces", namespace)
    time.sleep(NOTICED_SECONDS)
    accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    if lab.client.request("GET", accounts)["items"]:
        raise LabError("The cluster's controller manager runs: it would answer too. Stop it for this set.")
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    lab.client.request("POST", accounts, {**account, "automountServiceAccountToken": False})


@contextmanager
def _proxy(lab: Lab) -> Iterator[str]:
    """Yield an address on loopback at which kubectl passes plain requests on to the API server."""
    command = [lab.program("kubectl"), f"--kubeconfig={lab.cluster}", "proxy", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdout
        try:
            yield "http://" + proxy.stdout.readline().split()[-1]
        finally:
            proxy.terminate()


def _ask(server: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer; a request that is `settled` waits first, for what the server does by itself."""
    time.sleep(float(asked.get("settled", 0)))
    for _ in range(PATIENCE):
        answer = _answer(server, asked)
        if answer["code"] != 429:
            break
        time.sleep(1)
    if "failed calling webhook" in answer.get("message", ""):
        raise LabError(answer["message"])
    return answer


def _answer(server: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    body = json.dumps(asked["body"]).encode() if "body" in asked else None
    headers = {
        "Content-Type": asked.get("type", "application/json"),
        "Accept": asked.get("accept", "application/json"),
        "User-Agent": AGENT,
    }
    request = urllib.request.Request(server + asked["path"], body, headers, method=asked["method"])
    try:
        with urllib.request.urlopen(request, timeout=PROXY_SECONDS) as response:
            code, found, text = response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        code, found, text = error.code, error.headers, error.read()
    return answer_of(code, found.get_all("Warning") or [], text.decode())

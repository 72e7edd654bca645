"""Lines for a shell that mend one thing, whoever made the object: what kubectl is told.

An object and what to change go in, a line comes out that can be pasted as it stands.
"""

import copy
import json
import shlex
from typing import Any

from kata_lib.cluster.apply import LAST_APPLIED
from kata_lib.cluster.client import Obj

_SERVERS_OWN = ("creationTimestamp", "generation", "managedFields", "namespace", "resourceVersion", "uid")


def patch(obj: Obj, *steps: Obj) -> str:
    """Return a line that changes an object by a JSON patch (RFC 6902)."""
    return f"kubectl patch {_named(obj)} --type=json -p {_quoted(list(steps))}"


def replaced(obj: Obj, path: str, value: Any) -> str:
    """Return a line that sets one place of an object, such as spec.http[0].route[1].weight."""
    return patch(obj, {"op": "replace", "path": pointer(path), "value": value})


def removed(obj: Obj, path: str) -> str:
    """Return a line that removes one place of an object."""
    return patch(obj, {"op": "remove", "path": pointer(path)})


def merged(obj: Obj, body: Obj) -> str:
    """Return a line that changes an object of Kubernetes' own by a strategic merge patch."""
    return f"kubectl patch {_named(obj)} -p {_quoted(body)}"


def deleted(obj: Obj) -> str:
    """Return a line that deletes an object."""
    return f"kubectl delete {_named(obj)}"


def applied(obj: Obj, namespace: str) -> str:
    """Return a line that makes an object in a namespace, without what only a server writes into one."""
    plain = copy.deepcopy(obj)
    plain.pop("status", None)
    for key in _SERVERS_OWN:
        plain["metadata"].pop(key, None)
    if annotations := plain["metadata"].pop("annotations", {}):
        annotations.pop(LAST_APPLIED, None)
    return f"echo {_quoted(plain)} | kubectl apply -n {namespace} -f -"


def pointer(path: str) -> str:
    """Return a place as a JSON pointer: spec.http[0] is /spec/http/0."""
    return "/" + path.replace("[", ".").replace("]", "").replace(".", "/")


def _named(obj: Obj) -> str:
    metadata = obj["metadata"]
    namespace = f" -n {metadata['namespace']}" if metadata.get("namespace") else ""
    return f"{obj['kind'].lower()} {metadata['name']}{namespace}"


def _quoted(value: Any) -> str:
    return shlex.quote(json.dumps(value, separators=(",", ":")))

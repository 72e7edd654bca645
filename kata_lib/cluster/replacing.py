"""Making a namespace hold certain objects and nothing else, whatever a person has put there.

Plain objects go in, a line for each change comes out. Fields that cannot be changed, deletions under way,
pods without their sidecar: an object that cannot be brought to what is wanted is deleted and made anew.
"""

from collections.abc import Callable

from kata_lib.cluster import apply, inventory, waiting
from kata_lib.cluster.client import ApiRefused, Obj
from kata_lib.cluster.cluster import Cluster, label
from kata_lib.cluster.pods import SIDECAR, container_names
from kata_lib.errors import ClusterError, WaitTimeout

GONE_SECONDS = 60.0
HELD_SECONDS = 5.0
"""How long a finalizer may hold an object; a controller that does something about it does so at once."""
_OF_KUBERNETES = {"foregroundDeletion", "orphan"}
_WORKLOADS = {"CronJob", "DaemonSet", "Deployment", "Job", "ReplicaSet", "Rollout", "StatefulSet"}
_UNPROCESSABLE = 422

Ours = Callable[[Obj], bool]


def replace(cluster: Cluster, manifests: list[Obj], ours: Ours) -> list[str]:
    """Make the namespace hold exactly these objects; return a line for each that had to change.

    All else is deleted, and what somebody added to an object that stays is removed from it. Where the
    namespace is not the workshop's alone, only objects that are `ours` are touched, and the others are
    listed. Raises ClusterError where one that is not ours stands in the place of one that is wanted, before
    anything is changed, and where one that is wanted cannot be made because its predecessor does not go.
    """
    wanted = {key(manifest) for manifest in manifests}
    there = inventory.contents(cluster)
    others = [] if cluster.is_own() else [obj for obj in there if not ours(obj)]
    _refuse_to_take(cluster, [obj for obj in others if key(obj) in wanted])
    gone = [obj for obj in there if obj not in others and key(obj) not in wanted]
    lines, held = _bring(cluster, gone, manifests, _replace_one)
    names = {key(obj) for obj in held}
    lines = [f"{label(obj)} deleted" for obj in gone if key(obj) not in names] + lines + [*map(_said, held)]
    if others:
        lines.append(f"Left as they are, since others made them: {', '.join(map(label, others))}.")
    return lines


def change(cluster: Cluster, gone: list[Obj], manifests: list[Obj]) -> list[str]:
    """Delete objects, then apply manifests, whose other fields stay; return a line for each that does not go.

    Raises ClusterError as `replace` does.
    """
    _, held = _bring(cluster, gone, manifests, _apply_one)
    return [*map(_said, held)]


def key(obj: Obj) -> tuple[str, str, str]:
    """Return what names an object in its namespace; a group serves it under each of its versions."""
    group = obj["apiVersion"].rpartition("/")[0]
    return group, obj["kind"], obj["metadata"]["name"]


def _bring(
    cluster: Cluster, gone: list[Obj], manifests: list[Obj], write: Callable[[Cluster, Obj], str]
) -> tuple[list[str], list[Obj]]:
    """Delete objects and write others; return a line for each that changed, and which do not go."""
    for obj in gone:
        _remove(cluster, obj)
    lines = [line for manifest in manifests if (line := write(cluster, manifest))]
    lines += _give_sidecars(cluster, [m for m in manifests if m["kind"] == "Deployment"])
    return lines, _held(cluster, gone)


def _refuse_to_take(cluster: Cluster, taken: list[Obj]) -> None:
    if taken:
        raise ClusterError(
            f"The namespace {cluster.namespace} has {', '.join(map(label, taken))} that others made, and "
            "this step needs these names. Nothing was changed; another namespace has room: "
            "KATA_NAMESPACE=other."
        )


def _remove(cluster: Cluster, obj: Obj) -> None:
    """Ask for a deletion; that of a workload ends when its pods are gone."""
    propagation = "Foreground" if obj["kind"] in _WORKLOADS else ""
    cluster.remove(obj["apiVersion"], obj["kind"], obj["metadata"]["name"], propagation=propagation)


def _held(cluster: Cluster, objects: list[Obj]) -> list[Obj]:
    """Wait until objects are gone; return as they are now those that somebody's finalizer holds.

    WaitTimeout where one stays that nobody holds.
    """

    def there() -> list[Obj]:
        return [now for obj in objects if (now := _again(cluster, obj))]

    def leaving() -> str:
        return ", ".join(label(obj) for obj in there() if not _holders(obj))

    waiting.until(leaving, GONE_SECONDS, None, "Still being deleted")
    try:
        waiting.until(lambda: ", ".join(map(label, there())), HELD_SECONDS, None, "Still there")
    except WaitTimeout:
        return there()
    return []


def _again(cluster: Cluster, obj: Obj) -> Obj | None:
    """Return an object as it is now, None where it is gone and perhaps another has its name."""
    now = cluster.get(obj["apiVersion"], obj["kind"], obj["metadata"]["name"])
    same = now is not None and now["metadata"]["uid"] == obj["metadata"]["uid"]
    return {**obj, **now} if now is not None and same else None


def _holders(obj: Obj) -> list[str]:
    """Return the finalizers of an object that Kubernetes itself does not see to."""
    return [name for name in obj["metadata"].get("finalizers", []) if name not in _OF_KUBERNETES]


def _said(held: Obj) -> str:
    return (
        f"{label(held)} is still there: its finalizer {', '.join(_holders(held))} asks to wait for "
        f"somebody who does not answer. Where nobody will: kubectl patch {label(held)} --type=merge "
        '-p \'{"metadata":{"finalizers":null}}\''
    )


def _apply_one(cluster: Cluster, manifest: Obj) -> str:
    live = cluster.get(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"])
    if live is not None and "deletionTimestamp" in live["metadata"]:
        return _replace_one(cluster, manifest)
    return cluster.apply_object(manifest)


def _replace_one(cluster: Cluster, manifest: Obj) -> str:
    wanted = apply.annotated(apply.with_images(manifest, cluster.images), cluster.namespace)
    live = cluster.get(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"])
    if live is not None and ("deletionTimestamp" in live["metadata"] or _headless(live) != _headless(wanted)):
        return _made_anew(cluster, wanted, live)
    if live is None:
        cluster.create(wanted)
        return f"{label(manifest)} created"
    try:
        now = cluster.update(apply.replacement(wanted, live))
    except ApiRefused as refused:
        if refused.code != _UNPROCESSABLE:
            raise
        return _made_anew(cluster, wanted, live)
    return f"{label(manifest)} set back" if now["spec"] != live["spec"] else ""


def _headless(obj: Obj) -> bool:
    """Return whether a Service has no address; one that has none keeps none, whatever is written."""
    return bool(obj["spec"].get("clusterIP") == "None") if "spec" in obj else False


def _made_anew(cluster: Cluster, wanted: Obj, live: Obj) -> str:
    """Delete an object that cannot become what is wanted, and make the one that is."""
    old = {**live, "apiVersion": wanted["apiVersion"], "kind": wanted["kind"]}
    _remove(cluster, old)
    for held in _held(cluster, [old]):
        raise ClusterError(f"{_said(held)}. Then try again.")
    cluster.create(wanted)
    return f"{label(wanted)} deleted and created: it could not be changed to what is wanted"


def _give_sidecars(cluster: Cluster, deployments: list[Obj]) -> list[str]:
    """Delete the pods that are older than their namespace's label; the new ones get a sidecar."""
    lines = []
    for deployment in deployments:
        labels = deployment["spec"]["selector"]["matchLabels"]
        pods = cluster.pods(",".join(f"{key}={value}" for key, value in labels.items()))
        for pod in [pod for pod in pods if SIDECAR not in container_names(pod)]:
            cluster.remove("v1", "Pod", pod["metadata"]["name"])
            lines.append(f"pod/{pod['metadata']['name']} deleted: it had no sidecar")
    return lines

"""Where a step begins: how a namespace differs from it, who made the difference, and bringing it there.

What only the workshop's own cells, commands and files made otherwise is set right in one line. A person's own
work stays: each difference is said, with the line that would make it so.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

from kata_lib import delivery
from kata_lib.cluster import inventory, labels, replacing
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.pods import has_sidecar
from kata_lib.course import influence, originals, provenance, restoring
from kata_lib.course.steps import Step
from kata_lib.delivery import argo
from kata_lib.mesh.analyze import lines
from kata_lib.mesh.weights import names, written_weights

Change = Literal["missing", "other", "extra", "bare"]
"""An object that is not there, is not as the step has it, or should not be there; pods without sidecar."""


_NOT_BEGUN = "This step begins with a Rollout, which would take the place of what you have: it was not made."


@dataclass(frozen=True)
class Difference:
    """An object that keeps a namespace from being where a step begins.

    obj: as it is; as it should be where it is missing. text: what of it differs. line: what would make it so.
    ours: whether nothing of a person's own goes when it is set right.
    """

    change: Change
    obj: Obj
    text: str = ""
    line: str = ""
    ours: bool = True

    @property
    def name(self) -> str:
        """Its kind and name."""
        return _name(self.obj)

    def __str__(self) -> str:
        """Return what differs, such as `Deployment name-v2 (spec.replicas 4 → 1)`."""
        return f"{self.name} ({self.text})" if self.text else self.name


@dataclass(frozen=True)
class Begun:
    """What is said, a line each, and what stays otherwise than the step begins."""

    lines: list[str]
    kept: list[Difference] = field(default_factory=list)

    def is_as_it_should_be(self, kind: str, name: str) -> bool:
        """Return whether an object is as the step begins with it."""
        return all(difference.name != f"{kind} {name}" for difference in self.kept)


def anew(cluster: Cluster, step: Step) -> Begun:
    """Make a namespace hold what a step begins with and nothing else, whatever state it is in."""
    delivery.forget(cluster)
    argo.forget(cluster)
    lines = replacing.replace(cluster, step.manifests(), originals.is_ours)
    return Begun([*lines, *_edited(step)])


def begin(cluster: Cluster, step: Step) -> Begun:
    """Bring a namespace to where a step begins, unless a person's own work stands in the way.

    What is missing is set up in any case, but for a step that begins with a Rollout: that one would take
    the place of what a person has.
    """
    found = differences(cluster, step)
    if all(difference.ours for difference in found):
        return Begun([*_set_right(cluster, step, found), *_edited(step)])
    missing = [difference for difference in found if difference.change == "missing"]
    kept = [difference for difference in found if difference.change != "missing"]
    if any(difference.obj["kind"] == argo.KIND for difference in missing):
        return Begun([*_said(step, kept), _NOT_BEGUN], found)
    return Begun([*_set_right(cluster, step, missing), *_said(step, kept), *_edited(step)], kept)


def differences(cluster: Cluster, step: Step) -> list[Difference]:
    """Return how a namespace differs from where a step begins: objects, values, pods without sidecar."""
    there = {replacing.key(obj): obj for obj in inventory.contents(cluster)}
    wanted = {replacing.key(manifest): file for file, manifest in step.files()}
    extra = [obj for name, obj in there.items() if name not in wanted]
    return [
        *(
            difference
            for file, manifest in step.files()
            for difference in _of_one(cluster, file, manifest, there.get(replacing.key(manifest)))
        ),
        *_extras(cluster, extra),
    ]


def _of_one(cluster: Cluster, file: str, wanted: Obj, live: Obj | None) -> Iterator[Difference]:
    if live is None or "deletionTimestamp" in live["metadata"]:
        yield Difference("missing", wanted)
    elif places := restoring.places(wanted, live, cluster.images):
        ours = provenance.is_the_workshops(cluster, live)
        yield Difference("other", live, ", ".join(map(_changed, places)), _line(cluster, live, file), ours)
    elif wanted["kind"] == "Deployment" and _bare(cluster, live):
        line = f"kubectl rollout restart deployment {wanted['metadata']['name']}"
        yield Difference("bare", live, "pods without a sidecar", line)


def _extras(cluster: Cluster, extra: list[Obj]) -> Iterator[Difference]:
    for obj in extra:
        if provenance.is_the_workshops(cluster, obj):
            yield Difference("extra", obj, _source(obj), lines.deleted(obj))
        elif said := influence.on_the_requests(cluster.namespace, obj):
            yield Difference("extra", obj, said, _room(cluster, obj) or lines.deleted(obj), ours=False)


def _line(cluster: Cluster, live: Obj, file: str) -> str:
    kind, name = live["kind"], live["metadata"]["name"]
    return _room(cluster, live) or restoring.line(cluster, kind, name, file)


def _room(cluster: Cluster, obj: Obj) -> str:
    """Return how to have another namespace where an object is of others who use this one, "" where not."""
    return "" if cluster.is_own() or originals.is_ours(obj) else "export KATA_NAMESPACE=other"


def _bare(cluster: Cluster, deployment: Obj) -> bool:
    selector = labels.as_selector(deployment["spec"]["selector"]["matchLabels"])
    return not all(map(has_sidecar, cluster.pods(selector)))


def _source(obj: Obj) -> str:
    """Return what brings an object of the workshop's back: its file, or for a route the weights it has."""
    if obj["kind"] == "VirtualService":
        route = obj["spec"]["http"][0]["route"]
        return "weights " + " ".join(map("{}={}".format, names(route), written_weights(route)))
    return originals.made_by().get((obj["kind"], obj["metadata"]["name"]), "")


def _changed(place: restoring.Place) -> str:
    path, now, wanted = place
    return f"{path} {_shown(now)} → {_shown(wanted)}"


def _shown(value: object) -> str:
    return "none" if value in (None, {}) else restoring.short(value)


def _set_right(cluster: Cluster, step: Step, found: list[Difference]) -> list[str]:
    """Make these differences good; return one line of what was done, and one for each object that stays."""
    if not found:
        return []
    gone = [difference.obj for difference in found if difference.change == "extra"]
    if any(obj["kind"] == "ConfigMap" for obj in gone):
        delivery.forget(cluster)  # first, so that no release goes on and moves the weights
    if any(difference.obj["kind"] == argo.KIND for difference in found):
        argo.forget(cluster)
    named = {difference.name for difference in found}
    wanted = [manifest for manifest in step.manifests() if _name(manifest) in named]
    only_missing = all(difference.change == "missing" for difference in found)
    said = _set_up(step, named) if only_missing else [_done(found)]
    return [*said, *replacing.change(cluster, gone, wanted)]


def _set_up(step: Step, missing: set[str]) -> Iterator[str]:
    """Yield for each file or folder that a step begins with what of it is missing."""
    for path in step.starts_with:
        if listed := [name for name in map(_name, originals.manifests(path)) if name in missing]:
            yield f"Missing for this step, and set up now: {', '.join(listed)}."


def _done(found: list[Difference]) -> str:
    missing, other, extra, bare = (_listed(found, change) for change in get_args(Change))
    done = {"set back": other, "removed": extra, "new pods for": bare, "set up": missing}
    listed = "; ".join(f"{verb} {names}" for verb, names in done.items() if names)
    return (
        f"Brought to where this step begins: {listed}. Only the workshop's own cells, commands and files had "
        "made it otherwise."
    )


def _said(step: Step, found: list[Difference]) -> list[str]:
    """Return a line for each difference that stays, and how all are made good at once."""
    return [
        *(f"Not as this step begins, and kept: {d}. To make it so: {d.line}" for d in found),
        "Part of this is your own work: nothing of it was changed. All at once, and whatever else is in the "
        f'namespace removed: open_lab(step="{step.name}", reset=True)',
    ]


def _edited(step: Step) -> Iterator[str]:
    """Yield which of the step's files a person has edited: it begins with the workshop's own."""
    for file in originals.edited(*step.starts_with) if step.starts_with else []:
        yield f"{file} is edited; the step begins with the workshop's own (`kata diff {file}`)."


def _listed(found: list[Difference], change: Change) -> str:
    return ", ".join(str(difference) for difference in found if difference.change == change)


def _name(obj: Obj) -> str:
    return f"{obj['kind']} {obj['metadata']['name']}"

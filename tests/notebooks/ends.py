"""What a learner leaves behind each notebook: recorded of a real run in ends.json, brought back for tests.

A run is one of two: `solved`, where every turn is taken as its solution does, and `skipped`, where none is.
Each notebook begins with what the one before it left, as it does for a learner, and nothing is reset.

    python tests/notebooks/ends.py [NOTEBOOK]...    records both anew, of all or of these, in the cluster
                                                    that KATA_NAME names
"""

import copy
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat

from kata_lib.cluster import inventory, replacing
from kata_lib.cluster.apply import LAST_APPLIED
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import notebooks, restoring
from kata_lib.course.exercises import step
from kata_lib.course.steps import lacking
from kata_lib.lab.lab import connect

HOW = "The notebook leaves something else now: python tests/notebooks/ends.py records it anew."
CELL_SECONDS = 300
FILE = Path(__file__).with_name("ends.json")
RUNS = {"solved": True, "skipped": False}
LEARNERS = {name: value for name, value in os.environ.items() if name not in ("CI", "KATA_RESET")}
_OF_THE_SERVER = {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"}
_RECORDED_AT = "2026-01-01T00:00:00Z"


def recorded() -> dict[str, list[Obj]]:
    """Return the objects that each notebook left, by run and notebook such as `solved 03-weight-lab`."""
    kept: dict[str, Any] = json.loads(FILE.read_text())
    return {name: [kept["objects"][number] for number in end] for name, end in kept["ends"].items()}


def end(cluster: Cluster) -> list[Obj]:
    """Return what a namespace holds now, without what a server writes for itself."""
    return [_plain(obj) for obj in inventory.contents(cluster)]


def bring(cluster: Cluster, objects: list[Obj]) -> None:
    """Make objects as they were recorded: who wrote what is among it."""
    for obj in objects:
        managers = {"managedFields": obj["metadata"]["managedFields"]}
        bare = {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k not in managers}}
        cluster.create(bare)
        live = cluster.get(obj["apiVersion"], obj["kind"], obj["metadata"]["name"]) or {}
        cluster.update({**live, "metadata": {**live["metadata"], **managers}})


def run(name: str, *, solutions: bool) -> None:
    """Run a notebook in a kernel of its own as a learner would, whatever a cell says."""
    built = notebooks.of(notebooks.SOURCES / f"{name}.py", solutions=solutions)
    notebook = nbformat.reads(notebooks.text(built), as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3", allow_errors=True)
    client.execute(env=LEARNERS)


def same(left: list[Obj], recorded: list[Obj], cluster: Cluster) -> bool:
    """Return whether two ends hold the same objects, with the same values of what decides about requests."""
    by_name = {replacing.key(obj): obj for obj in left}
    wanted = {replacing.key(obj): obj for obj in recorded}
    return by_name.keys() == wanted.keys() and not any(
        restoring.places(wanted[name], by_name[name], cluster.images)
        for name in wanted
        if "spec" in wanted[name]
    )


def _plain(obj: Obj) -> Obj:
    plain = copy.deepcopy({k: v for k, v in obj.items() if k in ("apiVersion", "kind", "spec", "data")})
    metadata = obj["metadata"]
    annotations = {k: v for k, v in metadata.get("annotations", {}).items() if k == LAST_APPLIED}
    plain["metadata"] = {
        "name": metadata["name"],
        "labels": metadata.get("labels", {}),
        "annotations": annotations,
        "managedFields": [
            {**entry, "time": _RECORDED_AT}
            for entry in metadata.get("managedFields", [])
            if entry.get("subresource") != "status"
        ],
    }
    if obj["kind"] == "Service":
        plain["spec"] = {k: v for k, v in plain["spec"].items() if k not in _OF_THE_SERVER}
        for port in plain["spec"]["ports"]:
            port.pop("nodePort", None)
    return plain


def _runs(cluster: Cluster, names: list[str]) -> Iterator[tuple[str, list[Obj]]]:
    for title, solutions in RUNS.items():
        for source in (one for one in notebooks.sources() if one.stem in names):
            if reason := lacking(cluster, step(source.stem)):
                print(f"{source.stem} is left out: {reason}")
                continue
            run(source.stem, solutions=solutions)
            yield f"{title} {source.stem}", end(cluster)


def _main(names: list[str]) -> None:
    every = [source.stem for source in notebooks.sources()]
    kept = recorded() | dict(_runs(connect().cluster, names or every))
    in_order = {f"{title} {name}": kept.get(f"{title} {name}", []) for title in RUNS for name in every}
    FILE.write_text(_text(in_order))


def _text(ends: dict[str, list[Obj]]) -> str:
    """Return ends as the file holds them: each object once."""
    objects: list[Obj] = []
    for left in ends.values():
        objects += [obj for obj in left if obj not in objects]
    numbers = {name: [objects.index(obj) for obj in left] for name, left in ends.items()}
    return json.dumps({"ends": numbers, "objects": objects}, indent=1) + "\n"


if __name__ == "__main__":
    _main(sys.argv[1:])

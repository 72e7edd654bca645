"""Objects as a Table, which `kubectl get` prints as it comes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kata_lib.engines.embedded.api.printers import printer_of
from kata_lib.engines.embedded.registry.resources import Column, Resource
from kata_lib.engines.embedded.store import Obj

NUMERIC = frozenset({"Desired", "Current", "Up-to-date", "Available", "Data", "Count", "Allowed Disruptions"})


def table(
    resource: Resource,
    objects: Iterable[Obj],
    list_metadata: Obj,
    *,
    now: datetime,
    include_object: str = "Metadata",
    headers: bool = True,
) -> Obj:
    """Return a meta.k8s.io/v1 Table; `include_object` is Metadata, Object or None, as the client asks."""
    printer = printer_of(resource)
    rows = []
    for obj in objects:
        row: Obj = {
            "cells": [*([obj["metadata"]["name"]] if printer.name_first else []), *printer.cells(obj, now)]
        }
        if include_object != "None":
            row["object"] = obj if include_object == "Object" else _metadata_only(obj)
        rows.append(row)
    name_column = [_column("Name", "name")] if printer.name_first else []
    own = map(_defined_column, resource.columns) if resource.defined else map(_column, printer.columns)
    columns = [*name_column, *own] if headers else []
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": list_metadata,
        "columnDefinitions": columns,
        "rows": rows,
    }


def _column(name: str, format_: str = "") -> Obj:
    plain = name.removeprefix("+")
    type_ = "integer" if plain in NUMERIC else "date" if plain == "Created At" else "string"
    priority = 1 if name.startswith("+") else 0
    return {"name": plain, "type": type_, "format": format_, "description": "", "priority": priority}


def _defined_column(column: Column) -> Obj:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def _metadata_only(obj: Obj) -> dict[str, Any]:
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"},
    }

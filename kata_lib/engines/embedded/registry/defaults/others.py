"""Leases and IngressClasses: a specification, if only an empty one."""

from kata_lib.engines.embedded.store import Obj


def fill_lease(obj: Obj) -> None:
    """Add a Lease's defaults in place."""
    obj.setdefault("spec", {})


def fill_ingress_class(obj: Obj) -> None:
    """Add an IngressClass's defaults in place."""
    obj.setdefault("spec", {})
    if parameters := obj["spec"].get("parameters"):
        parameters.setdefault("scope", "Cluster")

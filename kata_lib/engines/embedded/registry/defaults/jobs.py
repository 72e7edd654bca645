"""Jobs: one pod, six more tries; the labels by which a Job finds its pods are the server's."""

from kata_lib.engines.embedded.registry.defaults import pod_template
from kata_lib.engines.embedded.store import Obj


def fill(obj: Obj) -> None:
    """Add a Job's defaults in place."""
    spec = obj.setdefault("spec", {})
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("manualSelector", False)
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
    template = spec.setdefault("template", {})
    pod = template.setdefault("spec", {})
    said = pod.get("restartPolicy")
    pod_template.fill(template)
    if said is None:
        del pod["restartPolicy"]


def complete(obj: Obj) -> None:
    """Give a Job, which has its uid, the labels of its pods and the selector of them, in place."""
    spec, metadata = obj["spec"], obj["metadata"]
    if spec.get("manualSelector"):
        return
    own = {"controller-uid": metadata["uid"], "job-name": metadata["name"]}
    labels = {**own, **{f"batch.kubernetes.io/{name}": value for name, value in own.items()}}
    template = spec["template"].setdefault("metadata", {})
    template["labels"] = {**template.get("labels", {}), **labels}
    metadata.setdefault("labels", dict(template["labels"]))
    spec.setdefault("selector", {}).setdefault(
        "matchLabels", {"batch.kubernetes.io/controller-uid": metadata["uid"]}
    )

"""HorizontalPodAutoscalers in, their targets within their bounds out; and why nothing else scales them."""

from collections.abc import Iterable
from typing import Any, ClassVar

from kata_lib.engines.embedded.controllers.base import Controller
from kata_lib.engines.embedded.objects import Key, being_deleted, key, put_condition, seconds
from kata_lib.engines.embedded.registry.patches import MERGE_PATCH
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.registry.subresources import scale_of
from kata_lib.engines.embedded.store import Event, Obj

COMPONENT = "horizontal-pod-autoscaler"
PERIOD_SECONDS = 15.0
"""How often an autoscaler is looked at; so long after it was made for the first time, as by the real one."""

UNMEASURED = "the embedded engine does not measure what pods take"
_NO_SCALE = "the HPA controller was unable to get the target's current scale"
_SCALE = "the HPA controller was able to get the target's current scale"
_NO_COUNT = "the HPA was unable to compute the replica count"


class HorizontalController(Controller[Key]):
    """Does what the real one does on a cluster without a metrics server."""

    name = "kube-controller-manager"
    resources: ClassVar[set[str]] = {"horizontalpodautoscalers"}
    subject = "horizontalpodautoscalers"

    def items(self, event: Event) -> Iterable[Key]:
        if event.type == "ADDED":
            yield key(event.object)

    def reconcile(self, item: Key) -> float | None:
        autoscaler = self.registry.store.get(self.subject, *item)
        if autoscaler is None or being_deleted(autoscaler):
            return None
        age = seconds(self.registry.now()) - seconds(autoscaler["metadata"]["creationTimestamp"])
        if age < PERIOD_SECONDS:
            return PERIOD_SECONDS - age
        try:
            self._scale(autoscaler)
        except StatusError as error:
            self._say(autoscaler, "AbleToScale", "False", "FailedGetScale", f"{_NO_SCALE}: {error}")
            self._warn(autoscaler, "FailedGetScale", str(error))
        return PERIOD_SECONDS

    def _scale(self, autoscaler: Obj) -> None:
        spec, namespace = autoscaler["spec"], autoscaler["metadata"]["namespace"]
        target = spec["scaleTargetRef"]
        kind = self.registry.resources.of_kind(target.get("apiVersion", ""), target["kind"])
        if kind is None or "scale" not in kind.subresources:
            api_version = target.get("apiVersion", "")
            raise StatusError(404, "NotFound", f'no matches for kind "{target["kind"]}" in "{api_version}"')
        found = self.registry.get(kind.key, namespace, target["name"])
        replicas = scale_of(kind, found)["spec"].get("replicas", 0)
        self._say(autoscaler, "AbleToScale", "True", "SucceededGetScale", _SCALE, currentReplicas=replicas)
        wanted = min(max(replicas, spec["minReplicas"]), spec["maxReplicas"])
        if not replicas:
            why = "scaling is disabled since the replica count of the target is zero"
            self._say(autoscaler, "ScalingActive", "False", "ScalingDisabled", why)
        elif wanted == replicas:
            self._measure(autoscaler)
        else:
            body = {"spec": {"replicas": wanted}}
            self.registry.patch(
                kind.key, namespace, target["name"], body, MERGE_PATCH, manager=self.name, subresource="scale"
            )
            self._rescaled(autoscaler, replicas, wanted)

    def _rescaled(self, autoscaler: Obj, before: int, now: int) -> None:
        bound = "below Spec.MinReplicas" if before < now else "above Spec.MaxReplicas"
        why = f"the HPA controller was able to update the target scale to {now}"
        self._say(autoscaler, "AbleToScale", "True", "SucceededRescale", why, desiredReplicas=now)
        message = f"New size: {now}; reason: Current number of replicas {bound}"
        self.registry.record_event(autoscaler, "Normal", "SuccessfulRescale", message, component=COMPONENT)

    def _measure(self, autoscaler: Obj) -> None:
        """Say why the number of replicas stays: the measure that it depends on is not there."""
        metric = autoscaler["spec"]["metrics"][0]
        if metric["type"] == "Resource":
            name = metric["resource"]["name"]
            reason, what = "FailedGetResourceMetric", f"unable to get metrics for resource {name}"
            if "averageUtilization" in metric["resource"]["target"]:
                what = f"failed to get {name} utilization: {what}"
        else:
            reason, what = f"FailedGet{metric['type']}Metric", f"unable to get the {metric['type']} metric"
        why = f"{what}: {UNMEASURED}"
        self._say(autoscaler, "ScalingActive", "False", reason, f"{_NO_COUNT}: {why}")
        self._warn(autoscaler, reason, why)

    def _warn(self, autoscaler: Obj, reason: str, message: str) -> None:
        self.registry.record_event(autoscaler, "Warning", reason, message, component=COMPONENT)

    def _say(
        self, autoscaler: Obj, type_: str, status: str, reason: str, message: str, **counts: Any
    ) -> None:
        """Write a condition, and counts, into an autoscaler's status."""
        new = {
            "type": type_,
            "status": status,
            "lastTransitionTime": self.registry.now(),
            "reason": reason,
            "message": message,
        }

        def change(obj: Obj) -> None:
            before = obj.get("status", {})
            conditions = put_condition(before.get("conditions", ()), new)
            obj["status"] = {**before, "conditions": conditions, **counts}

        self.registry.mutate(self.subject, *key(autoscaler), change, manager=self.name, subresource="status")

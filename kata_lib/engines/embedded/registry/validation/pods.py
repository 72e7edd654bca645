"""Rules of pods, and of the templates from which they are made."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry import names
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation import metadata
from kata_lib.engines.embedded.registry.validation.causes import (
    duplicate,
    invalid,
    not_found,
    not_supported,
    required,
)
from kata_lib.engines.embedded.registry.validation.environment import environment
from kata_lib.engines.embedded.registry.validation.placement import placement, user
from kata_lib.engines.embedded.registry.validation.pod_updates import update
from kata_lib.engines.embedded.registry.validation.probes import port_reference, probe
from kata_lib.engines.embedded.registry.validation.quantities import resources
from kata_lib.engines.embedded.store import Obj

Part = Mapping[str, Any]

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")


def pod(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a Pod, or with a change of one: little of a pod may change."""
    yield from specification("spec", obj.get("spec", {}))
    if old is not None:
        yield from update(obj["spec"], old["spec"])


def template(path: str, found: Part) -> Iterator[Cause]:
    """Return what is wrong with a pod template that stands at `path`."""
    meta = found.get("metadata", {})
    yield from metadata.labels(f"{path}.labels", meta.get("labels", {}))
    yield from metadata.annotations(f"{path}.annotations", meta.get("annotations", {}))
    yield from specification(f"{path}.spec", found.get("spec", {}))


def specification(path: str, spec: Part) -> Iterator[Cause]:
    """Return what is wrong with a pod's specification that stands at `path`."""
    volumes = spec.get("volumes", ())
    yield from _named(f"{path}.volumes", volumes, names.dns_label)
    known = {volume.get("name") for volume in volumes}
    seen: set[str] = set()
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    for field in ("containers", "initContainers"):
        yield from _named(f"{path}.{field}", spec.get(field, ()), names.dns_label, seen)
        for position, found in enumerate(spec.get(field, ())):
            yield from _container(f"{path}.{field}[{position}]", found, known)
    yield from _one_of(f"{path}.restartPolicy", spec.get("restartPolicy"), _RESTART_POLICIES)
    yield from _one_of(f"{path}.dnsPolicy", spec.get("dnsPolicy"), _DNS_POLICIES)
    yield from metadata.labels(f"{path}.nodeSelector", spec.get("nodeSelector", {}))
    if account := spec.get("serviceAccountName"):
        yield from (
            invalid(f"{path}.serviceAccountName", account, why) for why in names.dns_subdomain(account)
        )
    yield from placement(path, spec)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2**31 - 1:
        yield invalid(
            f"{path}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive"
        )


def _named(path: str, items: Any, rule: names.NameRule, seen: set[str] | None = None) -> Iterator[Cause]:
    """Check the names of a list's items: present, well formed, unique (also among those `seen` before)."""
    seen = set() if seen is None else seen
    for position, item in enumerate(items):
        inner, name = f"{path}[{position}].name", item.get("name", "")
        if not name:
            yield required(inner)
            continue
        yield from (invalid(inner, name, why) for why in rule(name))
        if name in seen:
            yield duplicate(inner, name)
        seen.add(name)


def _one_of(path: str, value: Any, supported: tuple[str, ...]) -> Iterator[Cause]:
    if not value:
        yield required(path)
    elif value not in supported:
        yield not_supported(path, value, supported)


def _container(path: str, found: Part, volumes: set[Any]) -> Iterator[Cause]:
    image = found.get("image", "")
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    message_policy = found.get("terminationMessagePolicy")
    yield from _one_of(f"{path}.terminationMessagePolicy", message_policy, _MESSAGE_POLICIES)
    yield from _ports(f"{path}.ports", found.get("ports", ()))
    yield from environment(f"{path}.env", found.get("env", ()))
    yield from _mounts(f"{path}.volumeMounts", found.get("volumeMounts", ()), volumes)
    yield from _one_of(f"{path}.imagePullPolicy", found.get("imagePullPolicy"), _PULL_POLICIES)
    yield from resources(f"{path}.resources", found.get("resources", {}))
    yield from user(f"{path}.securityContext", found.get("securityContext", {}))
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in found:
            yield from probe(f"{path}.{name}", found[name], must_succeed_once=name != "readinessProbe")
    for name, handler in found.get("lifecycle", {}).items():
        if isinstance(handler, dict) and "httpGet" in handler:
            inner = f"{path}.lifecycle.{name}.httpGet.port"
            yield from port_reference(inner, handler["httpGet"].get("port", 0))


def _ports(path: str, ports: Any) -> Iterator[Cause]:
    seen = set()
    for position, port in enumerate(ports):
        inner, name = f"{path}[{position}]", port.get("name")
        if name:
            yield from (invalid(f"{inner}.name", name, why) for why in names.port_name(name))
            if name in seen:
                yield duplicate(f"{inner}.name", name)
            seen.add(name)
        number = port.get("containerPort", 0)
        if not number:
            yield required(f"{inner}.containerPort")
        else:
            yield from _numbers(f"{inner}.containerPort", number)
        if port.get("hostPort"):
            yield from _numbers(f"{inner}.hostPort", port["hostPort"])
        yield from _one_of(f"{inner}.protocol", port.get("protocol"), _PROTOCOLS)


def _numbers(path: str, number: int) -> Iterator[Cause]:
    return (invalid(path, number, why) for why in names.port_number(number))


def _mounts(path: str, mounts: Any, volumes: set[Any]) -> Iterator[Cause]:
    seen = set()
    for position, mount in enumerate(mounts):
        inner, name, place = f"{path}[{position}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(f"{inner}.name")
        elif name not in volumes:
            yield not_found(f"{inner}.name", name)
        if not place:
            yield required(f"{inner}.mountPath")
        elif place in seen:
            yield invalid(f"{inner}.mountPath", place, "must be unique")
        seen.add(place)

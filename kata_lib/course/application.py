"""The workshop's application: three services of one image, of which `sentences` asks the other two.

Its answers tell their version: "Porthos (v2) is 42 years" is from version 2, one without a mark from version
1.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from kata_lib import traffic
from kata_lib.engines.application import Application
from kata_lib.errors import ClusterError
from kata_lib.machine import PROJECT
from kata_lib.mesh import gateways
from kata_lib.traffic import UNKNOWN, VersionOf

if TYPE_CHECKING:
    from kata_lib.cluster.cluster import Cluster

APPLICATION = Application(
    image="kata/sentences",
    tags=("v1", "v2", "v3"),
    source=PROJECT / "deploy" / "app",
    program="sentences.py",
    port=5000,
    service="sentences",
    node_port=30500,
    pods=8,  # four of v2, two of v1, age and sentences
)

_MARK = re.compile(r" \((v\d+)\)")
_SENTENCE = re.compile(r"(?P<name>\S.*) is \S+( \(v\d+\))? years")
_NAME = re.compile(r"[^\W\d_][\w' -]*")


def version_of(answer: str) -> str:
    """Return the version that an answer is from, "v2" for the mark " (v2)".

    Version 1 has no mark, but a form: "Porthos is 42 years". What has neither is no answer of sentences, and
    its version is UNKNOWN. Only the name's mark counts: where a rule sends requests for `age` to `name`, the
    age is a name too, as in "Porthos is Athos (v2) years".
    """
    sentence = _SENTENCE.fullmatch(answer.strip())
    return mark_in(sentence["name"] if sentence else answer) or ("v1" if sentence else UNKNOWN)


def version_of_name(answer: str) -> str:
    """Return the version of an answer of `name` itself: "Porthos", without a mark, is version 1's."""
    return mark_in(answer) or ("v1" if _NAME.fullmatch(answer.strip()) else UNKNOWN)


def mark_in(text: str) -> str | None:
    """Return the version that a text is marked with, None without one: errors have it at best."""
    mark = _MARK.search(text)
    return mark[1] if mark else None


sample = partial(traffic.sample, version_of=version_of)
Sampler = partial(traffic.Sampler, version_of=version_of)
frame_of = partial(traffic.frame_of, version_of=version_of)
"""As those of kata_lib.traffic, with the versions of the application's answers."""


def host_of(service: str) -> str:
    """Return the host under which callers outside ask a gateway for a service of the workshop."""
    return f"{service}.example"


def asked(service: str, headers: Mapping[str, str] | None = None) -> tuple[Mapping[str, str], VersionOf]:
    """Return the headers by which a gateway is asked for a service, and what tells its answers' versions.

    service: "" for whatever the gateway leads to by itself, which is sentences.
    """
    if not service:
        return headers or {}, version_of
    return {**(headers or {}), "host": host_of(service)}, (
        version_of_name if service == "name" else version_of
    )


def url(cluster: "Cluster", through: str = "", port: str = "") -> str:
    """Return where sentences answers, by itself or through a gateway; ClusterError says what is missing.

    port: a gateway's, by name or number, such as https; by default its first.
    """
    if through:
        from kata_lib.engines import ways

        return ways.url(cluster, gateways.service_of(cluster, through), port)
    if cluster.get("v1", "Service", APPLICATION.service) is None:
        raise ClusterError(
            f"There is no Service {APPLICATION.service!r} in namespace {cluster.namespace}: "
            "`kubectl apply -f deploy/v1` makes the workshop's."
        )
    return cluster.url(APPLICATION.service, port)

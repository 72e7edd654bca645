"""What the server tells about itself: version, health, discovery, OpenAPI."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from aiohttp import web

from kata_lib import versions
from kata_lib.engines.embedded.api import discovery, openapi_protobuf
from kata_lib.engines.embedded.api.respond import answer
from kata_lib.engines.embedded.registry import openapi
from kata_lib.engines.embedded.registry.served import Resources
from kata_lib.engines.embedded.registry.status import no_such_path

_MAJOR, _MINOR, _ = versions.KUBERNETES.split(".")
VERSION = {
    "major": _MAJOR,
    "minor": _MINOR,
    "gitVersion": f"v{versions.KUBERNETES}",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": "embedded/python",
}


async def version(request: web.Request) -> web.Response:
    """Answer which Kubernetes this stands for."""
    return answer(VERSION)


async def healthy(request: web.Request) -> web.Response:
    """Answer that the server serves."""
    return web.Response(text="ok")


class Served:
    """What is served at the moment: OpenAPI's documents, and discovery."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def openapi_v2(self, request: web.Request) -> web.Response:
        """Answer with the older form, without paths: kubectl asks when version 3 does not know a kind.

        As a real server's, an edition that kubectl has on disk is not sent again.
        """
        is_protobuf = "protobuf" in request.headers.get("Accept", "")
        edition = openapi.openapi_v2_edition(self._resources) + ("-protobuf" if is_protobuf else "")
        if edition in (kept.value for kept in request.if_none_match or ()):
            response = web.Response(status=304)
        else:
            response = self._openapi_v2(is_protobuf)
        response.headers.update({"Cache-Control": "no-cache, private", "Vary": "Accept"})
        response.etag = edition
        return response

    def _openapi_v2(self, is_protobuf: bool) -> web.Response:
        info = {"title": "Kubernetes", "version": VERSION["gitVersion"]}
        definitions = openapi.openapi_v2_definitions(self._resources)
        if is_protobuf:
            document = openapi_protobuf.document(info, definitions)
            return web.Response(body=document, content_type=openapi_protobuf.CONTENT_TYPE)
        return answer({"swagger": "2.0", "info": info, "paths": {}, "definitions": definitions})

    async def openapi_index(self, request: web.Request) -> web.Response:
        """Answer where each group's OpenAPI document is."""
        return answer(openapi.openapi_v3_index(self._resources))

    async def openapi_document(self, request: web.Request) -> web.Response:
        """Answer with one group's OpenAPI document."""
        name = request.match_info["group_version"]
        if name not in openapi.openapi_v3_index(self._resources)["paths"]:
            raise no_such_path()
        group_version = name.removeprefix("apis/").removeprefix("api/")
        document = openapi.openapi_v3(self._resources, group_version)
        response = web.Response(body=document, content_type="application/json")
        if edition := request.query.get("hash"):
            response.headers.update(_kept_for_good(edition))
        return response

    async def core_discovery(self, request: web.Request) -> web.Response:
        """Answer what the core group serves."""
        if discovery.wants_aggregated(request.headers.get("Accept", "")):
            return self._aggregated(core=True)
        return answer(discovery.core_versions(request.host))

    async def groups_discovery(self, request: web.Request) -> web.Response:
        """Answer what the named groups serve."""
        if discovery.wants_aggregated(request.headers.get("Accept", "")):
            return self._aggregated(core=False)
        return answer(discovery.group_list(self._resources))

    async def group(self, request: web.Request) -> web.Response:
        """Answer which versions one group has."""
        return answer(discovery.group(self._resources, request.match_info["group"]))

    def _aggregated(self, *, core: bool) -> web.Response:
        response = answer(discovery.aggregated(self._resources, core=core))
        response.headers["Content-Type"] = discovery.AGGREGATED
        return response


def _kept_for_good(edition: str) -> dict[str, str]:
    """Return the headers by which kubectl keeps a document on disk; a new edition has another address."""
    expires = format_datetime(datetime.now(UTC) + timedelta(days=365), usegmt=True)
    caching = {"Cache-Control": "public, immutable", "Expires": expires, "Vary": "Accept"}
    return caching | {"ETag": json.dumps(edition)}

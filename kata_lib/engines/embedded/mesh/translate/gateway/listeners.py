"""A gateway's listener at a port: requests as they are, or encrypted with a certificate for each server."""

from kata_lib.engines.embedded.mesh.translate import certificates, http_proxy
from kata_lib.engines.embedded.mesh.translate.certificates import Certificate, NoCertificate
from kata_lib.engines.embedded.mesh.translate.endpoints import socket_address
from kata_lib.engines.embedded.mesh.translate.gateway.servers import Port, Server
from kata_lib.engines.embedded.mesh.translate.model import Addresses, Envoy, MeshSnapshot
from kata_lib.engines.embedded.mesh.translate.sources import route_discovery
from kata_lib.engines.embedded.store import Obj

_TLS_INSPECTOR = "envoy.filters.listener.tls_inspector"
_TLS_INSPECTOR_TYPE = "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"

_GRANTED = "kubernetes-gateway://"
"""istiod's mark of a Secret that a Gateway of the Gateway API names."""


def listener(
    port: Port, pod: Obj, snapshot: MeshSnapshot, addresses: Addresses, access_log: list[Envoy]
) -> Envoy:
    """Return the listener of a port; a server of HTTPS without a certificate has no part in it."""
    name = f"0.0.0.0_{port.number}"
    made: Envoy = {
        "name": name,
        "address": socket_address(*addresses.listen_at(pod["metadata"]["uid"], port.number)),
        "traffic_direction": "OUTBOUND",
        "filter_chains": [],
    }
    for table, (server, *_) in port.tables.items():
        chain: Envoy = {"filters": [_manager(name, table, access_log)]}
        if server.secure:
            found = _certificate(server, snapshot, pod["metadata"]["namespace"])
            if found is None:
                continue
            chain |= {"transport_socket": certificates.transport_socket(found), **_asked_for(server)}
            made["listener_filters"] = [
                {"name": _TLS_INSPECTOR, "typed_config": {"@type": _TLS_INSPECTOR_TYPE}}
            ]
        made["filter_chains"].append(chain)
    return made


def _manager(name: str, table: str, access_log: list[Envoy]) -> Envoy:
    routes = {"rds": {"config_source": route_discovery(), "route_config_name": table}}
    made = http_proxy.connection_manager(
        f"outbound_{name}", routes, http_proxy.outbound_filters(), access_log
    )
    made["typed_config"] |= {"use_remote_address": True, "server_name": "istio-envoy"}
    return made


def _certificate(server: Server, snapshot: MeshSnapshot, namespace: str) -> Certificate | None:
    """Return a server's certificate, where its Secret in the namespace of the gateway's pods has one.

    As in istiod a Secret of another namespace is read only where the Gateway API's grants allow it.
    """
    written = str((server.tls or {}).get("credentialName") or "")
    place, _, name = written.removeprefix(_GRANTED).rpartition("/")
    secret = snapshot.secrets.get((place if written.startswith(_GRANTED) else namespace, name))
    try:
        return None if secret is None else certificates.of_secret(secret)
    except NoCertificate:
        return None


def _asked_for(server: Server) -> Envoy:
    """Return by which names (SNI) a server is chosen; one for all hosts takes what names none, too."""
    names = sorted({host.rpartition("/")[2] for host in server.hosts})
    return {} if "*" in names else {"filter_chain_match": {"server_names": names}}

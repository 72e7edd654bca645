"""Certificates from Secrets, as a gateway serves them."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from kata_lib.engines.embedded.mesh.translate.model import Envoy
from kata_lib.engines.embedded.store import Obj

_TLS = "envoy.transport_sockets.tls"
_TLS_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
_KEYS = (("tls.crt", "tls.key"), ("cert", "key"))
"""Under which keys a Secret may have them: kubectl create secret tls, and the older form."""


@dataclass(frozen=True)
class Certificate:
    """A certificate, perhaps with those that signed it, and its private key, both in PEM."""

    chain: str
    key: str


class NoCertificate(ValueError):
    """A Secret has no certificate that could be used; the text says why."""


def of_secret(secret: Obj) -> Certificate:
    """Return the certificate in a Secret; NoCertificate where it has none that a server could use."""
    data: Mapping[str, str] = secret.get("data") or {}
    for chain, key in _KEYS:
        if chain in data and key in data:
            found = Certificate(_text(data, chain), _text(data, key))
            _judge(found)
            return found
    raise NoCertificate("it has no tls.crt and tls.key")


def transport_socket(certificate: Certificate) -> Envoy:
    """Return Envoy's settings for a connection that begins with TLS."""
    pair = {
        "certificate_chain": {"inline_string": certificate.chain},
        "private_key": {"inline_string": certificate.key},
    }
    common = {
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "tls_certificates": [pair],
    }
    context = {"@type": _TLS_TYPE, "common_tls_context": common, "require_client_certificate": False}
    return {"name": _TLS, "typed_config": context}


def _text(data: Mapping[str, str], key: str) -> str:
    try:
        return base64.b64decode(data[key], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise NoCertificate(f"its {key} is not PEM") from error


def _judge(found: Certificate) -> None:
    """Raise NoCertificate for what Envoy would refuse, and with it every other server's change."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    try:
        certificate = load_pem_x509_certificate(found.chain.encode())
        key = load_pem_private_key(found.key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NoCertificate(f"its certificate or its key cannot be read: {error}") from error
    if certificate.public_key() != key.public_key():
        raise NoCertificate("its key is not the one of its certificate")

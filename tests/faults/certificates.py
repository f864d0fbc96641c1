"""Creates the certificates of the fault server for each test run."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import attrs
import trustme

from tests.faults.fault import Certificate

SERVICE_HOST = "service.test"
"""The host that a client requests from the proxy of a cell. It does not resolve: only the proxy can connect to it."""


@attrs.frozen
class Certificates:
    """The TLS settings of server and client.

    Attributes:
        shown: the contexts of the server, by certificate.
        trust: the context of a client that trusts only one authority.
    """

    shown: dict[Certificate, ssl.SSLContext]
    trust: ssl.SSLContext


def make_certificates() -> Certificates:
    """Create an authority that clients trust, another that they do not trust, and each kind of certificate."""
    authority, unknown_authority = trustme.CA(), trustme.CA()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    long_ago = yesterday - timedelta(days=30)
    leaves = {
        Certificate.GOOD: authority.issue_cert("127.0.0.1", "localhost", SERVICE_HOST),
        Certificate.WRONG_HOST: authority.issue_cert("elsewhere.test"),
        Certificate.EXPIRED: authority.issue_cert("127.0.0.1", not_before=long_ago, not_after=yesterday),
        Certificate.UNKNOWN_CA: unknown_authority.issue_cert("127.0.0.1", "localhost", SERVICE_HOST),
    }
    shown: dict[Certificate, ssl.SSLContext] = {}
    for kind, leaf in leaves.items():
        shown[kind] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(shown[kind])  # pyright: ignore[reportUnknownMemberType] - its signature also names pyOpenSSL
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(trust)  # pyright: ignore[reportUnknownMemberType] - its signature also names pyOpenSSL
    return Certificates(shown, trust)

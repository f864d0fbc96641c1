"""The certificates that the fault server shows, made anew for each run. Nothing here listens or connects."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import attrs
import trustme

from tests.faults.fault import Certificate

SERVICE_HOST = "service.test"
"""The host that a client asks the cell's proxy for. It resolves nowhere: only the proxy leads there."""


@attrs.frozen
class Certificates:
    """TLS for both sides.

    Attributes:
        shown: what the server shows, by kind.
        trust: what a client trusts: one authority, and no other.
    """

    shown: dict[Certificate, ssl.SSLContext]
    trust: ssl.SSLContext


def make_certificates() -> Certificates:
    """Make an authority that clients trust, one that they do not, and a certificate of each kind."""
    authority, stranger = trustme.CA(), trustme.CA()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    long_ago = yesterday - timedelta(days=30)
    leaves = {
        Certificate.GOOD: authority.issue_cert("127.0.0.1", "localhost", SERVICE_HOST),
        Certificate.WRONG_HOST: authority.issue_cert("elsewhere.test"),
        Certificate.EXPIRED: authority.issue_cert("127.0.0.1", not_before=long_ago, not_after=yesterday),
        Certificate.UNKNOWN_CA: stranger.issue_cert("127.0.0.1", "localhost", SERVICE_HOST),
    }
    shown: dict[Certificate, ssl.SSLContext] = {}
    for kind, leaf in leaves.items():
        shown[kind] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(shown[kind])  # pyright: ignore[reportUnknownMemberType] - it may name pyOpenSSL
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(trust)  # pyright: ignore[reportUnknownMemberType] - it may name pyOpenSSL
    return Certificates(shown, trust)

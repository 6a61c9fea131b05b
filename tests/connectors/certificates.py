"""Certificates of a private authority, good and bad, for servers on loopback."""

import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import trustme


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """What a server needs to show the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def authority_file(authority: trustme.CA, folder: Path) -> str:
    """The authority's own certificate as a file, for ``ca_file``."""
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


BAD: Mapping[str, tuple[Callable[[trustme.CA], trustme.LeafCert], str]] = {
    "expired": (
        lambda ours: ours.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC)),
        "expired",
    ),
    "of another host": (lambda ours: ours.issue_cert("mail.example.com"), "(?i)mismatch"),
    "of an unknown authority": (
        lambda _: trustme.CA().issue_cert("127.0.0.1"),
        "(?i)unable to get local issuer",
    ),
}
"""Certificates that no client may accept, and the word by which the fault is told."""

"""Signed assertions (JSON Web Tokens by RS256, RFC 7523) that vendors take for a grant."""

import base64
import json
from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from connectors.base.redact import remember

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def private_key(pem: str) -> RSAPrivateKey:
    """The RSA key of a PEM text.

    Raises:
        ValueError: it is none; the text is not shown.
    """
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("no private key in PEM form without a password") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("the private key is no RSA key")  # noqa: TRY004 - a bad value to users
    return key


def signed(key: RSAPrivateKey, claims: Mapping[str, object]) -> str:
    """The assertion; whoever logs it shows a mask."""
    text = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
    assertion = f"{text}.{_base64(key.sign(text.encode(), PKCS1v15(), SHA256()))}"
    remember(assertion)
    return assertion


def _part(value: Mapping[str, object]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

"""Signing in to Gmail: a signed assertion per mailbox, or a person's refresh token.

Google's service accounts: RS256 over header and claims, ``sub`` is the mailbox to act as
(RFC 7523; developers.google.com/identity/protocols/oauth2/service-account).
"""

import base64
import json
import time
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from connectors.base.auth import Auth, Granted, OAuth, OAuthSettings
from connectors.base.errors import ConfigError
from connectors.base.redact import remember
from connectors.base.stream import Resources
from connectors.gmail.settings import GmailSettings

SCOPE = "https://www.googleapis.com/auth/gmail.metadata"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFE_SECONDS = 3600


def signed_in(settings: GmailSettings, mailbox: str, resources: Resources) -> Auth:
    """The credential that opens one mailbox.

    Raises:
        ConfigError: the service account's key cannot be used.
    """
    if settings.refresh_token is not None:
        return OAuth(
            OAuthSettings(
                token_url=settings.token_url,
                client_id=settings.client_id or "",
                client_secret=settings.client_secret,
                refresh_token=settings.refresh_token,
            ),
            Path(resources.state_dir) / "token.json",
            ca_file=settings.ca_file,
        )
    remember(settings.service_account)
    try:
        held = settings.key()
        key = load_pem_private_key(held["private_key"].encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError(
            f"service_account of sources.gmail.{resources.connection} is not the JSON key of a "
            "service account, with client_email and an RSA private_key."
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError("the private key of the service account is no RSA key.")
    remember(held["private_key"])
    signer = key

    def form() -> Mapping[str, str]:
        now = int(time.time())
        claims = {
            "iss": held["client_email"],
            "sub": mailbox,
            "scope": SCOPE,
            "aud": settings.token_url,
            "iat": now,
            "exp": now + LIFE_SECONDS,
        }
        text = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
        signature = signer.sign(text.encode(), PKCS1v15(), SHA256())
        assertion = f"{text}.{_base64(signature)}"
        remember(assertion)
        return {"grant_type": GRANT, "assertion": assertion}

    return Granted(
        settings.token_url,
        form,
        mend=f"Is {mailbox} a mailbox, and may the account act for it with the scope {SCOPE}?",
        ca_file=settings.ca_file,
    )


def _part(value: Mapping[str, object]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

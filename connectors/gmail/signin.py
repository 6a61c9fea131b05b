"""Signing in to Gmail: a signed assertion per mailbox, or a person's refresh token.

Google's service accounts: RS256 over header and claims, ``sub`` is the mailbox to act as
(RFC 7523; developers.google.com/identity/protocols/oauth2/service-account).
"""

import time
from collections.abc import Mapping
from pathlib import Path

from connectors.base.assertion import GRANT, private_key, signed
from connectors.base.auth import Auth, Granted, OAuth, OAuthSettings
from connectors.base.errors import ConfigError
from connectors.base.redact import remember
from connectors.base.stream import Resources
from connectors.gmail.settings import GmailSettings

SCOPE = "https://www.googleapis.com/auth/gmail.metadata"
SCOPE_OF_TEXT = "https://www.googleapis.com/auth/gmail.readonly"
LIFE_SECONDS = 3600


def needed_scope(settings: GmailSettings) -> str:
    """The narrowest scope that shows what the settings want."""
    return SCOPE_OF_TEXT if settings.store_bodies else SCOPE


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
        key = private_key(held["private_key"])
    except ValueError:
        raise ConfigError(
            f"service_account of sources.gmail.{resources.connection} is not the JSON key of a "
            "service account, with client_email and an RSA private_key."
        ) from None
    remember(held["private_key"])

    scope = needed_scope(settings)

    def form() -> Mapping[str, str]:
        now = int(time.time())
        claims = {
            "iss": held["client_email"],
            "sub": mailbox,
            "scope": scope,
            "aud": settings.token_url,
            "iat": now,
            "exp": now + LIFE_SECONDS,
        }
        return {"grant_type": GRANT, "assertion": signed(key, claims)}

    return Granted(
        settings.token_url,
        form,
        mend=f"Is {mailbox} a mailbox, and may the account act for it with the scope {scope}?",
        ca_file=settings.ca_file,
    )

"""Signing in: client credentials, a signed assertion, or a refresh token that may rotate.

A session lasts as long as the org says (two hours where nobody changed it), and no answer
tells: a refused one is replaced once.
"""

import time
from collections.abc import Mapping
from pathlib import Path

from connectors.base.assertion import GRANT, private_key, signed
from connectors.base.auth import Auth, Granted, OAuth, OAuthSettings
from connectors.base.errors import ConfigError
from connectors.base.redact import remember
from connectors.base.stream import Resources
from connectors.salesforce.settings import SalesforceSettings

LIFE_SECONDS = 180
"""Of an assertion: the vendor takes none that lives longer than five minutes."""
SANDBOX_HOST = ".sandbox.my.salesforce.com"


def signed_in(settings: SalesforceSettings, resources: Resources) -> Auth:
    """The credential of the org.

    Raises:
        ConfigError: the private key cannot be used.
    """
    url = f"{settings.base_url}/services/oauth2/token"
    remember(settings.client_secret, settings.private_key, settings.refresh_token)
    if settings.refresh_token is not None:
        return OAuth(
            OAuthSettings(
                token_url=url,
                client_id=settings.client_id,
                client_secret=settings.client_secret,
                refresh_token=settings.refresh_token,
            ),
            Path(resources.state_dir) / "oauth.json",
            ca_file=settings.ca_file,
        )
    if settings.private_key is not None:
        return _asserted(settings, resources, url)
    secret = settings.client_secret.get_secret_value() if settings.client_secret else ""
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.client_id,
        "client_secret": secret,
    }
    return Granted(
        url,
        lambda: form,
        mend="Is the client credentials flow on, with a user to run as?",
        ca_file=settings.ca_file,
    )


def _asserted(settings: SalesforceSettings, resources: Resources, url: str) -> Auth:
    try:
        key = private_key(settings.private_key.get_secret_value() if settings.private_key else "")
    except ValueError as fault:
        raise ConfigError(
            f"private_key of sources.salesforce.{resources.connection}: {fault}."
        ) from None
    is_sandbox = SANDBOX_HOST in settings.base_url
    host = "test.salesforce.com" if is_sandbox else "login.salesforce.com"
    audience = settings.audience or f"https://{host}"

    def form() -> Mapping[str, str]:
        claims = {
            "iss": settings.client_id,
            "sub": settings.username,
            "aud": audience,
            "exp": int(time.time()) + LIFE_SECONDS,
        }
        return {"grant_type": GRANT, "assertion": signed(key, claims)}

    return Granted(
        url,
        form,
        mend=f"Is {settings.username} allowed to use the app in advance, and does the app hold "
        "the key's certificate?",
        ca_file=settings.ca_file,
    )

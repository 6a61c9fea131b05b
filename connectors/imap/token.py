"""Access tokens for XOAUTH2 from Google's or Microsoft's token endpoint."""

from pathlib import Path

from connectors.base.auth import Auth, Granted, OAuth, OAuthSettings
from connectors.base.redact import remember
from connectors.base.stream import Resources
from connectors.imap.settings import ImapSettings


def token_auth(settings: ImapSettings, resources: Resources) -> Auth | None:
    """What gives fresh tokens: a refresh token, or the application's own credentials.

    None where the settings name no token endpoint.
    """
    if settings.token_url is None or settings.client_secret is None:
        return None
    secret = settings.client_secret
    ca_file = str(settings.ca_file) if settings.ca_file else None
    scope = {"scope": settings.scope} if settings.scope else {}
    if settings.refresh_token is not None:
        grant = OAuthSettings(
            token_url=settings.token_url,
            client_id=settings.client_id or "",
            client_secret=secret,
            refresh_token=settings.refresh_token,
            extra=scope,
        )
        return OAuth(grant, Path(resources.state_dir) / "token.json", ca_file=ca_file)
    remember(secret)
    return Granted(
        settings.token_url,
        lambda: {
            "grant_type": "client_credentials",
            "client_id": settings.client_id or "",
            "client_secret": secret.get_secret_value(),
            **scope,
        },
        mend="Check client_id, client_secret and scope.",
        ca_file=ca_file,
    )

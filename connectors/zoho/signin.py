"""Access tokens from a refresh token: few, kept, and shared by all processes.

Zoho grants at most ten tokens for a refresh token in ten minutes and then refuses all for a
while, so a token is kept on disk beside the times of the latest grants and used again by
the next run until it is old. The answer to a refresh is 200 even where it refuses.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from connectors.base.auth import ask_token
from connectors.base.decode import decode
from connectors.base.errors import AccessDenied, BudgetSpent, ProtocolError, VendorError
from connectors.base.redact import remember
from connectors.base.shared import Kept, Shared, grant_name
from connectors.base.transport import Bounds
from connectors.zoho.centres import checked_domain
from connectors.zoho.settings import ZohoSettings

PREFIX = "Zoho-oauthtoken "
REFRESH_AT = 0.8
"""The share of a token's hour after which it is replaced before use."""
GRANTS = 8
GRANT_SECONDS = 600.0
"""Of ten, two are left to whoever else has the same refresh token."""
PAUSE_SECONDS = 1.0
TOO_MANY = "too many requests"


class _Stored(Kept):
    access_token: str
    api_domain: str
    obtained_at: float
    expires_in: float
    granted_at: list[float]
    scope: str = ""


class _Granted(msgspec.Struct):
    access_token: str | None = None
    api_domain: str | None = None
    expires_in: float | str = 3600
    scope: str | None = None
    error: str | None = None
    error_description: str | None = None


class SignIn:
    """Holds the access token, and gets another when it is old or refused."""

    def __init__(self, settings: ZohoSettings, store: Path) -> None:
        """``store`` is the private file (mode 0600) that other processes read."""
        remember(settings.client_secret, settings.refresh_token)
        self._settings = settings
        refresh_token = settings.refresh_token.get_secret_value()
        self._grant = grant_name(settings.accounts, settings.client_id, refresh_token)
        self._shared = Shared(
            store,
            _Stored,
            grant=self._grant,
            secrets=lambda held: (held.access_token,),
            is_live=_is_live,
            renew=self._refresh,
        )

    async def headers(self) -> Mapping[str, str]:
        """The header with a token that has some of its life left."""
        return {"Authorization": PREFIX + (await self._shared.get()).access_token}

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """Get a token other than the refused one, from the store or the vendor."""
        await self._shared.get(refused.get("Authorization", "").removeprefix(PREFIX))
        return True

    async def api_domain(self) -> str:
        """The address of the API, as the vendor named it and the data centre has it.

        Raises:
            AccessDenied: the grant is refused.
            OriginRefused: the vendor names a host that is not the data centre's.
        """
        # The store is ours, but no file leads a token anywhere.
        return self._checked((await self._shared.get()).api_domain)

    async def scopes(self) -> tuple[str, ...]:
        """What the grant may do, in the vendor's words; empty where it does not say."""
        return tuple(sorted((await self._shared.get()).scope.replace(",", " ").split()))

    def _checked(self, domain: str) -> str:
        settings = self._settings
        return checked_domain(domain, settings.data_center, settings.accounts_origin)

    async def _refresh(self, stored: _Stored | None) -> _Stored:
        settings = self._settings
        now = time.time()
        granted_at = [
            at for at in (stored.granted_at if stored else ()) if 0 <= now - at < GRANT_SECONDS
        ]
        if len(granted_at) >= GRANTS:
            raise _too_many(granted_at[0] + GRANT_SECONDS, f"{len(granted_at)} were granted")
        form = {
            "grant_type": "refresh_token",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value(),
            "refresh_token": settings.refresh_token.get_secret_value(),
        }
        mend = (
            f"The data centre is {settings.data_center!r}: a grant of another one is refused "
            "like a wrong one. Make a new refresh token in the API console of your data centre."
        )
        try:
            answer = await ask_token(
                f"{settings.accounts}/oauth/v2/token",
                urlencode(form).encode(),
                {
                    "Accept": "application/json",
                    "Content-Type": "application/x-www-form-urlencoded",
                },
                what="refresh token",
                mend=mend,
                ca_file=settings.ca_file,
                bounds=Bounds(max_body_bytes=1_000_000, deadline_seconds=30.0),
                attempts=3,
                pause_seconds=PAUSE_SECONDS,
            )
        except AccessDenied as fault:
            if TOO_MANY in str(fault).lower():
                raise _too_many(now + GRANT_SECONDS, str(fault)) from None
            raise
        granted = decode(answer.body, _Granted)
        if granted.error is not None or not granted.access_token:
            said = ": ".join(part for part in (granted.error, granted.error_description) if part)
            if TOO_MANY in said.lower():
                raise _too_many(now + GRANT_SECONDS, said)
            if granted.error is None:
                raise VendorError("the token endpoint answers 200 without a token")
            raise AccessDenied(
                f'the token endpoint refused the refresh token: "{said}". {mend}',
                whole_source=True,
            )
        if not granted.api_domain:
            raise ProtocolError("the token endpoint names no api_domain")
        return _Stored(
            access_token=granted.access_token,
            api_domain=self._checked(granted.api_domain),
            obtained_at=now,
            expires_in=float(granted.expires_in),
            grant=self._grant,
            granted_at=[*granted_at, now],
            scope=granted.scope or "",
        )


def _is_live(held: _Stored) -> bool:
    # A negative age: the clock was set back, so the token's life is unknown.
    return 0 <= time.time() - held.obtained_at < held.expires_in * REFRESH_AT


def _too_many(until: float, why: str) -> BudgetSpent:
    resets_at = datetime.fromtimestamp(until, UTC)
    wait = max(timedelta(0), resets_at - datetime.now(UTC))
    return BudgetSpent(
        f"no access token for {wait.total_seconds():.0f} s ({why}): Zoho grants ten for a refresh "
        "token in ten minutes. Give each program a refresh token of its own.",
        resets_at=resets_at,
    )

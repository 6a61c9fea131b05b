"""Opening a connection: its credential, its allowances, and what its refusals mean."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from connectors.base.auth import Auth, Basic, Granted, OAuth, OAuthSettings
from connectors.base.budget import Budget, Limit, Observed
from connectors.base.client import Client, ClientSettings, Response, retry_after
from connectors.base.decode import decode
from connectors.base.errors import (
    AccessDenied,
    BudgetSpent,
    ConfigError,
    ProtocolError,
    SourceError,
    VendorError,
)
from connectors.base.stream import Resources
from connectors.xero.session import NOT_COUNTED, Session
from connectors.xero.settings import XeroSettings

LONGEST_PAUSE_SECONDS = 90.0
PAUSE_SECONDS = {"minute": 15.0, "appminute": 15.0, "concurrent": 2.0}
"""Where a 429 does not say how long; times the number of the try."""
MESSAGES = 3


def budgets(settings: XeroSettings) -> tuple[Budget, ...]:
    """Calls in a minute and in a day, and how many at once."""
    minute = Limit("minute", settings.calls_per_minute, timedelta(minutes=1))
    day = Limit("day", settings.daily_calls, "day", reserve=settings.daily_reserve)
    return (
        Budget("default", (minute, day), concurrency=settings.concurrency),
        # No call to an organisation.
        Budget(NOT_COUNTED, (), concurrency=1),
    )


def observed(headers: Mapping[str, str]) -> Mapping[str, Observed]:
    """What an answer says is left of the day."""
    text = headers.get("x-daylimit-remaining", "").strip()
    return {"day": Observed(None, int(text))} if text.isdecimal() else {}


class _Problem(msgspec.Struct):
    Message: str = ""


class _Element(msgspec.Struct):
    ValidationErrors: list[_Problem] = []


class _Refusal(msgspec.Struct):
    Detail: str | None = None
    Elements: list[_Element] = []


def _refusal(response: Response) -> _Refusal:
    try:
        return decode(response.body, _Refusal)
    except ProtocolError:
        return _Refusal()


def judge(response: Response, trouble: str) -> SourceError | None:
    """What Xero means by a status, where it differs from what others mean."""
    if response.status == 429 and _problem(response).startswith("da"):
        now = datetime.now(UTC)
        wait = retry_after(response.headers, now) or 3600.0
        return BudgetSpent(
            f"{trouble}. The organisation's calls of the last 24 hours are used up; the next "
            "run goes on from the stored cursor.",
            resets_at=now + timedelta(seconds=wait),
            status=429,
        )
    if response.status == 401 and "Unsuccessful" in (_refusal(response).Detail or ""):
        return AccessDenied(
            f"{trouble}. The token lacks the scope, or the app's tier the right: grant it and "
            "sign in again, or drop the stream from `streams`.",
            status=401,
        )
    if response.status == 403 and "AuthenticationUnsuccessful" in (_refusal(response).Detail or ""):
        return AccessDenied(
            f"{trouble}. The organisation is not connected to the app any more: connect it "
            "again in Xero, or sign in again and choose it.",
            status=403,
            whole_source=True,
        )
    if response.status == 400:
        said = [
            one.Message for part in _refusal(response).Elements for one in part.ValidationErrors
        ]
        if said:
            return VendorError(f"{trouble}: {'; '.join(said[:MESSAGES])}", status=400)
    return None


def _problem(response: Response) -> str:
    """Which limit a 429 is about: minute, day, appminute, concurrent."""
    return response.headers.get("x-rate-limit-problem", "").strip().lower()


def pause(response: Response, attempt: int) -> float | None:
    """Seconds to wait after a 429 that does not say; None for the general rhythm."""
    if response.status != 429:
        return None
    return PAUSE_SECONDS.get(_problem(response), PAUSE_SECONDS["minute"]) * attempt


def credential(settings: XeroSettings, resources: Resources) -> Auth:
    """A signed-in user's token, whose newest is kept on disk, or a custom connection's.

    Xero replaces the refresh token at every refresh and knows one chain of them per user and
    app. Connections that were given the same token therefore share one store: each on its own
    they would void each other's.

    Raises:
        ConfigError: there is neither.
    """
    if settings.refresh_token is not None:
        secret = settings.refresh_token.get_secret_value()
        chain = hashlib.sha256(f"{settings.client_id}|{secret}".encode()).hexdigest()[:16]
        return OAuth(
            OAuthSettings(
                token_url=settings.token_url,
                client_id=settings.client_id,
                client_secret=settings.client_secret,
                refresh_token=settings.refresh_token,
                client_secret_basic=True,
            ),
            Path(resources.state_dir).parent / f"xero-sign-in-{chain}.json",
            ca_file=settings.ca_file,
        )
    if settings.client_secret is None:
        raise ConfigError("give `refresh_token`, or `client_secret` of a custom connection")
    form = {"grant_type": "client_credentials", "scope": " ".join(settings.asked_scopes)}
    return Granted(
        settings.token_url,
        lambda: form,
        mend="Check id and secret of the custom connection, and that it has these scopes.",
        client=Basic(settings.client_id, settings.client_secret),
        ca_file=settings.ca_file,
    )


@asynccontextmanager
async def open_organisation(settings: XeroSettings, resources: Resources) -> AsyncIterator[Session]:
    """Open an organisation; the session is shared by all its readers."""
    own = ClientSettings(
        base_url=settings.base_url,
        budgets=budgets(settings),
        ca_file=settings.ca_file,
        observe=observed,
        judge=judge,
        pause=pause,
        longest_pause_seconds=LONGEST_PAUSE_SECONDS,
    )
    auth = credential(settings, resources)
    async with Client.open(own, auth=auth, resources=resources) as client:
        yield Session(client, settings, auth, Path(resources.state_dir))

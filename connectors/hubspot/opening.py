"""Opening an account: its credential, its allowances, and what its refusals mean."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from connectors.base.auth import Auth, Bearer, OAuth, OAuthSettings
from connectors.base.budget import Budget, Limit, Observed
from connectors.base.client import Client, ClientSettings, Response, retry_after
from connectors.base.decode import decode
from connectors.base.errors import AccessDenied, BudgetSpent, ProtocolError, SourceError
from connectors.base.stream import Resources
from connectors.hubspot.session import Session
from connectors.hubspot.settings import HubspotSettings

# Every answer but those of search names the true limit, and no more than the eight
# requests that run at once can leave before the first one has.
TEN_SECONDS_UNTIL_TOLD = 1_000
PER_DAY_UNTIL_TOLD = 250_000
# The documents say 5 a second per account, older ones 4.
SEARCH_PER_SECOND = 4
HEADROOM = 0.1
ROLLING_PAUSE_SECONDS = 10.0
SEARCH_PAUSE_SECONDS = 1.0
LOCKED_PAUSE_SECONDS = 2.0


def budgets(settings: HubspotSettings) -> tuple[Budget, ...]:
    """The account's allowances; OAuth apps have no daily one."""
    rolling = Limit("ten_seconds", TEN_SECONDS_UNTIL_TOLD, timedelta(seconds=10), reserve=HEADROOM)
    search = Limit("search", SEARCH_PER_SECOND, timedelta(seconds=1))
    daily = Limit("daily", PER_DAY_UNTIL_TOLD, "day", reserve=settings.daily_reserve)
    shared = () if settings.token is None else (daily,)
    return (
        Budget("default", (rolling, *shared), concurrency=8),
        Budget("search", (search, *shared), concurrency=2),
    )


def observed(headers: Mapping[str, str]) -> Mapping[str, Observed]:
    """What an answer's headers say of the allowances; search answers say nothing."""

    def number(name: str) -> int | None:
        text = headers.get(f"x-hubspot-ratelimit-{name}", "")
        return int(text) if text.isdecimal() else None

    seen = {
        "ten_seconds": Observed(number("max"), number("remaining")),
        "daily": Observed(number("daily"), number("daily-remaining")),
    }
    return {name: one for name, one in seen.items() if one.amount is not None}


class _Detail(msgspec.Struct):
    context: dict[str, Any] = {}


class _Refusal(msgspec.Struct):
    category: str | None = None
    policyName: str | None = None  # noqa: N815 - the vendor's spelling
    context: dict[str, Any] = {}
    errors: list[_Detail] = []


def _refusal(response: Response) -> _Refusal:
    try:
        return decode(response.body, _Refusal)
    except ProtocolError:
        return _Refusal()


def missing_scopes(response: Response) -> tuple[str, ...]:
    """The scopes that a 403 asks for."""
    named: list[str] = []
    refusal = _refusal(response)
    for context in (refusal.context, *(detail.context for detail in refusal.errors)):
        for key in ("requiredGranularScopes", "requiredScopes", "missingScopes"):
            scopes = context.get(key)
            named += [str(one) for one in scopes] if isinstance(scopes, list) else []
    return tuple(dict.fromkeys(named))


def judge(response: Response, trouble: str) -> SourceError | None:
    """What HubSpot means by a status, where it differs from what others mean."""
    if response.status == 403:
        scopes = missing_scopes(response)
        if scopes:
            mend = f"Grant the app {' and '.join(scopes)}, or drop the stream from `streams`."
            return AccessDenied(f"{trouble}. {mend}", status=403)
    if response.status == 530:
        return AccessDenied(
            f"{trouble}. The token has not the form of a token; copy it again.",
            status=530,
            whole_source=True,
        )
    if response.status == 429 and _refusal(response).policyName == "DAILY":
        return BudgetSpent(
            f"{trouble}. The account's calls of today are used up; the next run goes on "
            "from the stored cursor.",
            # Midnight in the account's own zone, which is at most this far away.
            resets_at=datetime.now(UTC) + timedelta(days=1),
            status=429,
        )
    if response.status == 477:
        wait = retry_after(response.headers, datetime.now(UTC)) or 24 * 3600.0
        return BudgetSpent(
            f"{trouble}. HubSpot is moving this account to another data centre.",
            resets_at=datetime.now(UTC) + timedelta(seconds=wait),
            status=477,
        )
    return None


def pause(response: Response, attempt: int) -> float | None:
    """Seconds to wait before another try: HubSpot's own client's rhythm."""
    if response.status == 429:
        rolling = _refusal(response).policyName == "TEN_SECONDLY_ROLLING"
        return (ROLLING_PAUSE_SECONDS if rolling else SEARCH_PAUSE_SECONDS) * attempt
    if response.status == 423:
        return LOCKED_PAUSE_SECONDS
    return None


def credential(settings: HubspotSettings, resources: Resources) -> Auth:
    """A static token, or an OAuth app's refresh token, whose newest is kept on disk."""
    if settings.token is not None:
        return Bearer(settings.token)
    if settings.client_id is None or settings.refresh_token is None:
        raise ValueError("neither a token nor an OAuth app: the settings were not checked")
    return OAuth(
        OAuthSettings(
            token_url=f"{settings.base_url.rstrip('/')}/oauth/2026-09/token",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            refresh_token=settings.refresh_token,
        ),
        Path(resources.state_dir) / "oauth.json",
        ca_file=settings.ca_file,
    )


@asynccontextmanager
async def open_account(settings: HubspotSettings, resources: Resources) -> AsyncIterator[Session]:
    """Open an account; the session is shared by all its readers."""
    auth = credential(settings, resources)
    own = ClientSettings(
        base_url=settings.base_url,
        budgets=budgets(settings),
        ca_file=settings.ca_file,
        observe=observed,
        judge=judge,
        pause=pause,
    )
    async with Client.open(own, auth=auth, resources=resources) as client:
        yield Session(client, settings, auth)

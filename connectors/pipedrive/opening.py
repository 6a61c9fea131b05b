"""Opening a company: its credential, its token budget, and what its refusals mean."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.base.auth import Auth, HeaderAuth, OAuth, OAuthSettings
from connectors.base.budget import Budget, Limit, Observed
from connectors.base.client import Client, ClientSettings, Response
from connectors.base.errors import AccessDenied, BudgetSpent, ConfigError, SourceError
from connectors.base.stream import Resources
from connectors.pipedrive.session import Session
from connectors.pipedrive.settings import PipedriveSettings

BURST_SECONDS = 2
BURST_OF_A_TOKEN = 20
BURST_OF_AN_APP = 80
LONGEST_BURST_PAUSE_SECONDS = 10.0
"""A refusal that lasts longer is not the two-second window but the day's budget."""


def budgets(settings: PipedriveSettings) -> tuple[Budget, ...]:
    """Requests in two seconds, tokens in a day, and the day's share of deal histories."""
    told = BURST_OF_AN_APP if settings.api_token is None else BURST_OF_A_TOKEN
    burst = Limit(
        "burst",
        settings.burst_requests or told,
        timedelta(seconds=BURST_SECONDS),
        reserve=0.1,
        per_request=True,
    )
    daily = Limit("daily", settings.daily_tokens, "day", reserve=settings.daily_reserve)
    history = Limit("history", int(settings.daily_tokens * settings.history_share), "day")
    return (
        Budget("default", (burst, daily), concurrency=4),
        Budget("history", (burst, history, daily), concurrency=4),
    )


def _number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        return float(headers.get(name, ""))
    except ValueError:
        return None


def observed(headers: Mapping[str, str]) -> Mapping[str, Observed]:
    """What an answer's headers say; the daily ones may be missing."""

    def whole(name: str) -> int | None:
        number = _number(headers, name)
        return None if number is None else max(0, int(number))

    return {
        "burst": Observed(whole("x-ratelimit-limit")),
        "daily": Observed(
            whole("x-daily-ratelimit-token-limit"), whole("x-daily-ratelimit-token-remaining")
        ),
    }


def judge(response: Response, trouble: str) -> SourceError | None:
    """What Pipedrive means by a status, where it differs from what others mean."""
    kind = response.headers.get("content-type", "")
    if response.status == 402:
        return AccessDenied(
            f"{trouble}. The company's account is closed or its trial is over.",
            status=402,
            whole_source=True,
        )
    if response.status == 403 and "json" not in kind:
        return AccessDenied(
            f"{trouble}. Pipedrive's edge blocks this address, as it does after many refused "
            "requests. Wait a day and lower `burst_requests`.",
            status=403,
            whole_source=True,
        )
    if response.status == 429 and _is_day_over(response.headers):
        now = datetime.now(UTC)
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return BudgetSpent(
            f"{trouble}. The company's tokens of today are used up; the next run goes on "
            "from the stored cursor.",
            resets_at=midnight,
            status=429,
        )
    return None


def _is_day_over(headers: Mapping[str, str]) -> bool:
    left = _number(headers, "x-daily-ratelimit-token-remaining")
    reset = _number(headers, "x-ratelimit-reset") or 0.0
    return (left is not None and left <= 0) or reset > LONGEST_BURST_PAUSE_SECONDS


def pause(response: Response, attempt: int) -> float | None:
    """Seconds until the burst window is free again; None for the general rhythm."""
    if response.status != 429:
        return None
    reset = _number(response.headers, "x-ratelimit-reset")
    if reset is None:
        return float(BURST_SECONDS * attempt)
    return min(max(0.0, reset), LONGEST_BURST_PAUSE_SECONDS)


def credential(settings: PipedriveSettings, resources: Resources) -> Auth:
    """The API token in its header, or an app's refresh token, whose newest is kept on disk.

    Raises:
        ConfigError: an OAuth app without its company's own host.
    """
    if settings.api_token is not None:
        return HeaderAuth("x-api-token", settings.api_token)
    if settings.client_id is None or settings.refresh_token is None:
        raise ConfigError("give `api_token`, or the three parts of an OAuth app")
    if settings.base_url.rstrip("/") == "https://api.pipedrive.com":
        raise ConfigError(
            "an OAuth app is answered at its company's own host only: set `base_url` to the "
            "`api_domain` that came with the refresh token"
        )
    return OAuth(
        OAuthSettings(
            token_url=settings.token_url,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            refresh_token=settings.refresh_token,
            client_secret_basic=True,
        ),
        Path(resources.state_dir) / "oauth.json",
        ca_file=settings.ca_file,
    )


@asynccontextmanager
async def open_account(settings: PipedriveSettings, resources: Resources) -> AsyncIterator[Session]:
    """Open a company; the session is shared by all its readers."""
    own = ClientSettings(
        base_url=settings.base_url,
        budgets=budgets(settings),
        ca_file=settings.ca_file,
        observe=observed,
        judge=judge,
        pause=pause,
    )
    auth = credential(settings, resources)
    async with Client.open(own, auth=auth, resources=resources) as client:
        yield Session(client, settings)

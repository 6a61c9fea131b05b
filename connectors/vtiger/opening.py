"""Opening an installation: its credential and its allowances."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from connectors.base.auth import Auth, Basic
from connectors.base.budget import Budget, Limit, Observed
from connectors.base.client import Client, ClientSettings, Response
from connectors.base.errors import BudgetSpent, SourceError
from connectors.base.stream import Resources
from connectors.vtiger.envelope import must_be_envelope
from connectors.vtiger.session import Session
from connectors.vtiger.settings import VtigerSettings
from connectors.vtiger.signin import SignIn

PER_MINUTE_UNTIL_TOLD = 30
"""Of the smallest edition; every answer names the true one."""
PER_HOUR = {30: 1_000, 60: 4_000, 90: 5_000}
"""Hourly calls by the calls a minute: no header names them."""
PER_DAY_UNTIL_TOLD = 3_000
HEADROOM = 0.05
LONGEST_PAUSE_SECONDS = 90.0


class _Unsigned:
    """No header at all: the session travels as a parameter."""

    async def headers(self) -> Mapping[str, str]:
        """None."""
        return {}

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """A 401 comes from what stands before the CRM; signing in anew is no help."""
        del refused
        return False


def budgets(settings: VtigerSettings) -> tuple[Budget, ...]:
    """The allowances: the cloud's three windows, or what the settings ask of us."""
    limits: list[Limit] = []
    if settings.requests_per_second is not None:
        limits.append(Limit("second", settings.requests_per_second, timedelta(seconds=1)))
    if settings.is_cloud:
        limits += [
            Limit("minute", PER_MINUTE_UNTIL_TOLD, timedelta(minutes=1), reserve=HEADROOM),
            Limit("hour", PER_HOUR[PER_MINUTE_UNTIL_TOLD], timedelta(hours=1), reserve=HEADROOM),
            Limit("day", PER_DAY_UNTIL_TOLD, "day", reserve=settings.daily_reserve),
        ]
    return (Budget("default", tuple(limits), concurrency=settings.concurrency),)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip()
    return int(text) if text.isdecimal() else None


def observed(headers: Mapping[str, str]) -> Mapping[str, Observed]:
    """What an answer's headers say of the allowances."""
    minute = _number(headers, "x-floodcontrol-minutelimit")
    seen = {
        "minute": Observed(minute, _number(headers, "x-floodcontrol-remaining")),
        "hour": Observed(PER_HOUR.get(minute or 0)),
        "day": Observed(
            _number(headers, "x-ratelimit-dailylimit"), _number(headers, "x-ratelimit-remaining")
        ),
    }
    return {name: one for name, one in seen.items() if one.amount is not None}


def judge(response: Response, trouble: str) -> SourceError | None:
    """A 429 of the day is worth no waiting."""
    if response.status == 429 and _number(response.headers, "x-ratelimit-remaining") == 0:
        return BudgetSpent(
            f"{trouble}. The instance's calls of the last 24 hours are used up; the next run "
            "goes on from the stored cursor.",
            resets_at=datetime.now(UTC) + timedelta(hours=1),
            status=429,
        )
    return None


def pause(response: Response, attempt: int) -> float | None:
    """Seconds until the minute's allowance returns, by the server's own clock."""
    del attempt
    reset = _number(response.headers, "x-floodcontrol-reset")
    if response.status != 429 or reset is None:
        return None
    try:
        now = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except ValueError:
        now = datetime.now(UTC).timestamp()
    return max(0.0, reset - now)


@asynccontextmanager
async def open_account(settings: VtigerSettings, resources: Resources) -> AsyncIterator[Session]:
    """Open an installation; the session is shared by all its readers."""
    auth: Auth = Basic(settings.username, settings.access_key) if settings.is_cloud else _Unsigned()
    own = ClientSettings(
        base_url=settings.base_url,
        budgets=budgets(settings),
        ca_file=settings.ca_file,
        observe=observed,
        judge=judge,
        pause=pause,
        proper=must_be_envelope,
        longest_pause_seconds=LONGEST_PAUSE_SECONDS,
    )
    async with Client.open(own, auth=auth, resources=resources) as client:
        sign_in = None
        if not settings.is_cloud:
            sign_in = SignIn(settings, client, Path(resources.state_dir) / "session.json")
        yield Session(client, settings, sign_in)

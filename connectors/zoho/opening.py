"""Opening an organisation: its credential, its address and its allowances."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from connectors.base.budget import Budget, Limit, Observed
from connectors.base.client import Client, ClientSettings, Response
from connectors.base.stream import Resources
from connectors.zoho.refusals import CREDITS, is_stale, judge
from connectors.zoho.session import Session
from connectors.zoho.settings import ZohoSettings
from connectors.zoho.signin import SignIn

FIRST_PAUSE_SECONDS = 0.5
THROTTLED_PAUSE_SECONDS = 2.0


def budgets(settings: ZohoSettings) -> tuple[Budget, ...]:
    """The credits, which slide over 24 hours at Zoho and are counted by the day here.

    The vendor tells what is left once half of it is gone; from then on its word counts.
    What is asked record by record has a share of its own, so that it leaves credits for
    the streams that read many records by one call.
    """
    daily = Limit("credits", settings.daily_credits, "day", reserve=settings.daily_reserve)
    own = int(daily.usable * settings.history_share)
    singly = Limit("singly", max(1, own), "day")
    return (
        Budget("default", (daily,), concurrency=settings.concurrency),
        Budget("singly", (singly, daily), concurrency=settings.concurrency),
    )


def observed(headers: Mapping[str, str]) -> Mapping[str, Observed]:
    """What an answer's headers say of the credits; silent while half of them are left."""
    text = headers.get(CREDITS, "").strip()
    return {"credits": Observed(remaining=int(text))} if text.isdecimal() else {}


def pause(response: Response, attempt: int) -> float | None:
    """Seconds to wait where too many calls were under way at once; nothing says how long."""
    return THROTTLED_PAUSE_SECONDS * attempt if response.status == 429 else None


@asynccontextmanager
async def open_account(settings: ZohoSettings, resources: Resources) -> AsyncIterator[Session]:
    """Open an organisation; the session is shared by all its readers."""
    auth = SignIn(settings, Path(resources.state_dir) / "token.json")
    own = ClientSettings(
        base_url=await auth.api_domain(),
        budgets=budgets(settings),
        ca_file=settings.ca_file,
        observe=observed,
        judge=judge,
        stale=is_stale,
        pause=pause,
        first_pause_seconds=FIRST_PAUSE_SECONDS,
    )
    async with Client.open(own, auth=auth, resources=resources) as client:
        yield Session(client, settings, auth)

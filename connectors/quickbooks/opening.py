"""Opening a company: its rotating grant and its allowances."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from connectors.base.auth import OAuth, OAuthSettings
from connectors.base.budget import Budget, Limit
from connectors.base.client import Client, ClientSettings
from connectors.base.stream import Resources
from connectors.quickbooks.faults import judge, pause
from connectors.quickbooks.session import Session
from connectors.quickbooks.settings import QuickbooksSettings

PER_SECOND, PER_MINUTE = 8, 450
"""Intuit allows 10 a second to an app in one company, and 500 a minute to the company."""
AT_ONCE = 4
"""Older texts call the ten requests concurrent ones; both are respected."""


def credential(settings: QuickbooksSettings, resources: Resources) -> OAuth:
    """The grant; its newest refresh token is kept in the state folder."""
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


def budgets(settings: QuickbooksSettings) -> tuple[Budget, ...]:
    """No header tells what is left: we count."""
    limits = (
        Limit("second", PER_SECOND, timedelta(seconds=1)),
        Limit("minute", PER_MINUTE, timedelta(minutes=1)),
        Limit("month", settings.monthly_reads, "month"),
    )
    return (Budget("default", limits, concurrency=AT_ONCE),)


@asynccontextmanager
async def open_account(
    settings: QuickbooksSettings, resources: Resources
) -> AsyncIterator[Session]:
    """Open a company; the session is shared by all its readers."""
    own = ClientSettings(
        base_url=settings.base_url,
        budgets=budgets(settings),
        ca_file=settings.ca_file,
        judge=judge,
        pause=pause,
    )
    auth = credential(settings, resources)
    async with Client.open(own, auth=auth, resources=resources) as client:
        yield Session(client, settings, auth)

"""Opening a database: its credential and its allowances."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

from pydantic import SecretStr

from connectors.base.auth import Bearer
from connectors.base.budget import Budget, Limit
from connectors.base.client import Client, ClientSettings
from connectors.base.redact import remember
from connectors.base.stream import Resources
from connectors.odoo.envelope import judge
from connectors.odoo.session import Session
from connectors.odoo.settings import OdooSettings


class _Key(Bearer):
    """The key as JSON-2 wants it; JSON-RPC carries it in the body and ignores headers."""

    def __init__(self, settings: OdooSettings) -> None:
        remember(settings.api_key)
        super().__init__(SecretStr(settings.api_key.get_secret_value()))
        self._database = settings.database

    async def headers(self) -> Mapping[str, str]:
        """The key, and the database where a host serves several."""
        return {**await super().headers(), "X-Odoo-Database": self._database}


def budgets(settings: OdooSettings) -> tuple[Budget, ...]:
    """What the settings, or the terms of Odoo Online, ask of us: no header tells."""
    rate = settings.requests_per_second or (1 if settings.is_online else None)
    concurrency = settings.concurrency or (1 if settings.is_online else 2)
    limits = () if rate is None else (Limit("second", rate, timedelta(seconds=1)),)
    return (Budget("default", limits, concurrency=concurrency),)


@asynccontextmanager
async def open_account(settings: OdooSettings, resources: Resources) -> AsyncIterator[Session]:
    """Open a database; the session is shared by all its readers."""
    own = ClientSettings(
        base_url=settings.base_url,
        budgets=budgets(settings),
        ca_file=settings.ca_file,
        judge=judge,
    )
    async with Client.open(own, auth=_Key(settings), resources=resources) as client:
        yield Session(client, settings)

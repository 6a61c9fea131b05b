"""A Stripe account on loopback, and a reader that keeps its cursors as landing does."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeAlias, cast

from connectors.base.stream import Page, ReadRequest, Record, Rejected, Resources
from connectors.stripe import CONNECTOR
from connectors.stripe.session import open_account
from connectors.stripe.settings import StripeSettings
from sandbox.stripe import TEST_KEY, StripeServer

Reading: TypeAlias = AsyncGenerator[Page, None]


def settings(server: StripeServer, **changes: Any) -> StripeSettings:
    """Settings of the server's account."""
    given = {"api_key": TEST_KEY, "base_url": server.url, "requests_per_second": 500, **changes}
    return StripeSettings.model_validate(given)


class Reader:
    """Reads streams of one server, keeping each cursor through JSON as landing does."""

    def __init__(self, server: StripeServer, state: Path, **changes: Any) -> None:
        self.server = server
        self.settings = settings(server, **changes)
        self.state = state
        self.cursors: dict[str, Any] = {}

    def read(self, name: str, stop_after: int | None = None) -> list[Page]:
        """All pages of one read, or the first few of one that is interrupted."""

        async def collect() -> list[Page]:
            pages: list[Page] = []
            clock = self.server.state.now
            resources = Resources("stripe", str(self.state), lambda: clock)
            async with open_account(self.settings, resources) as session:
                stream = CONNECTOR.stream(name)
                assert stream.read is not None
                request = ReadRequest(stream, "stripe", clock, self.cursors.get(name))
                async with aclosing(cast("Reading", stream.read(session, request))) as reading:
                    async for page in reading:
                        pages.append(page)
                        if page.cursor is not None:
                            self.cursors[name] = json.loads(json.dumps(page.cursor))
                        if stop_after is not None and len(pages) >= stop_after:
                            break
            return pages

        return asyncio.run(collect())


def records(pages: list[Page]) -> list[Record]:
    """All records, in order."""
    return [record for page in pages for record in page.records]


def ids(pages: list[Page]) -> list[str]:
    """All ids, sorted."""
    return sorted(record.record_id for record in records(pages))


def children(pages: list[Page], name: str) -> list[Record]:
    """The records that the pages carry for a stream below."""
    return [record for page in pages for record in page.children.get(name, ())]


def set_aside(pages: list[Page]) -> list[Rejected]:
    """What goes to quarantine."""
    return [one for page in pages for one in page.rejected]

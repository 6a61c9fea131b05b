"""The next page of a list, asked for while the one before is being landed."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from connectors.hubspot.session import ListPage


class Ahead:
    """One request under way ahead of its use."""

    def __init__(self, first: Coroutine[Any, Any, ListPage]) -> None:
        self._task = asyncio.ensure_future(first)

    def go(self, request: Coroutine[Any, Any, ListPage]) -> None:
        """Start the next request."""
        self._task = asyncio.ensure_future(request)

    async def result(self) -> ListPage:
        """The answer of the request under way."""
        return await self._task

    async def stop(self) -> None:
        """Drop the request under way, because nobody will use its answer."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def asked_ahead(first: Coroutine[Any, Any, ListPage]) -> AsyncIterator[Ahead]:
    """Send a first request; whatever is under way at the end of the block is dropped."""
    ahead = Ahead(first)
    try:
        yield ahead
    finally:
        await ahead.stop()

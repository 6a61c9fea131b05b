"""The next page is asked for while this one is taken, so that vendor and landing do not wait."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _End:
    """Behind the last item: what ended the reader, if it was a fault."""

    fault: Exception | None


async def read_ahead(items: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """Yield the items in their order, one of them fetched beforehand.

    All that was fetched is yielded before a fault of ``items`` is raised. Left early, or
    cancelled, the reader is closed and frees its requests.
    """
    ready: asyncio.Queue[T | _End] = asyncio.Queue(maxsize=1)

    async def fetch() -> None:
        # One task asks for all items: a reader may hold a timeout over several of them.
        fault: Exception | None = None
        try:
            async with AsyncExitStack() as stack:
                close = getattr(items, "aclose", None)
                if close is not None:
                    stack.push_async_callback(close)
                async for item in items:
                    await ready.put(item)
        except Exception as error:  # noqa: BLE001 - raised below, where the items are taken
            fault = error
        await ready.put(_End(fault))

    fetching = asyncio.create_task(fetch())
    try:
        while not isinstance(item := await ready.get(), _End):
            yield item
        if item.fault is not None:
            raise item.fault
    finally:
        fetching.cancel()
        with suppress(asyncio.CancelledError):
            await fetching

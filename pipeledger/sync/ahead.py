"""The next page is asked for while this one is taken, so that vendor and landing do not wait."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import TypeVar

T = TypeVar("T")


async def read_ahead(items: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """Yield the items in their order, one of them fetched beforehand.

    All that was fetched is yielded before a fault of ``items`` is raised. Left early, or
    cancelled, the reader is closed and frees its requests.
    """
    ready: asyncio.Queue[T] = asyncio.Queue(maxsize=1)

    async def fetch() -> None:
        # One task asks for all items: a reader may hold a timeout over several of them.
        async with AsyncExitStack() as stack:
            close = getattr(items, "aclose", None)
            if close is not None:
                stack.push_async_callback(close)
            async for item in items:
                await ready.put(item)

    fetching = asyncio.create_task(fetch())
    try:
        while not (fetching.done() and ready.empty()):
            arriving = asyncio.create_task(ready.get())
            await asyncio.wait({arriving, fetching}, return_when=asyncio.FIRST_COMPLETED)
            if arriving.done():
                yield arriving.result()
            else:
                arriving.cancel()
        fetching.result()
    finally:
        fetching.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await fetching

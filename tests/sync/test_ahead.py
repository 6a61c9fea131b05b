"""Reading ahead changes when a page is asked for, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from pipeledger.sync.ahead import read_ahead


async def test_the_next_item_is_fetched_while_this_one_is_taken() -> None:
    """Else a vendor's latency and our landing add up."""
    asked: list[int] = []

    async def pages() -> AsyncIterator[int]:
        for number in range(3):
            asked.append(number)
            yield number

    taken: list[tuple[int, int]] = []
    async for page in read_ahead(pages()):
        await asyncio.sleep(0.01)
        taken.append((page, max(asked)))

    assert [0, 1, 2] == [page for page, _ in taken]
    assert 1 <= taken[0][1]


async def test_what_came_before_a_fault_is_taken_first() -> None:
    """Whole pages are not asked for again because a later one broke."""

    async def pages() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise ConnectionError("the vendor hung up")

    taken: list[int] = []

    async def take() -> None:
        async for page in read_ahead(pages()):
            await asyncio.sleep(0.01)
            taken.append(page)

    with pytest.raises(ConnectionError, match="hung up"):
        await take()

    assert [1, 2] == taken


async def test_left_early_the_reader_is_closed() -> None:
    """A request that nobody waits for would hold its connection."""
    closed = asyncio.Event()

    async def pages() -> AsyncIterator[int]:
        try:
            for number in range(100):
                yield number
        finally:
            closed.set()

    async with aclosing(read_ahead(pages())) as ahead:
        async for _ in ahead:
            break

    assert closed.is_set()


async def test_a_cancelled_sync_cancels_the_request_under_way() -> None:
    """Ctrl-C must not wait for a slow vendor."""
    closed = asyncio.Event()

    async def pages() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(3600)
        finally:
            closed.set()

    async def take() -> None:
        async with aclosing(read_ahead(pages())) as ahead:
            async for _ in ahead:
                pass

    taking = asyncio.create_task(take())
    await asyncio.sleep(0.01)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking

    assert closed.is_set()

"""A whole list, cut into spans of ``created`` that are read side by side.

A list's next page begins after the last id of this one, so one list is read one request
after the other. Its spans are independent: each knows where it stands, and the cursor of
every page holds what is left of all of them, so that an interrupted load goes on in each.
A list of one page is never cut.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec

from connectors.base.decode import decode
from connectors.base.errors import CursorExpired
from connectors.base.stream import Page, ReadRequest
from connectors.stripe.kinds import Kind
from connectors.stripe.records import page_of, text_of
from connectors.stripe.session import Head, Session, server_time

SPAN = timedelta(days=91)
SPANS = 16
"""Four years of quarters; what is older is one more span."""
SPANS_AT_ONCE = 4
RESTARTS = 3


@dataclass(frozen=True, slots=True)
class Span:
    """What is left of ``since <= created < until`` (seconds; None is open).

    ``after`` is the id behind which it goes on, ``seen`` that object's ``created``.
    """

    since: int | None = None
    until: int | None = None
    after: str | None = None
    seen: int | None = None

    @property
    def params(self) -> tuple[tuple[str, str], ...]:
        """The filters of its list."""
        bounds = (("created[gte]", self.since), ("created[lt]", self.until))
        return tuple((name, str(bound)) for name, bound in bounds if bound is not None)

    def begun_again(self) -> "Span":
        """The same without the id, which is gone: from its second on, or from the top."""
        until = self.until if self.seen is None else self.seen + 1
        return replace(self, after=None, until=until)


async def read_whole(
    session: Session, request: ReadRequest, kind: Kind, cursor: Mapping[str, Any]
) -> AsyncGenerator[Page, None]:
    """Yield all of a list, from where ``cursor`` says that it stopped.

    The last page's cursor leads over to the event log, from the load's own beginning on:
    what changed under way is found there.
    """
    began: str | None = cursor.get("began")
    left: dict[int, Span]
    if began is None or ("spans" not in cursor and "after" not in cursor):
        listed, response = await session.page(kind.path, kind.list_params)
        began = text_of(server_time(response))
        spans = _spans(kind, listed.data, server_time(response).timestamp())
        left = dict(enumerate(spans if listed.has_more else ()))
        page = await page_of(session, request, kind, listed.data)
        yield replace(page, cursor=_mark(began, left))
    elif "spans" in cursor:
        left = {place: Span(**span) for place, span in enumerate(cursor["spans"])}
    else:
        left = {0: Span(after=cursor["after"])}  # as releases before the spans wrote it
    async with aclosing(_side_by_side(session, kind, left)) as pages:
        async for place, rows, rest in pages:
            if rest is None:
                del left[place]
            else:
                left[place] = rest
            if not rows:
                continue
            page = await page_of(session, request, kind, rows)
            yield replace(page, cursor=_mark(began, left))
    yield Page(cursor={"phase": "events", "since": began, "safe": began})


def _mark(began: str, left: Mapping[int, Span]) -> Mapping[str, Any]:
    spans = [asdict(span) for _, span in sorted(left.items())]
    return {"phase": "list", "began": began, "spans": spans}


def _spans(kind: Kind, first: Sequence[msgspec.Raw], now: float) -> list[Span]:
    """Cut what follows the first page, newest first; a span is no shorter than that page."""
    if not first:
        return []
    last = decode(bytes(first[-1]), Head)
    newest = decode(bytes(first[0]), Head).created
    if not kind.is_dated or last.created is None or newest is None:
        return [Span(after=last.id, seen=last.created if kind.is_dated else None)]
    width = max(int(SPAN.total_seconds()), newest - last.created)
    edges = [int(now) - width * count for count in range(1, SPANS + 1)]
    edges = [edge for edge in edges if edge <= last.created]
    spans: list[Span] = []
    until: int | None = None
    for since in (*edges, None):
        begin = (last.id, last.created) if not spans else (None, None)
        spans.append(Span(since, until, *begin))
        until = since
    return spans


async def _side_by_side(
    session: Session, kind: Kind, spans: Mapping[int, Span]
) -> AsyncGenerator[tuple[int, Sequence[msgspec.Raw], Span | None], None]:
    """Pages of all spans as they come: (span, rows, what is left of it).

    Pages of one span keep their order. A few wait at most, so that a slow landing slows the
    reading down.
    """
    waiting = list(spans.items())
    waiting.reverse()
    ready: asyncio.Queue[tuple[int, Sequence[msgspec.Raw], Span | None] | Exception] = (
        asyncio.Queue(SPANS_AT_ONCE)
    )

    async def work() -> None:
        try:
            while waiting:
                place, span = waiting.pop()
                async for rows, rest in _one(session, kind, span):
                    await ready.put((place, rows, rest))
        except Exception as error:  # noqa: BLE001 - handed to the reader, which raises it
            await ready.put(error)

    workers = [asyncio.create_task(work()) for _ in range(min(SPANS_AT_ONCE, len(spans)))]
    try:
        unread = len(spans)
        while unread:
            page = await ready.get()
            if isinstance(page, Exception):
                raise page
            unread -= page[2] is None
            yield page
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _one(
    session: Session, kind: Kind, span: Span
) -> AsyncIterator[tuple[Sequence[msgspec.Raw], Span | None]]:
    """Pages of one span; begun again where the id at which it stood was deleted."""
    restarts = 0
    while True:
        try:
            params = (*kind.list_params, *span.params)
            async for listed, _ in session.pages(kind.path, params, span.after):
                if not listed.has_more:
                    yield listed.data, None
                    return
                last = decode(bytes(listed.data[-1]), Head)
                seen = last.created if kind.is_dated else None
                span = replace(span, after=last.id, seen=seen)
                restarts = 0
                yield listed.data, span
        except CursorExpired:
            restarts += 1
            if restarts > RESTARTS or span.after is None:
                raise
            span = span.begun_again()

"""Finding what changed: search for ids, oldest change first, without offsets.

HubSpot's search pages by offset up to 10,000, and a record that changes while we page
moves to the end and shifts all that follow. So no offset is used: each page asks anew
from the last millisecond seen, inclusive. A record that moved is met again at its new
place, and nothing slips past. Only a millisecond with more records than a page holds (a
bulk edit) needs a second key: there the ids are walked in order.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.base.decode import decode, partial
from connectors.base.errors import BadRecord, PaginationLoop, ProtocolError
from connectors.hubspot.objects import ObjectType
from connectors.hubspot.records import Paging, epoch_ms, instant

PAGE = 200

Ask = Callable[[Mapping[str, Any]], Awaitable[bytes]]
"""Sends a search body for one object type, gives the answer's body."""


@dataclass(frozen=True, slots=True)
class Found:
    """Ids that changed, and the millisecond up to which all have been found.

    ``complete_ms`` is a resume point: every indexed change before it has been yielded.
    """

    ids: list[str]
    complete_ms: int


class _Answer(msgspec.Struct):
    total: int
    results: list[msgspec.Raw]
    paging: Paging | None = None


class _Row(msgspec.Struct):
    id: str
    properties: dict[str, str | None]
    updatedAt: str | None = None  # noqa: N815 - the vendor's spelling


@dataclass(frozen=True, slots=True)
class _Hit:
    id: str
    changed_ms: int


async def changed_since(kind: ObjectType, since_ms: int, ask: Ask) -> AsyncIterator[Found]:
    """Yield the ids that search shows as changed at or after an instant.

    Raises:
        PaginationLoop: the answers do not move on.
        ProtocolError: an answer contradicts itself.
    """
    low = since_ms
    seen: set[str] = set()  # at exactly ``low``
    while True:
        hits, more = await _page(kind, ask, [_filter(kind.cursor, "GTE", low)], kind.cursor)
        top = max((hit.changed_ms for hit in hits), default=low)
        ids = [hit.id for hit in hits if hit.id not in seen]
        if not more:
            yield Found(ids, max(top, low))
            return
        if top > low:
            seen = {hit.id for hit in hits if hit.changed_ms == top}
            low = top
            yield Found(ids, low)
        elif top == low:
            async for some in _drain(kind, low, ask):
                yield Found(some, low)
            low, seen = low + 1, set()
        else:
            raise PaginationLoop(
                f"search of {kind.name} from {low} shows only older records: it is not obeyed"
            )


async def _drain(kind: ObjectType, moment_ms: int, ask: Ask) -> AsyncIterator[list[str]]:
    """Every id that changed in one millisecond, by id."""
    last: str | None = None
    while True:
        filters = [_filter(kind.cursor, "EQ", moment_ms)]
        if last is not None:
            filters.append(_filter("hs_object_id", "GT", last))
        hits, more = await _page(kind, ask, filters, "hs_object_id")
        ids = sorted((hit.id for hit in hits), key=int)
        if last is not None and ids and int(ids[0]) <= int(last):
            raise PaginationLoop(f"search of {kind.name} by id does not move past {last}")
        yield ids
        if not more:
            return
        last = ids[-1]


def _filter(name: str, operator: str, value: int | str) -> dict[str, str]:
    return {"propertyName": name, "operator": operator, "value": str(value)}


async def _page(
    kind: ObjectType, ask: Ask, filters: list[dict[str, str]], order: str
) -> tuple[list[_Hit], bool]:
    """One page of search, and whether the vendor says that there is more."""
    answer = decode(
        await ask(
            {
                "filterGroups": [{"filters": filters}],
                "sorts": [{"propertyName": order, "direction": "ASCENDING"}],
                "properties": [kind.cursor],
                "limit": PAGE,
            }
        ),
        _Answer,
    )
    more = answer.paging is not None and answer.paging.next is not None
    if not answer.results and (more or answer.total):
        raise PaginationLoop(
            f"search of {kind.name} counts {answer.total} records and shows none of them"
        )
    return [_hit(kind, row) for row in answer.results], more


def _hit(kind: ObjectType, raw: msgspec.Raw) -> _Hit:
    try:
        row = partial(raw, _Row)
    except BadRecord as fault:
        raise ProtocolError(f"search of {kind.name}: {fault.reason}") from None
    moment = instant(row.properties.get(kind.cursor)) or instant(row.updatedAt)
    if moment is None or not row.id.isdecimal():
        raise ProtocolError(f"search of {kind.name} shows {row.id!r} without id or instant")
    return _Hit(row.id, epoch_ms(moment))

"""Walking a module by (clock, id), oldest change first, without offsets or page tokens.

Offsets end at 100,000 rows, pages at 2,000 and tokens after a day; a keyset ends nowhere,
and any page can be where a later run goes on. Hundreds of records share one second, so the
place is a second and an id. A record that is edited meanwhile leaves the window at its far
end and is the next run's.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.base.errors import PaginationLoop, ProtocolError
from connectors.zoho.modules import Module
from connectors.zoho.records import Row, literal
from connectors.zoho.refusals import RefusedError
from connectors.zoho.session import Found, Session

LIMITS = (200, 1_000, 2_000)
"""Rows asked for by the first, second and later pages: a short answer costs a third."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk stands: behind this row."""

    at: datetime
    number: int


def both(*conditions: str) -> str:
    """Conditions that all hold, nested by twos as the vendor's grammar wants it."""
    text = conditions[0]
    for condition in conditions[1:]:
        text = f"({text} and {condition})"
    return text


async def walk(
    session: Session,
    module: Module,
    columns: Callable[[], Awaitable[Sequence[str]]],
    *,
    low: datetime | None,
    end: datetime,
    place: Place | None = None,
    clock: str = "Modified_Time",
    told: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[Found]:
    """Yield pages of what ``clock`` puts into ``[low, end)``, from behind ``place`` on.

    Args:
        session: the open organisation.
        module: what is walked.
        columns: asked anew after a field was refused; ``id`` and ``clock`` come first.
        low: the first second of the window; None where it has no beginning.
        end: the first second that is not in it.
        place: where an interrupted walk stopped.
        clock: the field that orders the walk.
        told: hears of a field that a query refused.

    Raises:
        PaginationLoop: the answers do not move on, or do not obey the window.
    """
    asked = 0
    while True:
        conditions = [f"{clock} < '{literal(end)}'"]
        floor = place.at if place is not None else low
        if floor is not None:
            conditions.insert(0, f"{clock} >= '{literal(floor)}'")
        if place is not None:
            conditions.append(f"({clock} > '{literal(place.at)}' or id > {place.number})")
        names = await columns()
        limit = LIMITS[min(asked, len(LIMITS) - 1)]
        try:
            found = await session.found(
                module.name, names, both(*conditions), f"{clock} asc, id asc", limit
            )
        except RefusedError as fault:
            name = session.leave_out(module, fault)
            if name is None:
                raise
            told(f"the field {name} of {module.name} is not read: {fault}")
            continue
        asked += 1
        _obeys(found, module.name, floor, end, place)
        yield found
        if not found.more:
            return
        place = _next(found, module.name)


def _next(found: Found, module: str) -> Place:
    last = found.last
    if last is None or last.at is None:
        raise PaginationLoop(f"query of {module}: more is promised after a page without rows")
    return Place(last.at, last.number)


def _obeys(
    found: Found, module: str, floor: datetime | None, end: datetime, place: Place | None
) -> None:
    """Refuse rows outside of what was asked for, or out of order: some would be passed over."""
    before = None if place is None else (place.at, place.number)
    for row in found.rows:
        if row.at is None:
            raise ProtocolError(f"query of {module}: the clock of record {row.id} is unreadable")
        here = (row.at, row.number)
        if (floor is not None and row.at < floor) or row.at >= end:
            raise PaginationLoop(
                f"query of {module} shows record {row.id} of {row.at}, outside of what was asked"
            )
        if before is not None and here <= before:
            raise PaginationLoop(
                f"query of {module} does not move on: record {row.id} of {row.at} is out of order"
            )
        before = here


def mark_of(row: Row) -> dict[str, str]:
    """A place as a cursor stores it."""
    return {"at": literal(row.at) if row.at else "", "id": row.id}

"""What deals sell: one record per deal with its lines, discounts and instalments, sorted.

Lines are asked for a hundred deals at a time. Discounts and instalments exist only on
some plans; where the vendor says that there are none to be had, they are left out.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import BadRecord, SourceError
from connectors.base.stream import Page, ReadRequest, Record
from connectors.base.window import cursor_instant, instant_text
from connectors.pipedrive.kinds import DEALS, V2_LIST_COST
from connectors.pipedrive.reading import LOOKBACK, walk_params
from connectors.pipedrive.session import Envelope, Session, instant, is_lacking

DEALS_PER_CALL = 100


class _Deal(msgspec.Struct):
    id: int
    update_time: str | None = None
    products_count: int | None = None
    status: str | None = None


class _Line(msgspec.Struct):
    id: int | str
    deal_id: int | None = None


async def read_deal_products(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """The lines of deals that changed; of all deals every ``sweep_hours``."""
    cursor: dict[str, Any] = {} if request.full else dict(request.cursor or {})
    swept_at = cursor_instant(cursor, "swept_at", request.now)
    hours = session.settings.sweep_hours
    is_sweep = swept_at is None or (hours > 0 and request.now - swept_at >= timedelta(hours=hours))
    lines = _Lines(session)
    for (path, cost), key in zip(DEALS.lists, ("since", "archived_since"), strict=True):
        known = cursor_instant(cursor, key, request.now)
        since = None if known is None or (is_sweep and swept_at) else known - LOOKBACK
        async for page in session.pages(path, walk_params(DEALS, since), cost=cost):
            deals = _deals(page.rows)
            records = []
            for start in range(0, len(deals), DEALS_PER_CALL):
                part = deals[start : start + DEALS_PER_CALL]
                records += await lines.of(part, page.response.observed_at)
            for deal in deals:
                moment = instant(deal.update_time)
                if moment is not None and (known is None or moment > known):
                    known = moment
            if known is not None:
                cursor[key] = instant_text(known)
            yield Page(records, dict(cursor))
    if is_sweep:
        cursor["swept_at"] = instant_text(request.now)
    yield Page(cursor=cursor, note=lines.note)


def _deals(rows: Sequence[msgspec.Raw]) -> list[_Deal]:
    found = []
    for row in rows:
        try:
            found.append(partial(row, _Deal))
        except BadRecord:
            continue  # the stream of deals quarantines it
    return found


class _Lines:
    """Asks for what belongs to deals, and remembers what the company's plan lacks."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lacking: set[str] = set()

    @property
    def note(self) -> str | None:
        """What the report shall tell."""
        if not self._lacking:
            return None
        return f"the company's plan has no {' and no '.join(sorted(self._lacking))}"

    async def of(self, deals: Sequence[_Deal], observed_at: datetime) -> list[Record]:
        """One record per deal; deals without products are not asked for."""
        asked = [one for one in deals if one.products_count != 0 and one.status != "deleted"]
        products = await self._by_deal("/api/v2/deals/products", asked)
        instalments = await self._optional("/api/v2/deals/installments", asked)
        records = []
        for deal in deals:
            if deal.status == "deleted":
                continue
            own = products.get(deal.id, [])
            content = {
                "deal_id": deal.id,
                "products": own,
                "discounts": await self._discounts(deal.id) if own else [],
                "installments": instalments.get(deal.id, []),
            }
            text = msgspec.json.encode(content)
            updated_at = instant(deal.update_time)
            records.append(Record(str(deal.id), text, observed_at, source_updated_at=updated_at))
        return records

    async def _by_deal(self, path: str, deals: Sequence[_Deal]) -> dict[int, list[msgspec.Raw]]:
        if not deals:
            return {}
        rows: list[tuple[tuple[int, str], int | None, msgspec.Raw]] = []
        params = {"deal_ids": ",".join(str(one.id) for one in deals)}
        async for page in self._session.pages(path, params, cost=V2_LIST_COST):
            for row in page.rows:
                line = partial(row, _Line)
                key = str(line.id)
                rows.append(((len(key), key), line.deal_id, msgspec.Raw(bytes(row))))
        found: dict[int, list[msgspec.Raw]] = {}
        for _, deal_id, row in sorted(rows, key=lambda one: one[0]):
            if deal_id is not None:
                found.setdefault(deal_id, []).append(row)
        return found

    async def _optional(self, path: str, deals: Sequence[_Deal]) -> dict[int, list[msgspec.Raw]]:
        if "instalments" in self._lacking:
            return {}
        try:
            return await self._by_deal(path, deals)
        except SourceError as fault:
            if not is_lacking(fault):
                raise
            self._lacking.add("instalments")
            return {}

    async def _discounts(self, deal_id: int) -> list[msgspec.Raw]:
        if "discounts" in self._lacking:
            return []
        rows: list[tuple[str, msgspec.Raw]] = []
        path = f"/api/v2/deals/{deal_id}/discounts"
        try:
            # Not paged: v2 may refuse a parameter that it does not know.
            response = await self._session.get(path, cost=V2_LIST_COST)
            found = response.decode(Envelope).rows
            rows = [(str(partial(row, _Line).id), msgspec.Raw(bytes(row))) for row in found]
        except SourceError as fault:
            if fault.status == 404:
                return []  # the deal was deleted meanwhile
            if not is_lacking(fault):
                raise
            self._lacking.add("discounts")
        return [row for _, row in sorted(rows, key=lambda one: one[0])]

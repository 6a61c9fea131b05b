"""Exchange rates, one read a day: home units for one foreign unit."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import BadRecord, ProtocolError
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.base.window import instant_text
from connectors.quickbooks.records import instant, landed
from connectors.quickbooks.session import Session

AGAIN_DAYS = 1
"""The newest day is asked for again: its rate may have come late."""


class _Currency(msgspec.Struct):
    is_multiple: bool | None = msgspec.field(name="MultiCurrencyEnabled", default=None)


class _Preferences(msgspec.Struct):
    CurrencyPrefs: _Currency | None = None


class _Code(msgspec.Struct):
    Code: str


class _Meta(msgspec.Struct):
    LastUpdatedTime: str | None = None


class _Rate(msgspec.Struct):
    SourceCurrencyCode: str
    AsOfDate: str
    MetaData: _Meta | None = None


async def read_rates(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Rates of all currencies that the company uses, day by day."""
    preferences = await session.query("Preferences", "SELECT * FROM Preferences")
    if not preferences.rows:
        raise ProtocolError("the company has no Preferences")
    money = partial(preferences.rows[0], _Preferences).CurrencyPrefs
    if money is None or not money.is_multiple:
        yield Page(
            cursor={"read_at": instant_text(request.now)},
            note="skipped: the company keeps one currency",
        )
        return
    currencies = await session.query(
        "CompanyCurrency", "SELECT * FROM CompanyCurrency STARTPOSITION 1 MAXRESULTS 1000"
    )
    codes = sorted({partial(row, _Code).Code for row in currencies.rows})
    last = preferences.server_time.date()
    day = _first_day(request, last, session.settings.rate_days)
    while codes and day <= last:
        named = ",".join(f"'{code}'" for code in codes)
        statement = (
            f"SELECT * FROM ExchangeRate WHERE SourceCurrencyCode IN ({named}) "  # noqa: S608
            f"AND AsOfDate = '{day.isoformat()}' STARTPOSITION 1 MAXRESULTS 1000"
        )
        found = await session.query("ExchangeRate", statement)
        records: list[Record] = []
        rejected: list[Rejected] = []
        for row in found.rows:
            raw = bytes(row)
            try:
                rate = partial(raw, _Rate)
                content = landed(raw, free_text=False)
            except BadRecord as fault:
                rejected.append(Rejected(None, fault.reason, raw))
                continue
            changed_at = None if rate.MetaData is None else instant(rate.MetaData.LastUpdatedTime)
            name = f"{rate.SourceCurrencyCode}:{rate.AsOfDate}"
            records.append(Record(name, content, found.observed_at, "upsert", changed_at))
        yield Page(records, {"day": day.isoformat()}, rejected=rejected)
        day += timedelta(days=1)
    yield Page(cursor={"day": last.isoformat()})


def _first_day(request: ReadRequest, last: date, days: int) -> date:
    told = (request.cursor or {}).get("day")
    if told is None or request.full:
        return last - timedelta(days=days)
    return min(date.fromisoformat(told), last) - timedelta(days=AGAIN_DAYS)

"""Reading the fixings: all of them at first, then those of the last ninety days.

The ECB publishes once a day and rarely changes what it published. So it is asked only when
a new fixing is due or a day has passed, with the marks of the last answer; once a week all
days are compared again, for a fixing that was changed without notice.

A cursor holds ``etag`` and ``modified`` of the last answer, ``newest``, the day of its
newest fixing, ``asked_at``, ``whole_at`` and ``wanted``, which names the settings that it
was read by.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.base.window import cursor_instant, instant_text
from connectors.fx.calendar import LATE, latest_fixing
from connectors.fx.euro import IRREVOCABLE
from connectors.fx.session import Session
from connectors.fx.settings import FxSettings
from connectors.fx.table import Fixing, Spoilt, fixings, unpacked

AGAIN = timedelta(hours=20)
"""Asked at least so often, whatever the calendar says: a little less than a day."""
WHOLE = timedelta(days=7)
RECENT = timedelta(days=90)
PAGE = 20_000


def record_id(currency: str, what: str) -> str:
    """A rate's id: provider, pair, and its day or kind."""
    return f"ECB:EUR:{currency}:{what}"


def payload(currency: str, day: date, rate: str, rate_type: str, *, is_final: bool) -> bytes:
    """A rate as it lands: units of ``quote`` per one of ``base``, in the digits of its source."""
    final = "true" if is_final else "false"
    return (
        f'{{"provider":"ECB","base":"EUR","quote":"{currency}","date":"{day}",'
        f'"rate":{rate},"rate_type":"{rate_type}","is_irrevocable":{final}}}'
    ).encode()


async def read_rates(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield new and changed fixings, and the rates at which currencies became the euro.

    Raises:
        ProtocolError: the answer is not the table of rates.
    """
    now, settings = request.now, session.settings
    known = {} if request.full else dict(request.cursor or {})
    wanted = _wanted(settings)
    if known.get("wanted") != wanted:
        known = {}
    if known and not settings.offline and not _is_due(known, now):
        yield Page(cursor=known)
        return
    table = await session.table(known)
    if table is None:
        yield Page(cursor={**known, "asked_at": instant_text(now)}, note=_late(known, now))
        return
    digest = hashlib.sha256(table.packed).hexdigest()
    if settings.offline and known.get("digest") == digest:
        yield Page(cursor=known)
        return
    whole_at = cursor_instant(known, "whole_at", now)
    is_whole = settings.offline or whole_at is None or now - whole_at >= WHOLE
    since = settings.since
    if not is_whole:
        since = max(since, date.fromisoformat(known["newest"]) - RECENT)
    cursor = {
        "etag": table.etag,
        "modified": table.modified,
        "digest": digest,
        "asked_at": instant_text(now),
        "whole_at": instant_text(now if is_whole or whole_at is None else whole_at),
        "wanted": wanted,
    }
    newest: date | None = None
    records = list(_became_euro(settings, now))
    rejected: list[Rejected] = []
    for one in fixings(unpacked(table.packed)):
        newest = one.day if newest is None else max(newest, one.day)
        if one.day < since or not settings.wants(one.currency):
            continue
        key = record_id(one.currency, str(one.day))
        if isinstance(one, Spoilt):
            reason = f"{one.text[:40]!r} is no rate of {one.currency} on {one.day}"
            rejected.append(Rejected(key, reason, one.text.encode()))
            continue
        records.append(Record(key, _spot(one), now))
        if len(records) >= PAGE:
            # No cursor: only the whole table may count as read.
            yield Page(records, rejected=rejected)
            records, rejected = [], []
    cursor["newest"] = str(newest)
    note = None if settings.offline else _late(cursor, now)
    yield Page(records, cursor, rejected=rejected, note=note)


def _spot(one: Fixing) -> bytes:
    return payload(one.currency, one.day, one.rate, "spot", is_final=False)


def _became_euro(settings: FxSettings, now: datetime) -> Iterable[Record]:
    """The rates that hold for ever after a currency became the euro."""
    for currency, (first_day, rate) in IRREVOCABLE.items():
        if settings.wants(currency) and now.date() >= first_day:
            text = payload(currency, first_day, rate, "spot", is_final=True)
            yield Record(record_id(currency, "irrevocable"), text, now)


def _wanted(settings: FxSettings) -> str:
    """A name for what the settings ask for: another one means that all is read again."""
    asked = f"{settings.since} {' '.join(sorted(settings.currencies))} {settings.offline}"
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def _is_due(known: Mapping[str, Any], now: datetime) -> bool:
    asked_at = cursor_instant(known, "asked_at", now)
    if asked_at is None or now - asked_at >= AGAIN:
        return True
    return date.fromisoformat(known["newest"]) < latest_fixing(now)


def _late(known: Mapping[str, Any], now: datetime) -> str | None:
    """A word about a fixing that should be out for two hours and is not there."""
    due = latest_fixing(now, LATE)
    newest = date.fromisoformat(known["newest"])
    if newest >= due:
        return None
    return f"the newest fixing is of {newest}; that of {due} is not out yet"


async def read_budget(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield the budget rates of the settings; what they no longer name is deleted."""
    now = request.now
    records = [
        Record(
            record_id(currency, f"budget:{budget.start}"),
            payload(currency, budget.start, _plain(rate), "budget", is_final=False),
            now,
        )
        for budget in session.settings.budget
        for currency, rate in sorted(budget.rates.items())
    ]
    named = {record.record_id for record in records}
    gone = [one for one in request.live_ids() if one not in named]
    # Said by the settings themselves: no list that may be short, so nothing to guard against.
    records += [Record(one, None, now, "deleted") for one in sorted(gone)]
    yield Page(records, cursor={"read_at": instant_text(now)})


def _plain(rate: Decimal) -> str:
    """A decimal as JSON writes numbers, without an exponent."""
    return f"{rate:f}"

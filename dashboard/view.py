"""One look at a page: who looks, at which publication, through which filters, in which language."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from dashboard.deal_sets import total
from dashboard.filters import Filters
from dashboard.i18n import NOTHING, Words, plain
from dashboard.reading import Reader
from pipeledger.settings import Settings

_PERIOD = """
select period_key, label, grain, start_date, end_date, is_closed from dim_fiscal_period
where period_key = $period
or ($period = '' and grain = 'quarter' and $day between start_date and end_date)
limit 1
"""
_WHOLE = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"}
) | {"VUV", "XAF", "XOF", "XPF"}
_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})

Drill = Callable[[Mapping[str, Any]], dict[str, str]]
"""From a row to the deals behind its number: what the address of the list says."""


ANY_PIPELINE = {"pipeline": ""}
WHOLE_COMPANY = {"scope": "company", "pipeline": ""}
ANY_SCOPE = {"scope": "company"}
"""Filters that a mart does not know are left out on the way from its numbers to their deals."""


def to(name: str, /, fixed: Mapping[str, str] | None = None, **columns: str) -> Drill:
    """The way to a list: what is fixed, and what the row's columns say."""

    def way(row: Mapping[str, Any]) -> dict[str, str]:
        told = {key: str(row[column]) for key, column in columns.items() if row[column] is not None}
        return {"set": name, **(fixed or {}), **told}

    return way


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: what kind of value it holds, and where its number leads."""

    name: str
    kind: str = "text"
    drill: Drill | None = None


@dataclass(frozen=True, slots=True)
class Data:
    """What stands behind a picture, its table and its export: one query on the marts."""

    name: str
    sql: str
    columns: Sequence[Column]
    of_a_day: str | None = None
    """The same of an earlier day, where the marts keep it."""


def _evidence(said: str) -> str:
    """What a link goes by, without the signs of JSON."""
    try:
        found = json.loads(said)
    except ValueError:
        return plain(said)
    if not isinstance(found, dict):
        return plain(said)
    return ", ".join(f"{plain(name)}: {plain(value)}" for name, value in found.items())


class View:
    """What a page needs to draw itself."""

    def __init__(self, settings: Settings, reader: Reader, filters: Filters, now: datetime) -> None:
        self.settings = settings
        self.reader = reader
        self.filters = filters
        self.now = now
        self.words = Words(filters.lang, settings.company.time_zone)

    @cached_property
    def build(self) -> dict[str, Any]:
        """The row of the publication."""
        return self.reader.rows("select * from meta.builds")[0]

    @property
    def currency(self) -> str:
        """The reporting currency."""
        return str(self.build["reporting_currency"])

    @property
    def digits(self) -> int:
        """Decimal places of the reporting currency, as in the macro round_money."""
        return 0 if self.currency in _WHOLE else 3 if self.currency in _THOUSANDTHS else 2

    @cached_property
    def today(self) -> date:
        """The business date of the publication's as-of."""
        zone = ZoneInfo(self.settings.company.time_zone)
        as_of: datetime = self.build["as_of"]
        return as_of.astimezone(zone).date()

    @cached_property
    def day(self) -> date:
        """The day whose end is looked at; today unless an earlier one is chosen."""
        return min(date.fromisoformat(self.filters.day or "9999-12-31"), self.today)

    @property
    def is_past(self) -> bool:
        """Whether an earlier day is looked at."""
        return self.day < self.today

    @cached_property
    def period(self) -> dict[str, Any]:
        """The fiscal period that is looked at; the day's quarter unless one is named."""
        for named in (self.filters.period, ""):
            found = self.reader.rows(_PERIOD, {"period": named, "day": self.day})
            if found:
                return found[0]
        return dict.fromkeys(("period_key", "label", "grain", "start_date", "end_date"))

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """What a query may name."""
        kind, key = self.filters.scope_type, self.filters.scope_key
        return {
            "period": self.period["period_key"],
            "grain": self.period["grain"],
            "first_day": self.period["start_date"],
            "last_day": self.period["end_date"],
            "scope_type": kind,
            "owner_scope_type": "owner" if kind == "user" else kind,
            "scope_key": key,
            "team": key if kind == "team" else None,
            "user": key if kind == "user" else None,
            "pipeline": self.filters.pipeline or None,
            "method": self.filters.method,
            "as_of": self.build["as_of"],
            "today": self.today,
            "day": self.day,
            "start_at": self._begins(self.period["start_date"]),
            "end_at": self._begins(
                min(self.period["end_date"] or self.day, self.day) + timedelta(days=1)
            ),
            "zone": self.settings.company.time_zone,
            "digits": self.digits,
            "basis": self.filters.currency,
            "key": self.filters.extra.get("key"),
            "a": self.filters.extra.get("a"),
            "b": self.filters.extra.get("b"),
            "c": self.filters.extra.get("c"),
            "rule": self.filters.extra.get("rule", "reached"),
        }

    def _begins(self, day: date | None) -> datetime | None:
        """The instant at which a business day begins."""
        zone = ZoneInfo(self.settings.company.time_zone)
        return None if day is None else datetime(day.year, day.month, day.day, tzinfo=zone)

    def rows(self, data: Data) -> list[dict[str, Any]]:
        """The rows of a query under the filters."""
        return self.reader.rows(self.sql(data), self.parameters)

    def sql(self, data: Data) -> str:
        """The query of the day that is looked at."""
        return data.of_a_day if self.is_past and data.of_a_day else data.sql

    def total(self, name: str, **said: str | None) -> dict[str, Any]:
        """How many rows a list has, and what they come to."""
        asked = {**self.parameters, **dict.fromkeys("abc"), **said}
        return self.reader.rows(total(name, is_past=self.is_past), asked)[0]

    def href(self, path: str, **extra: str) -> str:
        """The address of a page under the same filters."""
        known = ("period", "scope", "pipeline", "currency", "method", "day", "edition", "lang")
        query = self.filters.query(**{name: extra.pop(name) for name in known if name in extra})
        parts = [part for part in (query, urlencode(extra)) if part]
        return path + (f"?{'&'.join(parts)}" if parts else "")

    def text(self, kind: str, value: Any, row: Mapping[str, Any]) -> str:
        """A value as it is shown."""
        words = self.words
        if value is None:
            return NOTHING
        shown: dict[str, Callable[[], str]] = {
            "money": lambda: words.money(value, self.currency),
            "amount": lambda: words.money(value, row.get("currency_code")),
            "count": lambda: words.count(value),
            "number": lambda: words.number(value),
            "share": lambda: words.share(value),
            "day": lambda: words.day(value),
            "instant": lambda: words.instant(value),
            "flag": lambda: words("yes") if value else words("no"),
            "code": lambda: words.code(value),
            "codes": lambda: ", ".join(words.code(one) for one in value),
            "scope": lambda: (
                words("scope.company") if row["scope_type"] == "company" else plain(value)
            ),
            "evidence": lambda: _evidence(value),
        }
        return shown.get(kind, lambda: plain(value))()

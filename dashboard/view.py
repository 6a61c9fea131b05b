"""One look at a page: who looks, at which publication, through which filters, in which language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from dashboard.filters import Filters
from dashboard.i18n import NOTHING, Words, plain
from dashboard.reading import Reader
from pipeledger.settings import Settings

_PERIOD = """
select period_key, label, grain, start_date, end_date, is_closed from dim_fiscal_period
where period_key = $period
or ($period = '' and grain = 'quarter' and $as_of between start_date and end_date)
limit 1
"""

Drill = Callable[[Mapping[str, Any]], dict[str, str]]
"""From a row to the deals behind its number: what the address of the list says."""


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
    parameters: Mapping[str, Any] = field(default_factory=dict)


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

    @cached_property
    def period(self) -> dict[str, Any]:
        """The fiscal period that is looked at; the current quarter unless one is named."""
        as_of = self.build["as_of"].date()
        for named in (self.filters.period, ""):
            found = self.reader.rows(_PERIOD, {"period": named, "as_of": as_of})
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
            "key": self.filters.extra.get("key"),
            "a": self.filters.extra.get("a"),
            "b": self.filters.extra.get("b"),
            "rule": self.filters.extra.get("rule", "reached"),
        }

    def rows(self, data: Data) -> list[dict[str, Any]]:
        """The rows of a query under the filters."""
        return self.reader.rows(data.sql, {**self.parameters, **data.parameters})

    def href(self, path: str, **extra: str) -> str:
        """The address of a page under the same filters."""
        known = ("period", "scope", "pipeline", "currency", "method", "edition", "lang")
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
        }
        return shown.get(kind, lambda: plain(value))()

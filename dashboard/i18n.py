"""Words, numbers and dates in the reader's language. What a source calls a thing stays as it is."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, get_timezone
from babel.numbers import (
    format_compact_currency,
    format_currency,
    format_decimal,
    format_percent,
)

_FOLDER = Path(__file__).parent / "catalogues"
# Marks that turn the direction of what follows: shown, they would disguise a name.
_TURNING = dict.fromkeys((*range(8234, 8239), *range(8294, 8298), 8206, 8207))
NOTHING = "–"


@cache
def catalogue(language: str) -> dict[str, str]:
    """The words of a language by key."""
    text = (_FOLDER / f"{language}.json").read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(text)
    return found


def plain(text: Any) -> str:
    """A source's text for showing: whole, without control and direction marks."""
    shown = str(text).translate(_TURNING)
    return "".join(letter if letter.isprintable() else " " for letter in shown)


def shortened(text: Any, longest: int = 80) -> str:
    """A source's text in a place that is not wide."""
    shown = plain(text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


@dataclass(frozen=True, slots=True)
class Words:
    """Texts and formats of one language."""

    language: str
    zone: str = "UTC"

    @property
    def locale(self) -> Locale:
        """The same for Babel."""
        return Locale.parse(self.language)

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key, its places filled."""
        found = catalogue(self.language)[key]
        return found.format(**values) if values else found

    def code(self, value: Any) -> str:
        """A word of the warehouse, such as a status; the word itself if no catalogue has it."""
        if value is None:
            return NOTHING
        return catalogue(self.language).get(f"code.{value}") or plain(value).replace("_", " ")

    def money(self, amount: Decimal | None, currency: str | None) -> str:
        """An exact amount with its currency."""
        if amount is None:
            return NOTHING
        return format_currency(amount, currency or "XXX", locale=self.locale)

    def short_money(self, amount: Decimal | float | None, currency: str) -> str:
        """An amount for an axis or a headline; the exact one stands in the table."""
        if amount is None:
            return NOTHING
        exact = Decimal(str(amount))
        return format_compact_currency(exact, currency, locale=self.locale, fraction_digits=1)

    def count(self, number: int | None) -> str:
        """A number of things."""
        return NOTHING if number is None else format_decimal(number, locale=self.locale)

    def number(self, number: Decimal | float | None) -> str:
        """A number with at most two places."""
        if number is None:
            return NOTHING
        return format_decimal(number, format="#,##0.##", locale=self.locale)

    def share(self, ratio: float | None) -> str:
        """A ratio in per cent."""
        return NOTHING if ratio is None else format_percent(ratio, "#,##0.0%", locale=self.locale)

    def day(self, day: date | None) -> str:
        """A business date."""
        return NOTHING if day is None else format_date(day, "medium", locale=self.locale)

    def instant(self, at: datetime | None) -> str:
        """An instant in the company's zone, which is named."""
        if at is None:
            return NOTHING
        zone = get_timezone(self.zone)
        local = at.astimezone(zone)
        day = format_date(local, "medium", locale=self.locale)
        clock = format_time(at, "short", tzinfo=zone, locale=self.locale)
        return f"{day} {clock} {format_datetime(at, 'z', tzinfo=zone, locale=self.locale)}"

"""From a cell to a canonical text, by declared rules only: nothing is guessed.

A spreadsheet that says 03/04/2026 or 1.000 means two things; the mapping says which. What
does not fit is a ``CellError`` that names the rule, never a null.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from connectors.files.entities import Kind
from connectors.files.eras import era_date, is_era_format

Canonical: TypeAlias = str | int | bool | list[str]

_YES = frozenset({"true", "yes", "y", "1", "ja", "oui", "si", "sí", "はい", "○", "x"})
_NO = frozenset({"false", "no", "n", "0", "nein", "non", "いいえ", "×", ""})
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2009\u202f\u2007"), " ")
_MINUS = str.maketrans({"\u2212": "-", "▲": "-", "△": "-", "\u2013": "-"})
_ERROR_CELLS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"})
_CURRENCY = re.compile(r"[A-Z]{3}")
_SCIENTIFIC = re.compile(r"[+-]?\d+([.,]\d+)?[eE][+-]?\d+")
# A double carries 15 digits: a longer id was damaged before the file was saved.
_EXACT_INTEGER = 10**15


class CellError(ValueError):
    """A cell that its column's rule cannot read; ``code`` is stable, the text explains."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Notation(msgspec.Struct, frozen=True):
    """How a table writes numbers and times."""

    decimal: str = "."
    thousands: str = ""
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    instant_formats: tuple[str, ...] = ()
    time_zone: str = "UTC"
    money_from_float: bool = False


def text_of(value: object) -> str:
    """The cell as the reader of the file would see it, trimmed; "" for an empty cell.

    Raises:
        CellError: for a spreadsheet's error value, or a number whose last digits a
            double has already lost.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number_text(value)
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value).strip()
    if text in _ERROR_CELLS:
        raise CellError("error_cell", f"the spreadsheet shows {text}")
    return text


def _number_text(value: float) -> str:
    if not isfinite(value):
        raise CellError("not_a_number", "the cell holds NaN or infinity")
    if value != int(value):
        return repr(value)
    if abs(value) >= _EXACT_INTEGER:
        raise CellError(
            "damaged_number", f"{value} has more than 15 digits; store the column as text"
        )
    return str(int(value))


def decimal_text(value: object, notation: Notation) -> str:
    """A number as plain digits with a point: "(1.234,50)" in German notation is "-1234.50".

    Raises:
        CellError: when marks other than the declared ones appear, groups are not of
            three digits, or the cell is in scientific notation.
    """
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        text = text_of(value)
        if _SCIENTIFIC.fullmatch(text):
            return format(Decimal(text), "f")
        return text
    shown = text_of(value)
    text = unicodedata.normalize("NFKC", shown.translate(_MINUS)).translate(_SPACES).strip()
    if _SCIENTIFIC.fullmatch(text):
        raise CellError("damaged_number", f"{shown!r} is in scientific notation: digits are lost")
    negative = False
    if text.startswith("(") and text.endswith(")"):
        negative, text = True, text[1:-1].strip()
    for suffix, minus in (("-", True), ("CR", True), ("DR", False), ("円", False)):
        if text.upper().endswith(suffix):
            negative, text = negative or minus, text[: -len(suffix)].strip()
    if text[:1] in "+-":
        negative, text = negative or text[0] == "-", text[1:].strip()
    text = text.lstrip("€$£¥ ").rstrip("€$£¥ ")
    mark = re.escape(notation.decimal)
    group = re.escape(notation.thousands) if notation.thousands else None
    whole = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d+" if group else r"\d+"
    if not re.fullmatch(rf"(?:{whole})(?:{mark}\d+)?|{mark}\d+", text):
        marks = f"decimal {notation.decimal!r}, thousands {notation.thousands or 'none'!r}"
        raise CellError("bad_number", f"{shown!r} is no number in this table's notation ({marks})")
    if notation.thousands:
        text = text.replace(notation.thousands, "")
    text = text.replace(notation.decimal, ".")
    return f"-{text}" if negative and Decimal(text) else text


def date_text(value: object, notation: Notation) -> str:
    """A calendar day as YYYY-MM-DD by the first declared format that fits.

    Raises:
        CellError: when none fits, or a spreadsheet's day carries a time of day.
    """
    if isinstance(value, datetime):
        if value.time() != time():
            raise CellError("bad_date", f"{value} carries a time of day where a date is wanted")
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    text = text_of(value)
    for pattern in notation.date_formats:
        if is_era_format(pattern):
            day = era_date(text, pattern)
            if day is not None:
                return day.isoformat()
            continue
        try:
            # Full-width digits as their plain forms, as with numbers.
            plain = unicodedata.normalize("NFKC", text)
            form = unicodedata.normalize("NFKC", pattern)
            found = datetime.strptime(plain, form)  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        return found.date().isoformat()
    wanted = " or ".join(notation.date_formats)
    raise CellError("bad_date", f"{text!r} does not fit the date format {wanted}")


def instant_text(value: object, notation: Notation) -> str:
    """An instant as ISO 8601 in UTC; one without a zone is read in the table's zone.

    Raises:
        CellError: when neither ISO 8601 nor a declared format fits.
    """
    found: datetime | None = None
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime.combine(value, time())
    else:
        text = text_of(value)
        for pattern in notation.instant_formats:
            try:
                found = datetime.strptime(text, pattern)  # noqa: DTZ007 - zone set below
                break
            except ValueError:
                continue
        if found is None:
            try:
                found = datetime.fromisoformat(text)
            except ValueError as error:
                raise CellError("bad_instant", f"{text!r} is no instant: {error}") from error
    if found.tzinfo is None:
        found = found.replace(tzinfo=ZoneInfo(notation.time_zone))
    return found.astimezone(UTC).isoformat().replace("+00:00", "Z")


def canonical(
    value: object, kind: Kind, notation: Notation, words: Mapping[str, str] | None = None
) -> Canonical | None:
    """The cell in canonical form; None for an empty one.

    Args:
        value: the cell as the file's reader gave it.
        kind: what the column holds.
        notation: how the table writes numbers and times.
        words: the column's map of words ("offen" -> "open"); a word outside it is an error.

    Raises:
        CellError: when the cell does not fit.
    """
    if words is not None:
        word = text_of(value)
        if word not in words:
            if not word:
                return None
            known = ", ".join(sorted(words))
            raise CellError("unknown_word", f"{word!r} is not in the column's values ({known})")
        value = words[word]
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return None
    convert = _CONVERTERS.get(kind)
    return text_of(value) if convert is None else convert(value, notation)


def _money(value: object, notation: Notation) -> str:
    if isinstance(value, float) and not notation.money_from_float:
        # A spreadsheet has doubles only; 15 digits survive, more would be invented.
        if abs(value) >= _EXACT_INTEGER:
            raise CellError("damaged_number", f"{value!r} exceeds a double's 15 digits")
        return decimal_text(round(value, 12), notation)
    return decimal_text(value, notation)


def _whole(value: object, notation: Notation) -> int:
    number = Decimal(decimal_text(value, notation))
    if number != number.to_integral_value():
        raise CellError("bad_number", f"{value!r} is no whole number")
    return int(number)


def _boolean(value: object, _: Notation) -> bool:
    word = text_of(value).lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise CellError("bad_boolean", f"{word!r} is neither yes nor no")


def _currency(value: object, _: Notation) -> str:
    code = text_of(value).upper()
    if not _CURRENCY.fullmatch(code):
        raise CellError("bad_currency", f"{code!r} is no ISO 4217 code")
    return code


def _email(value: object, _: Notation) -> str:
    return text_of(value).lower()


def _list(value: object, _: Notation) -> list[str]:
    return [part.strip() for part in re.split(r"[;,]", text_of(value)) if part.strip()]


_CONVERTERS: Mapping[Kind, Callable[[object, Notation], Canonical]] = {
    "decimal": _money,
    "integer": _whole,
    "boolean": _boolean,
    "date": date_text,
    "instant": instant_text,
    "currency": _currency,
    "email": _email,
    "list": _list,
}

"""The ECB's table of all fixings: a CSV in a zip, by name of its columns, digits untouched."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectors.base.errors import ProtocolError
from connectors.fx.settings import is_code

MAX_UNPACKED = 64 * 1024**2
"""Thirty times what a quarter of a century takes."""
MISSING = frozenset({"", "N/A"})
_RATE = re.compile(r"\d{1,10}(?:\.\d{1,8})?")


@dataclass(frozen=True, slots=True)
class Fixing:
    """Units of ``currency`` per euro, in the digits of the publication."""

    day: date
    currency: str
    rate: str


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A cell that holds no rate."""

    day: date
    currency: str
    text: str


def unpacked(packed: bytes) -> str:
    """The one CSV file of an archive.

    Raises:
        ProtocolError: it is no archive, holds several files, is damaged or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            if len(members) != 1:
                raise ProtocolError(f"the archive holds {len(members)} files, not one")
            with archive.open(members[0]) as member:
                content = member.read(MAX_UNPACKED + 1)
    # RuntimeError: under a password; NotImplementedError: packed in a way that nobody uses.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as fault:
        raise ProtocolError(f"the archive is damaged or was cut off: {fault}") from None
    if len(content) > MAX_UNPACKED:
        raise ProtocolError(f"the archive unpacks to more than {MAX_UNPACKED} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise ProtocolError(f"the table is no text: {fault}") from None


def fixings(text: str) -> Iterator[Fixing | Spoilt]:
    """Every fixing of the table, in its order: the newest day first.

    Columns come and go with currencies, so they are read by name. Each line ends with a
    comma, whose empty column is none.

    Raises:
        ProtocolError: it is not that table, a day stands in it twice, or it has no day.
    """
    lines = csv.reader(io.StringIO(text), strict=True)
    try:
        header = [name.strip() for name in next(lines, [])]
        columns = {place: name for place, name in enumerate(header) if place and name}
        if (
            not header
            or header[0] != "Date"
            or not columns
            or not all(map(is_code, columns.values()))
        ):
            raise ProtocolError(f"not the table of rates; it begins with {header[:3]}")
        if len(set(columns.values())) != len(columns):
            raise ProtocolError("a currency has two columns")
        seen: set[date] = set()
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            day = _day(cells[0].strip())
            if day in seen:
                raise ProtocolError(f"the table holds {day} twice")
            if len(cells) < max(columns) + 1:
                raise ProtocolError(f"the line of {day} ends too early")
            seen.add(day)
            for place, currency in columns.items():
                cell = cells[place].strip()
                if cell in MISSING:
                    continue
                is_rate = _RATE.fullmatch(cell) is not None and Decimal(cell) > 0
                yield Fixing(day, currency, cell) if is_rate else Spoilt(day, currency, cell)
    except csv.Error as fault:
        raise ProtocolError(f"the table cannot be read: {fault}") from None
    if not seen:
        raise ProtocolError("the table of rates holds no day")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ProtocolError(f"{text[:40]!r} is no day of the table of rates") from None

"""From Vtiger's rows to records: ids, clocks, and what never lands.

The text of a row stays as it came. A row is written anew only where it carries a field
that must not land.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import BadRecord
from connectors.base.stream import Change, Record, Rejected

NEVER_LANDED = frozenset(
    {
        *("accesskey", "user_password", "confirm_password", "user_hash", "crypt_type"),
        *("sessionName", "authtoken", "accessKey", "password"),
    }
)
_QUOTED = tuple(f'"{name}"'.encode() for name in NEVER_LANDED)
CUSTOM = "cf_"
FORM = "%Y-%m-%d %H:%M:%S"
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


class Head(msgspec.Struct):
    """What is read of every row."""

    id: str
    modifiedtime: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row, its id, and the text of its clock as the server orders it."""

    id: str
    at: str
    raw: bytes

    @property
    def number(self) -> int:
        """The part of the id by which the server orders."""
        return int(self.id.partition("x")[2])


def by_number(row: Row) -> int:
    """The server's order of ids."""
    return row.number


def read_rows(raws: Iterable[msgspec.Raw]) -> tuple[list[Row], list[Rejected]]:
    """Rows in the server's order, and those that bear no id like ``13x4711``."""
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for one in raws:
        raw = bytes(one)
        try:
            head = partial(raw, Head)
        except BadRecord as fault:
            rejected.append(Rejected(None, fault.reason, raw))
            continue
        prefix, cross, number = head.id.partition("x")
        if not (cross and prefix.isdecimal() and number.isdecimal()):
            rejected.append(Rejected(head.id, f"{head.id!r} is no web service id", raw))
            continue
        rows.append(Row(head.id, head.modifiedtime or "", raw))
    return rows, rejected


def instant(text: str | None, zone: ZoneInfo) -> datetime | None:
    """An instant in UTC; None where there is none, or the clock showed it twice.

    A wall clock that is set back shows an hour twice. Whoever took one of them for the
    other would take a newer version for an older one.
    """
    if not text or text.startswith("0000"):
        return None
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    if local.tzinfo is None:
        local = local.replace(tzinfo=zone)
        if local.utcoffset() != local.replace(fold=1).utcoffset():
            return None
    return local.astimezone(UTC)


def earlier(text: str, by: timedelta) -> str:
    """The server's text of a moment before; the text itself where it is no moment."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment - by).strftime(FORM)


def landed(raw: bytes, kept: frozenset[str]) -> bytes:
    """The record's text without what must not land.

    Raises:
        BadRecord: the text is no JSON object.
    """
    if not kept and not any(name in raw for name in _QUOTED):
        return raw
    try:
        content: Any = _decode(raw)
    except (msgspec.DecodeError, ArithmeticError) as fault:
        raise BadRecord(f"not readable as JSON: {fault}") from None
    if not isinstance(content, dict):
        raise BadRecord("not a JSON object")
    return _encode(
        {
            name: value
            for name, value in content.items()
            if name not in NEVER_LANDED and (not kept or name in kept or name.startswith(CUSTOM))
        }
    )


def record(
    row: Row,
    observed_at: datetime,
    zone: ZoneInfo,
    kept: frozenset[str],
    change: Change = "upsert",
) -> Record:
    """A row as it lands; BadRecord if it cannot."""
    return Record(row.id, landed(row.raw, kept), observed_at, change, instant(row.at, zone))

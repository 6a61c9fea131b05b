"""A record as the vendor's own text, and the two fields by which it is ordered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from connectors.base.decode import decode, partial, screen
from connectors.base.errors import BadRecord, ProtocolError
from connectors.base.stream import Change, Record, Rejected

encode = msgspec.json.Encoder().encode
Fields = Mapping[str, msgspec.Raw]


class _Marks(msgspec.Struct):
    # Text by the specification; a number where an organisation's older code answers.
    id: str | int
    Modified_Time: str | None = None
    Last_Activity_Time: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A record of an answer: ``number`` is its id as the server sorts it."""

    id: str
    at: datetime | None
    raw: bytes

    @property
    def number(self) -> int:
        """The id as a number."""
        return int(self.id)


def instant(text: str | None) -> datetime | None:
    """An instant with its own offset as UTC; None where it is none."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.astimezone(UTC)


def literal(moment: datetime) -> str:
    """An instant as a query and a header write it: whole seconds, UTC."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()


def read_rows(
    raws: Iterable[msgspec.Raw], clock: str = "Modified_Time"
) -> tuple[list[Row], list[Rejected]]:
    """Rows with a usable id, and those without; ``clock`` is the field that orders them."""
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for raw in raws:
        text = bytes(raw)
        try:
            marks = partial(text, _Marks)
        except BadRecord as fault:
            rejected.append(Rejected(None, fault.reason, text))
            continue
        name = str(marks.id)
        if not name.isdecimal():
            rejected.append(Rejected(None, f"the id is {name[:60]!r}", text))
            continue
        rows.append(Row(name, instant(getattr(marks, clock)), text))
    return rows, rejected


def landed(
    rows: Sequence[Row], observed_at: datetime, change: Change = "upsert"
) -> tuple[list[Record], list[Rejected]]:
    """The rows as they land, and those that cannot."""
    records: list[Record] = []
    rejected: list[Rejected] = []
    for row in rows:
        try:
            screen(row.raw)
        except BadRecord as fault:
            rejected.append(Rejected(row.id, fault.reason, row.raw))
            continue
        records.append(Record(row.id, row.raw, observed_at, change, row.at))
    return records, rejected


def fields_of(raw: bytes) -> dict[str, msgspec.Raw]:
    """A record's fields, each as the vendor's own text.

    Raises:
        BadRecord: it is no object.
    """
    try:
        return decode(raw, dict[str, msgspec.Raw])
    except ProtocolError as fault:
        raise BadRecord(str(fault)) from None


def kept(raw: bytes, names: frozenset[str]) -> bytes:
    """The record's text with the named fields alone.

    Raises:
        BadRecord: it is no object.
    """
    return encode({name: text for name, text in fields_of(raw).items() if name in names})


def with_field(raw: bytes, name: str, value: bytes) -> bytes:
    """The record's text with one field more.

    Raises:
        BadRecord: it is no object.
    """
    return encode({**fields_of(raw), name: msgspec.Raw(value)})


def joined(parts: Sequence[Sequence[Row]]) -> list[Row]:
    """Rows whose fields came in several answers, in the order of the first.

    A row that is not in all of them, or not with one Modified_Time, was edited between the
    answers: it has left the window and is met again.
    """
    if len(parts) == 1:
        return list(parts[0])
    others = [{row.id: row for row in part} for part in parts[1:]]
    found: list[Row] = []
    for row in parts[0]:
        same = [part.get(row.id) for part in others]
        if any(one is None or one.at != row.at for one in same):
            continue
        fields: dict[str, msgspec.Raw] = fields_of(row.raw)
        for one in same:
            if one is not None:
                fields |= fields_of(one.raw)
        found.append(Row(row.id, row.at, encode(fields)))
    return found

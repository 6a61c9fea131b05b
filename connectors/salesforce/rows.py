"""The rows of an object: asked for within the length of an address, and as they land.

An address and its headers may have 16,384 bytes, and a query is part of it. An object with more
fields than fit is asked for several times, a part of its fields each, and put together by id:
what was edited between two parts shows another stamp, and is left to the next read.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import quote_plus

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import BadRecord
from connectors.base.stream import ReadRequest, Record, Rejected
from connectors.salesforce.objects import Described, Kind
from connectors.salesforce.session import Found, Session

PAGE = 2_000
Fields: TypeAlias = dict[str, msgspec.Raw]


class Head(msgspec.Struct):
    """What is read of every row."""

    Id: str
    SystemModstamp: str | None = None
    CreatedDate: str | None = None
    IsDeleted: bool | None = None
    MasterRecordId: str | None = None


HEAD = Head.__struct_fields__


def literal(moment: datetime) -> str:
    """A moment as SOQL writes it: no quotes."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def instant(text: str | None) -> datetime | None:
    """A moment of the vendor's: an offset without a colon, or Z; None where there is none."""
    if not text:
        return None
    return datetime.fromisoformat(text.replace("+0000", "+00:00"))


@dataclass(slots=True)
class Read:
    """One read of one object: what is asked, and what has been shown."""

    session: Session
    kind: Kind
    request: ReadRequest
    shape: Described
    mark: dict[str, Any]
    """The cursor under way."""
    shown_gone: set[str] = field(default_factory=set)
    """Ids that a query showed as deleted."""

    def select(
        self,
        condition: str = "",
        order: str = "",
        limit: int | None = PAGE,
        names: Sequence[str] = (),
    ) -> str:
        """The query of all fields, or of ``names``."""
        text = f"SELECT {','.join(names or self.shape.names)} FROM {self.kind.name}"  # noqa: S608 - SOQL, names of the describe
        text += f" WHERE {condition}" if condition else ""
        text += f" ORDER BY {order}" if order else ""
        return text + (f" LIMIT {limit}" if limit else "")

    async def found(
        self,
        condition: str = "",
        order: str = "",
        limit: int | None = PAGE,
        *,
        with_deleted: bool = True,
    ) -> AsyncIterator[Found]:
        """The pages of a query; one page, put together, where it fits no address."""
        soql = self.select(condition, order, limit)
        if self.session.room_beside(soql) >= 0:
            async for one in self.session.query(soql, with_deleted=with_deleted):
                yield one
            return
        whole: dict[bytes, Fields] = {}
        asked = 0
        observed_at = self.request.now
        for place, names in enumerate(self._parts(condition, order, limit)):
            shown: dict[bytes, Fields] = {}
            soql = self.select(condition, order, limit, names)
            async for one in self.session.query(soql, with_deleted=with_deleted):
                observed_at = one.observed_at
                for row in one.rows:
                    fields = msgspec.json.decode(bytes(row), type=Fields)
                    shown[bytes(fields["Id"])] = fields
            if place == 0:
                whole, asked = shown, len(shown)
                continue
            whole = {
                key: fields | shown[key]
                for key, fields in whole.items()
                if key in shown and _stamp(fields) == _stamp(shown[key])
            }
        rows = [msgspec.Raw(msgspec.json.encode(fields)) for fields in whole.values()]
        yield Found(rows, observed_at, torn=asked - len(rows))

    def _parts(self, condition: str, order: str, limit: int | None) -> Iterator[list[str]]:
        head = [name for name in self.shape.names if name in HEAD]
        room = self.session.room_beside(self.select(condition, order, limit, head))
        part, left = list(head), room
        for name in self.shape.names:
            if name in head:
                continue
            size = len(quote_plus(f",{name}"))
            if size > left:
                yield part
                part, left = list(head), room
            part.append(name)
            left -= size
        yield part

    def landed(
        self, rows: Sequence[msgspec.Raw], observed_at: datetime
    ) -> tuple[list[Record], list[Rejected]]:
        """Rows as they land, and those that cannot be read."""
        records: list[Record] = []
        rejected: list[Rejected] = []
        for row in rows:
            raw = bytes(row)
            try:
                head = partial(raw, Head)
                moved_at = instant(head.SystemModstamp or head.CreatedDate)
            except (BadRecord, ValueError) as fault:
                rejected.append(Rejected(None, str(fault), raw))
                continue
            if head.IsDeleted:
                self.shown_gone.add(head.Id)
            if head.IsDeleted and head.MasterRecordId:
                told = msgspec.json.encode({"survivor_id": head.MasterRecordId})
                records.append(Record(head.Id, told, observed_at, "merged", moved_at))
            elif head.IsDeleted:
                records.append(Record(head.Id, raw, observed_at, "deleted", moved_at))
            else:
                records.append(Record(head.Id, raw, observed_at, "upsert", moved_at))
        return records, rejected

    def last(self, rows: Sequence[msgspec.Raw]) -> tuple[datetime, str] | None:
        """Clock and id of the last row that can be read."""
        is_history = self.kind.clock == "CreatedDate"
        for row in reversed(rows):
            with suppress(BadRecord, ValueError):
                head = partial(bytes(row), Head)
                moment = instant(head.CreatedDate if is_history else head.SystemModstamp)
                if moment is not None:
                    return moment, head.Id
        return None


def _stamp(fields: Fields) -> bytes:
    return bytes(fields.get("SystemModstamp", b""))

"""From Pipedrive's JSON to records: which change a row tells of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import BadRecord
from connectors.base.stream import Change, Record, Rejected
from connectors.pipedrive.session import instant


class Head(msgspec.Struct):
    """The few fields of a v2 record that reading needs."""

    id: int | str
    update_time: str | None = None
    add_time: str | None = None
    status: Any = None
    is_deleted: bool | None = None
    source_lead_id: str | None = None

    @property
    def is_gone(self) -> bool:
        """Deleted, and still shown for a while."""
        return bool(self.is_deleted) or self.status == "deleted"


@dataclass(slots=True)
class Batch:
    """Records of one page, what could not be read, and how far their times reach."""

    records: list[Record] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    reached: datetime | None = None


def collect(rows: Iterable[msgspec.Raw], observed_at: datetime) -> Batch:
    """Make the records of a page."""
    batch = Batch()
    for row in rows:
        raw = bytes(row)
        try:
            head = partial(raw, Head)
        except BadRecord as fault:
            batch.rejected.append(Rejected(None, fault.reason, raw))
            continue
        batch.heads.append(head)
        moment = instant(head.update_time)
        if moment is not None:
            batch.reached = max(batch.reached or moment, moment)
        batch.records.append(made(head, raw, observed_at))
    return batch


def made(head: Head, raw: bytes, observed_at: datetime) -> Record:
    """One record: deleted, or as it is."""
    change: Change = "deleted" if head.is_gone else "upsert"
    return Record(str(head.id), raw, observed_at, change, instant(head.update_time))


def judged(record_id: str, raw: bytes | None, observed_at: datetime) -> Record:
    """What became of a record that was asked for by its id; ``raw`` None where it is unknown.

    An answer about another id is the record that it was merged into.
    """
    if raw is None:
        return Record(record_id, None, observed_at, "deleted")
    head = partial(raw, Head)
    if str(head.id) != record_id:
        text = msgspec.json.encode({"survivor_id": str(head.id)})
        return Record(record_id, text, observed_at, "merged", instant(head.update_time))
    return made(head, raw, observed_at)

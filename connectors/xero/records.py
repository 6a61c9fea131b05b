"""Records of a list as landing takes them: ids, clocks, and what became of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from connectors.base.errors import BadRecord
from connectors.base.stream import Change, Record, Rejected
from connectors.xero.kinds import Kind
from connectors.xero.payload import instant, landed, read

CHANGES: dict[str, Change] = {"DELETED": "deleted", "ARCHIVED": "archived"}
"""What a status means; a voided document is a document still."""
ERASED = "GDPRREQUEST"
_KEPT_OF_ERASED = ("ContactID", "ContactStatus", "UpdatedDateUTC")


@dataclass(frozen=True, slots=True)
class Rows:
    """What one answer holds, in its order.

    ``times`` are those of all rows, None where one has no readable UpdatedDateUTC.
    """

    records: list[Record]
    rejected: list[Rejected]
    ids: list[str]
    times: list[datetime | None]


def rows_of(kind: Kind, raws: Iterable[msgspec.Raw], observed_at: datetime) -> Rows:
    """Turn an answer's rows into records; what cannot be landed is set aside."""
    rows = Rows([], [], [], [])
    for one in raws:
        raw = bytes(one)
        try:
            content = read(raw)
        except BadRecord as fault:
            rows.rejected.append(Rejected(None, fault.reason, raw))
            rows.times.append(None)
            continue
        updated = instant(content.get("UpdatedDateUTC"))
        rows.times.append(updated)
        record_id = content.get(kind.key)
        if not isinstance(record_id, str) or not record_id:
            reason = f"a record of {kind.path} without {kind.key}"
            rows.rejected.append(Rejected(None, reason, landed(content)))
            continue
        rows.ids.append(record_id)
        rows.records.append(_record(kind, record_id, content, observed_at, updated))
    return rows


def _record(
    kind: Kind, record_id: str, content: dict[str, Any], at: datetime, updated: datetime | None
) -> Record:
    state = content.get(kind.state) if kind.state else None
    survivor = content.get("MergedToContactID")
    if state == ERASED:
        content = {name: content[name] for name in _KEPT_OF_ERASED if name in content}
        return Record(record_id, landed(content), at, "deleted", updated)
    if survivor:
        merged = landed({**content, "survivor_id": survivor})
        return Record(record_id, merged, at, "merged", updated)
    return Record(record_id, landed(content), at, CHANGES.get(str(state), "upsert"), updated)

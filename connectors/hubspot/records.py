"""From HubSpot's JSON to records: what of an answer is read, and what is landed of it.

The text of a record stays as it came. Where associations belong to it they are put in as
one sorted set of ids, so that an unchanged set is an unchanged record, however HubSpot
orders, labels or pages it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import BadRecord
from connectors.base.stream import Change, Record, Rejected
from connectors.hubspot.objects import ObjectType

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Next(msgspec.Struct):
    """Where the next page begins; ``after`` is opaque for lists, an offset for search."""

    after: str


class Paging(msgspec.Struct):
    """Present with ``next`` while there are more pages."""

    next: Next | None = None


class Listing(msgspec.Struct):
    """A page of anything. ``results`` must be there: `{}` is not an empty page."""

    results: list[msgspec.Raw]
    paging: Paging | None = None

    @property
    def after(self) -> str | None:
        """The next page's cursor; None on the last page."""
        return self.paging.next.after if self.paging and self.paging.next else None


class _Names(msgspec.Struct):
    hs_merged_object_ids: str | None = None


class _Link(msgspec.Struct):
    id: str | int


class _Links(msgspec.Struct):
    results: list[_Link] = []
    paging: Paging | None = None


class Head(msgspec.Struct):
    """The few fields of a CRM record that reading needs."""

    id: str
    properties: _Names
    updatedAt: str | None = None  # noqa: N815 - the vendor's spelling
    archived: bool = False
    archivedAt: str | None = None  # noqa: N815 - the vendor's spelling
    associations: dict[str, _Links] = {}


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as one answer showed it."""

    head: Head
    raw: bytes
    observed_at: datetime
    is_listed: bool = False
    """Whether the answer was asked to carry associations."""


@dataclass(frozen=True, slots=True)
class Tie:
    """One associated record: its id, the labels that people gave, whether it is primary."""

    id: str
    labels: tuple[str, ...] = ()
    primary: bool = False


Ties = Mapping[str, Mapping[str, Sequence[Tie]]]
"""Target object type -> record id -> its ties."""


@dataclass(slots=True)
class Batch:
    """Records of one page, their children, and what could not be read."""

    records: list[Record] = field(default_factory=list)
    children: list[Record] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def read_heads(
    rows: Iterable[msgspec.Raw], observed_at: datetime, *, is_listed: bool = False
) -> tuple[list[Shown], list[Rejected]]:
    """Split the rows of an answer into readable records and rejected ones."""
    shown, rejected = [], []
    for row in rows:
        raw = bytes(row)
        try:
            shown.append(Shown(partial(raw, Head), raw, observed_at, is_listed))
        except BadRecord as fault:
            rejected.append(Rejected(None, fault.reason, raw))
    return shown, rejected


def instant(text: str | None) -> datetime | None:
    """An ISO instant of HubSpot's; None where there is none or it is unreadable."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def epoch_ms(moment: datetime) -> int:
    """Whole milliseconds since 1970, the precision of search."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def from_epoch_ms(milliseconds: int) -> datetime:
    """The instant of so many milliseconds since 1970, in UTC."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def by_number(record_id: str) -> tuple[int, str]:
    """Sort key of ids: they are digits of any length, and stay text."""
    return len(record_id), record_id


def inline_ids(shown: Shown, target: str) -> tuple[list[str], bool]:
    """Ids of one target that a list answer carries, and whether they are all of them."""
    links = shown.head.associations.get(target)
    if links is None:
        return [], True
    ids = {str(link.id) for link in links.results}
    return sorted(ids, key=by_number), links.paging is None or links.paging.next is None


def payload(kind: ObjectType, shown: Shown, ties: Ties, targets: Sequence[str]) -> bytes:
    """The record's text with its associations put in as sorted sets of ids."""
    if not kind.inline:
        return shown.raw
    fields = msgspec.json.decode(shown.raw, type=dict[str, msgspec.Raw])
    sets: dict[str, Any] = {}
    for target in targets:
        known = ties.get(target, {}).get(shown.head.id)
        ids = inline_ids(shown, target)[0] if known is None else [tie.id for tie in known]
        if shown.head.archived:
            ids = []  # an archived record is tied to nothing, whichever answer shows it
        sets[target] = {"results": [{"id": one} for one in sorted(set(ids), key=by_number)]}
    fields["associations"] = msgspec.Raw(msgspec.json.encode(sets))
    return msgspec.json.encode(fields)


def linked_payload(record_id: str, ties: Ties, targets: Sequence[str]) -> bytes:
    """One deal's associations as one record."""
    sets: dict[str, Any] = {"id": record_id}
    for target in targets:
        known = ties.get(target, {}).get(record_id, ())
        sets[target] = [
            {"id": tie.id, "labels": list(tie.labels), "primary": tie.primary}
            for tie in sorted(known, key=lambda tie: by_number(tie.id))
        ]
    return msgspec.json.encode(sets)


def merged_away(shown: Shown) -> list[Record]:
    """The records that live on in this one: HubSpot lists them nowhere else."""
    text = shown.head.properties.hs_merged_object_ids or ""
    survivor = msgspec.json.encode({"survivor_id": shown.head.id})
    return [
        Record(
            record_id=loser,
            payload=survivor,
            observed_at=shown.observed_at,
            change="merged",
            source_updated_at=instant(shown.head.updatedAt),
        )
        for loser in sorted({one.strip() for one in text.split(";")} - {"", shown.head.id})
    ]


def collect(kind: ObjectType, shown: Iterable[Shown], ties: Ties, targets: Sequence[str]) -> Batch:
    """Make the records of a page: themselves, who merged into them, their associations."""
    batch = Batch()
    for one in shown:
        losers = merged_away(one)
        change: Change = "archived" if one.head.archived else "upsert"
        batch.records += losers
        batch.records.append(
            Record(
                record_id=one.head.id,
                payload=payload(kind, one, ties, targets),
                observed_at=one.observed_at,
                change=change,
                # Not archivedAt: after a restore the older updatedAt would look late.
                source_updated_at=instant(one.head.updatedAt),
            )
        )
        if kind.linked:
            batch.children += losers
            text = None if one.head.archived else linked_payload(one.head.id, ties, targets)
            batch.children.append(Record(one.head.id, text, one.observed_at, change))
    return batch

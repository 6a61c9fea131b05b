"""Appending: which of the records shown are new versions, and in which order."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol, cast

import pyarrow as pa

from connectors.base.errors import BadRecord
from connectors.base.stream import Record, Rejected
from pipeledger.landing.canonical import Hasher, storable, storable_text
from pipeledger.landing.newest import Newest
from pipeledger.landing.suppression import Suppression
from pipeledger.landing.tables import INSTANT, VERSIONS
from pipeledger.retention import Keep

MAX_RECORD = 1024**2
"""Bytes of one record's JSON above which it is set aside."""
_LANDING = threading.BoundedSemaphore(2)
"""Batches in work at the same time in this process, whatever the number of connections."""
_BACKSLASH = ord("\\")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
NOT_LISTED = ("archived", "merged", "deleted", "access_lost", "converted")
"""Changes after which a vendor's listing of live ids need not show the record."""


@dataclass(frozen=True, slots=True)
class AppendReport:
    """What became of a batch.

    ``seen`` records came, ``appended`` were new versions and ``unchanged`` were not (nor the
    second showings within the batch), ``late`` were older than what is landed, ``quarantined``
    were set aside as unreadable; ``replaced_text`` held NUL or half a surrogate pair;
    ``expired`` were older than the stream's retention rule and did not land;
    ``bytes`` went to the table before compression.
    """

    seen: int = 0
    appended: int = 0
    unchanged: int = 0
    late: int = 0
    quarantined: int = 0
    replaced_text: int = 0
    expired: int = 0
    bytes: int = 0


class Target(Protocol):
    """Where a writer's rows go: one table, and the quarantine."""

    def append(self, rows: pa.Table) -> None:
        """Commit landed versions."""

    def set_aside(self, rejected: Sequence[Rejected], observed_at: datetime) -> None:
        """Commit rejected records."""


@dataclass(slots=True)
class _Shown:
    """The readable records of a batch and their hashes, position by position."""

    records: list[Record]
    hashes: list[bytes]
    replaced_text: int = 0


class Writer:
    """Appends the batches of one stream within one sync.

    ``trust_clock`` False takes what is shown now as true although the vendor's clock on it
    is older than on the landed version: a full read after the vendor restored a backup.
    """

    def __init__(
        self,
        target: Target,
        newest: Newest,
        connection: str,
        *,
        sync_id: str,
        volatile: frozenset[str],
        trust_clock: bool = True,
        suppression: Suppression | None = None,
        place: str = "",
        keep: Keep | None = None,
    ) -> None:
        self._keep = keep
        self._suppression = suppression
        self._place = place
        self._target = target
        self._newest = newest
        self._connection = connection
        self._sync_id = sync_id
        self._hasher = Hasher(volatile)
        self._trust_clock = trust_clock
        self._position = 0

    def landed_ids(self, shown: Iterable[str]) -> set[str]:
        """The ids under which records that a vendor shows have landed."""
        known = self._suppression
        return set(shown) if known is None else {known.text(one) for one in shown}

    def live_ids(self) -> list[str]:
        """Ids that landing holds as not deleted, this sync's batches included, ascending."""
        return self._newest.live_ids()

    def archived_ids(self) -> list[str]:
        """Ids that landing holds as archived, this sync's batches included, ascending."""
        return self._newest.archived_ids()

    def listed_ids(self) -> list[str]:
        """Ids that a vendor's listing of live records ought to show, ascending."""
        return self._newest.live_ids(NOT_LISTED)

    def append(self, records: Sequence[Record]) -> AppendReport:
        """Append the versions that are new, in one commit.

        Blocks while other threads land: each batch is held a few times over meanwhile.

        Within the batch the newest showing of a record wins. An upsert whose vendor clock
        is older than that of the landed upsert came late (a lagging replica): it goes to
        quarantine as ``late``, so it is kept and replaces nothing. After any other change
        the vendor's word counts as it is: restored records keep their old clock.
        """
        if not records:
            return AppendReport()
        if self._suppression is not None:
            stream = self._place.split(":")[1]
            records = [self._suppression.record(one, stream, self._place) for one in records]
        kept = self._young(records)
        expired = len(records) - len(kept)
        if not kept:
            return AppendReport(seen=expired, expired=expired)
        with _LANDING:
            done = self._append(kept)
        return replace(done, seen=len(records), expired=expired) if expired else done

    def _young(self, records: Sequence[Record]) -> Sequence[Record]:
        """The records that a retention rule lets land. An end has no age: it is told of any."""
        if self._keep is None:
            return records
        cutoff = self._keep.cutoff(records[0].observed_at)
        return [
            one
            for one in records
            if one.change != "upsert"
            or one.source_updated_at is None
            or one.source_updated_at >= cutoff
        ]

    def _append(self, records: Sequence[Record]) -> AppendReport:
        rejected: list[Rejected] = []
        shown = self._hash(records, rejected)
        unreadable = len(rejected)
        _collapse(shown)
        fresh, observed, is_replacing = self._judge(shown, rejected)
        size = 0
        if fresh:
            rows = self._rows([shown.records[i] for i in fresh], shown.hashes, fresh, observed)
            size = rows.nbytes
            self._target.append(rows)
            self._newest.take(rows, is_replacing)
        if rejected:
            self._target.set_aside(rejected, records[0].observed_at)
        late = len(rejected) - unreadable
        return AppendReport(
            seen=len(records),
            appended=len(fresh),
            unchanged=len(records) - len(fresh) - len(rejected),
            late=late,
            quarantined=unreadable,
            replaced_text=shown.replaced_text,
            bytes=size,
        )

    def _hash(self, records: Sequence[Record], rejected: list[Rejected]) -> _Shown:
        payloads = [record.payload for record in records]
        if _are_plain(payloads, [record.record_id for record in records]):
            # By record below, to learn which one it is.
            plain = cast("list[bytes]", payloads)
            with suppress(BadRecord):
                return _Shown(list(records), self._hasher.hash_all(plain))
        shown = _Shown([], [])
        for record in records:
            try:
                clean = _cleaned(record)
                digest = self._hasher.hash(clean.payload)
            except BadRecord as error:
                rejected.append(
                    Rejected(storable_text(record.record_id), str(error), record.payload or b"")
                )
                continue
            shown.replaced_text += clean is not record
            shown.records.append(clean)
            shown.hashes.append(digest)
        return shown

    def _judge(
        self, shown: _Shown, rejected: list[Rejected]
    ) -> tuple[Sequence[int], Mapping[int, datetime], bool]:
        """Find the new versions: their indexes, clocks to mend, are known records among them.

        Our own clock may run back between two syncs. A version that would sort before the
        one it replaces takes that one's ``observed_at``; the sync id puts it behind.
        """
        if not shown.records:
            return (), {}, False
        judged = self._newest.compare(
            pa.table(
                {
                    "row": pa.array(range(len(shown.records)), pa.int64()),
                    "record_id": pa.array([r.record_id for r in shown.records], pa.string()),
                    "payload_hash": pa.array(shown.hashes, pa.binary()),
                    "change": pa.array([r.change for r in shown.records], pa.string()),
                }
            )
        )
        if judged is None:
            return range(len(shown.records)), {}, False
        rows = judged["row"].to_pylist()
        if judged["change"].null_count == len(rows):
            return rows, {}, False
        fresh, observed = [], {}
        columns = (judged[name].to_pylist() for name in judged.column_names)
        for row, change, vendor_clock, our_clock in zip(*columns, strict=True):
            record = shown.records[row]
            updated = record.source_updated_at
            if (
                self._trust_clock
                and change == record.change == "upsert"
                and updated is not None
                and vendor_clock is not None
                and (updated - _EPOCH) // _MICROSECOND < vendor_clock
            ):
                rejected.append(
                    Rejected(
                        record.record_id, "late: the vendor's clock is older", record.payload or b""
                    )
                )
                continue
            if our_clock is not None:
                before = _EPOCH + our_clock * _MICROSECOND
                if before > record.observed_at:
                    observed[row] = before
            fresh.append(row)
        return fresh, observed, True

    def _rows(
        self,
        records: Sequence[Record],
        hashes: Sequence[bytes],
        fresh: Sequence[int],
        observed: Mapping[int, datetime],
    ) -> pa.Table:
        start = self._position
        count = len(records)
        self._position += count
        instants = [record.observed_at for record in records]
        if observed:
            instants = [
                observed.get(row, instant) for row, instant in zip(fresh, instants, strict=True)
            ]
        return pa.table(
            [
                pa.repeat(pa.scalar(self._connection, pa.string()), count),
                pa.array([record.record_id for record in records], pa.string()),
                # Hashing has decoded them: they are UTF-8.
                pa.array([record.payload for record in records], pa.binary()).view(pa.string()),
                pa.array([hashes[row] for row in fresh], pa.binary()),
                pa.array([record.change for record in records], pa.string()),
                pa.array([record.source_updated_at for record in records], INSTANT),
                _page_instants(instants),
                pa.array(range(start, start + count), pa.int64()),
                pa.repeat(pa.scalar(self._sync_id, pa.string()), count),
            ],
            schema=VERSIONS,
        )


def _page_instants(instants: Sequence[datetime]) -> pa.Array:
    """Arrow instants; the records of a page share one object, converted once."""
    distinct = {id(instant): instant for instant in instants}
    if len(distinct) * 2 > len(instants):
        return pa.array(instants, INSTANT)
    place = {key: index for index, key in enumerate(distinct)}
    indices = pa.array([place[id(instant)] for instant in instants], pa.int32())
    return pa.array(distinct.values(), INSTANT).take(indices)


def _are_plain(payloads: Sequence[bytes | None], ids: Sequence[str]) -> bool:
    """May all records land as they are, if only their JSON can be read?

    Loops in C: this is asked of every record of a first load.
    """
    return (
        None not in payloads
        and max(map(len, payloads)) <= MAX_RECORD  # type: ignore[arg-type] # no None: line above
        # One byte is found ten times as fast as two.
        and not any(b"\\u" in one for one in payloads if _BACKSLASH in one)  # type: ignore[operator] # as above
        and all(ids)
        and all(map(str.isprintable, ids))
    )


def _cleaned(record: Record) -> Record:
    """The record without text that no database keeps; itself if there is none.

    Raises:
        BadRecord: it is too large, has no id, or is an upsert without a payload.
    """
    if not record.record_id:
        raise BadRecord("no id")
    if record.payload is None:
        if record.change == "upsert":
            raise BadRecord("an upsert without a payload")
        payload = None
    else:
        if len(record.payload) > MAX_RECORD:
            raise BadRecord(f"{len(record.payload)} bytes exceed the cap of {MAX_RECORD}")
        payload = storable(record.payload)
    record_id = storable_text(record.record_id)
    if payload is record.payload and record_id == record.record_id:
        return record
    return replace(record, record_id=record_id, payload=payload)


def _collapse(shown: _Shown) -> None:
    """Keep the newest showing of each record, at the place of the last one kept."""
    if len({record.record_id for record in shown.records}) == len(shown.records):
        return
    chosen: dict[str, int] = {}
    for index, record in enumerate(shown.records):
        before = chosen.get(record.record_id)
        if before is None or not _is_older(record, shown.records[before]):
            chosen[record.record_id] = index
    kept: Iterable[int] = sorted(chosen.values())
    kept = list(kept)
    shown.records = [shown.records[index] for index in kept]
    shown.hashes = [shown.hashes[index] for index in kept]


def _is_older(record: Record, than: Record) -> bool:
    """Does the vendor's own clock put this upsert before that one?"""
    return (
        record.change == than.change == "upsert"
        and record.source_updated_at is not None
        and than.source_updated_at is not None
        and record.source_updated_at < than.source_updated_at
    )

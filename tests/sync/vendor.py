"""An invented vendor in memory: records with clocks, pages by (time, id), and faults.

Two streams with an incremental reader (deals, which feed deal_links; contacts), and one
snapshot (stages). ``plan`` changes it by a seed, so that another process can rebuild the
same vendor at the same step.
"""

import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from pydantic import BaseModel

from connectors.base.stream import (
    Change,
    Connector,
    Page,
    ReadRequest,
    Record,
    Rejected,
    Resources,
    ScopeReport,
    Stream,
)
from pipeledger.landing import Landing
from pipeledger.sync import SyncReport, sync_connection

T0 = datetime(2026, 10, 15, 6, tzinfo=UTC)
CONNECTION = "crm"


class Settings(BaseModel):
    """The invented vendor needs none."""


@dataclass
class Row:
    value: int
    clock: int
    change: Change = "upsert"


@dataclass
class Vendor:
    """What the vendor holds, and what it does to us.

    ``before_page`` is called with stream and page number before a page is given: a fault
    is raised there. ``rejected`` are handed over with the first page of deals.
    """

    page_size: int = 10
    tick: int = 0
    tables: dict[str, dict[str, Row]] = field(
        default_factory=lambda: {"deals": {}, "contacts": {}, "stages": {}}
    )
    before_page: Callable[[str, int], None] = lambda _stream, _page: None
    rejected: Sequence[Rejected] = ()
    pages_given: list[tuple[str, int]] = field(default_factory=list)
    cursors_asked: list[Any] = field(default_factory=list)
    listings: int = 0
    hidden: set[str] = field(default_factory=set)
    note: str | None = None
    expected: list[list[str]] = field(default_factory=list)
    """What landing thought that a listing of stages ought to show, each time."""

    def put(self, table: str, record_id: str, value: int) -> None:
        self.tick += 1
        self.tables[table][record_id] = Row(value, self.tick)

    def delete(self, table: str, record_id: str) -> None:
        """Delete with an event that the incremental reader shows."""
        self.tick += 1
        self.tables[table][record_id] = Row(0, self.tick, "deleted")

    def vanish(self, table: str, record_id: str) -> None:
        """Delete without any event."""
        del self.tables[table][record_id]

    def live(self, table: str) -> dict[str, int]:
        """Value by id of what is not deleted: the truth that landing is held to."""
        rows = self.tables[table].items()
        return {key: row.value for key, row in rows if row.change == "upsert"}

    def connector(self) -> Connector:
        @asynccontextmanager
        async def opened(_settings: Settings, _resources: Resources) -> AsyncIterator["Vendor"]:
            yield self

        async def checked(_session: Any) -> ScopeReport:
            return ScopeReport("invented")

        return Connector("invented", "Invented", Settings, STREAMS, opened, checked)


def vendor_of_thirty() -> Vendor:
    """Thirty records in each of its tables."""
    vendor = Vendor()
    for number in range(30):
        for table in vendor.tables:
            vendor.put(table, f"{table[0]}{number}", number)
    return vendor


def payload(record_id: str, value: int) -> bytes:
    return json.dumps({"id": record_id, "value": value}).encode()


async def read_changes(vendor: Vendor, request: ReadRequest) -> AsyncIterator[Page]:
    """Rows from the cursor's tick on, itself included: the overlap is read twice."""
    name = request.stream.name
    vendor.cursors_asked.append(request.cursor)
    since = int((request.cursor or {}).get("tick", 0))
    rows = sorted(
        (row.clock, key, row) for key, row in vendor.tables[name].items() if row.clock >= since
    )
    for number, start in enumerate(range(0, max(len(rows), 1), vendor.page_size)):
        vendor.before_page(name, number)
        part = rows[start : start + vendor.page_size]
        records = [
            Record(
                key,
                payload(key, row.value) if row.change == "upsert" else None,
                request.now,
                row.change,
                T0 + timedelta(seconds=row.clock),
            )
            for _, key, row in part
        ]
        vendor.pages_given.append((name, number))
        yield Page(
            records,
            cursor={"tick": part[-1][0]} if part else request.cursor,
            children={"deal_links": [linked(one) for one in records]} if name == "deals" else {},
            rejected=vendor.rejected if name == "deals" and number == 0 else (),
        )


def linked(deal: Record) -> Record:
    """The set that belongs to a deal, one record per parent."""
    content = None if deal.payload is None else b'{"links":' + deal.payload + b"}"
    return Record(deal.record_id, content, deal.observed_at, deal.change, deal.source_updated_at)


async def list_ids(vendor: Vendor, request: ReadRequest) -> AsyncIterator[Sequence[str]]:
    vendor.listings += 1
    ids = sorted(set(vendor.live(request.stream.name)) - vendor.hidden)
    for start in range(0, len(ids), vendor.page_size):
        yield ids[start : start + vendor.page_size]


async def read_all(vendor: Vendor, request: ReadRequest) -> AsyncIterator[Page]:
    vendor.before_page(request.stream.name, 0)
    vendor.expected.append(list(request.listed_ids()))
    yield Page(
        [
            Record(key, payload(key, row.value), request.now, row.change)
            for key, row in sorted(vendor.tables[request.stream.name].items())
        ],
        note=vendor.note,
    )


STREAMS = (
    Stream("deals", "Deals.", read_changes, list_ids, sweep_every=timedelta(days=7)),
    Stream("deal_links", "What belongs to a deal.", parent="deals"),
    Stream("contacts", "Contacts.", read_changes),
    Stream("stages", "Stages, all each time.", read_all, snapshot=True),
)


async def sync(vendor: Vendor, folder: Path, *, at: datetime = T0, **options: Any) -> SyncReport:
    """One sync of the vendor into ``folder``/landing."""
    return await sync_connection(
        vendor.connector(),
        Settings(),
        CONNECTION,
        Landing(folder / "landing"),
        clock=lambda: at,
        state_dir=folder / "state",
        **options,
    )


def current(folder: Path, stream: str, connection: str = CONNECTION) -> dict[str, int]:
    """Value by id of the live newest versions, as a build would see them."""
    rows = query(
        folder,
        stream,
        "select record_id, cast(payload ->> '$..value' as varchar[])[1]::int from v "
        "where connection = ? and change = 'upsert' qualify row_number() over "
        "(partition by record_id order by observed_at desc, sync_id desc, position desc) = 1",
        connection,
        newest_first=True,
    )
    return dict(rows)


def query(
    folder: Path, stream: str, sql: str, *values: Any, newest_first: bool = False
) -> list[tuple[Any, ...]]:
    """Run SQL over ``v``: the landed versions of a stream."""
    pin = Landing(folder / "landing").pin().get(("invented", stream))
    if pin is None:
        return []
    narrowed = (
        "select * from v0 qualify row_number() over (partition by connection, record_id "
        "order by observed_at desc, sync_id desc, position desc) = 1"
        if newest_first
        else "select * from v0"
    )
    with duckdb.connect(":memory:") as db:
        db.execute("create view v0 as " + _files(pin.files))
        db.execute(f"create view v as {narrowed}")
        return db.execute(sql, list(values)).fetchall()


def _files(files: Sequence[str]) -> str:
    listed = ", ".join(f"'{name}'" for name in files)
    return f"select * from read_parquet([{listed}], hive_partitioning = true)"


def plan(seed: int, steps: int) -> Vendor:
    """The vendor after so many rounds of seeded changes."""
    chance = random.Random(seed)
    vendor = Vendor()
    for number in range(60):
        vendor.put("deals", f"d{number}", chance.randrange(1000))
        vendor.put("contacts", f"c{number}", chance.randrange(1000))
    for number in range(5):
        vendor.put("stages", f"s{number}", number)
    for _ in range(steps):
        for _ in range(12):
            table = chance.choice(["deals", "contacts"])
            vendor.put(table, f"{table[0]}{chance.randrange(70)}", chance.randrange(1000))
        vendor.delete("deals", f"d{chance.randrange(70)}")
        vendor.put("stages", f"s{chance.randrange(6)}", chance.randrange(100))
    return vendor

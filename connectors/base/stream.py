"""The values a connector is made of.

A connector is a table of streams; a stream is a name and the function that reads
it. The function yields pages; the runner lands each page and only then stores the
page's cursor, so a crash repeats at most one batch and loses nothing.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel

Change: TypeAlias = Literal["upsert", "deleted", "archived", "merged", "converted", "access_lost"]
Cursor: TypeAlias = Mapping[str, Any]
"""A resume point: plain JSON values only, readable by the next release."""


@dataclass(frozen=True, slots=True)
class Record:
    """One version of one record, as the vendor showed it.

    ``payload`` is the record's own JSON text, number digits untouched (UTF-8); it may
    be None for every change but ``upsert``. A ``merged`` record's payload is
    ``{"survivor_id": "..."}`` plus whatever the vendor still shows.
    """

    record_id: str
    payload: bytes | None
    observed_at: datetime
    change: Change = "upsert"
    source_updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that cannot be landed: kept in quarantine with the reason."""

    record_id: str | None
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Records to land together, and the cursor that is safe once they are durable.

    ``cursor`` None means "not a resume point": the runner keeps the older one.
    ``children`` holds records of streams that have no reader of their own and are
    fed by this one (``Stream.parent``). ``done`` closes the window: the runner
    marks the stream complete when the reader ends, not before.
    """

    records: Sequence[Record] = ()
    cursor: Cursor | None = None
    children: Mapping[str, Sequence[Record]] = field(default_factory=dict)
    rejected: Sequence[Rejected] = ()
    complete_ids: Sequence[str] | None = None
    """Every id that the source holds now, from a reader that has just seen them all: the
    runner lands the live ids that are missing from it as deleted, within the delete guard."""
    total: int | None = None
    """The vendor's own count of what this read will show, where it gives one."""
    note: str | None = None
    """What the sync report shall tell of the stream, such as a module that the vendor lacks."""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What the runner asks of a stream: from where, as of which instant.

    ``now`` is the run's clock in UTC; a reader never asks the machine. ``cursor``
    is the last durable cursor, None on the first load. ``full`` asks for a complete
    re-read although a cursor exists. ``live_ids`` yields the record ids that landing
    holds as not deleted, for readers that fetch by id or find deletes; ``archived_ids``
    those whose newest version is ``archived``, for readers that find restored records;
    ``listed_ids`` those that a listing of live records ought to show, for readers that ask
    what became of each missing one.
    """

    stream: "Stream"
    connection: str
    now: datetime
    cursor: Cursor | None = None
    full: bool = False
    live_ids: Callable[[], Sequence[str]] = tuple
    archived_ids: Callable[[], Sequence[str]] = tuple
    listed_ids: Callable[[], Sequence[str]] = tuple


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of record of a source.

    ``volatile`` names top-level or dotted payload fields that change without a
    business event and are left out of the content hash (they still land).
    ``list_ids`` lists every id that the vendor shows now; the runner compares it
    with landing every ``sweep_every`` and lands the missing ones as deleted, within
    the delete guard. ``snapshot`` says that each complete read shows all records,
    so that what is missing from it is deleted.
    """

    name: str
    description: str
    read: "Callable[[Any, ReadRequest], AsyncIterator[Page]] | None" = None
    list_ids: "Callable[[Any, ReadRequest], AsyncIterator[Sequence[str]]] | None" = None
    sweep_every: timedelta = timedelta(days=7)
    snapshot: bool = False
    parent: str | None = None
    volatile: frozenset[str] = frozenset()
    scopes: tuple[str, ...] = ()
    """Vendor scopes needed to read the stream, for ``doctor`` and ``init``."""


@dataclass(frozen=True, slots=True)
class ScopeReport:
    """What ``doctor`` learnt: who we are there, and which rights we hold.

    ``missing`` maps a stream to the scopes it lacks; ``needless`` are rights that no
    stream uses and an administrator should take away.
    """

    account: str
    granted: tuple[str, ...] = ()
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needless: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Connector:
    """A source: how it is configured, opened, checked and read.

    ``open(settings, resources)`` is an async context manager that gives the session
    handed to every ``read``. ``active`` narrows the streams by the settings; all of
    them where it is None.
    """

    source: str
    title: str
    settings: type[BaseModel]
    streams: tuple[Stream, ...]
    open: Callable[[Any, "Resources"], AbstractAsyncContextManager[Any]]
    check: Callable[[Any], "Any"]
    active: Callable[[Any], tuple[str, ...]] | None = None
    starter: str = ""
    """What ``init`` writes below the header of a first connection: TOML in which
    ``{variable}`` stands for the prefix of its environment variables, ``{name}`` for its
    name."""
    steps: tuple[str, ...] = ()
    """What a person does at the vendor to get credentials with the least rights, in order;
    said by ``init``."""

    def stream(self, name: str) -> Stream:
        """Return the stream of that name; KeyError if the source has none."""
        for stream in self.streams:
            if stream.name == name:
                return stream
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Resources:
    """What the runner lends a connector while it is open.

    ``state_dir`` is private (mode 0700) to the connection: rotated tokens and
    budget windows live there. ``clock`` gives the run's time in UTC.
    """

    connection: str
    state_dir: str
    clock: Callable[[], datetime]

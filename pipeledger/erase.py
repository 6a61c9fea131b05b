"""Erase: a person out of everything that pipeledger keeps, totals unchanged, for good.

    hashes remembered -> landing rewritten -> warehouse thrown away -> built, published
        -> older publications gone, PostgreSQL's old rows gone, exports written anew
        -> every byte searched

Every step may be repeated: an erasure that was killed is run again with the same subject and
ends as if it had not been.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pyarrow as pa

from connectors.base.errors import ConfigError
from pipeledger.alerts.sent import forget_reader
from pipeledger.byte_search import search, search_inboxes
from pipeledger.crash import crash_point
from pipeledger.landing import Landing
from pipeledger.landing import suppression as suppressed
from pipeledger.landing.canonical import Hasher
from pipeledger.landing.suppression import Suppression
from pipeledger.landing.tables import purge, rewrite
from pipeledger.pipeline import landing_of
from pipeledger.rewriting import batches, nobody_else, publish_anew, rows_of
from pipeledger.settings import Settings
from pipeledger.sources import CONNECTORS, connector

_ENDS = {"first": re.compile(r"first_?name$"), "last": re.compile(r"last_?name$")}
_OWN_TABLES = ("_quarantine", "_checkpoints", "_closed_figures", "_closed_periods")


@dataclass(slots=True)
class Erasure:
    """What an erasure changed, or would change, and what a search found afterwards."""

    subjects: list[str]
    rows: dict[str, int] = field(default_factory=dict)
    """Landed versions that name the subject, by table."""
    found: dict[str, int] = field(default_factory=dict)
    """Places of files and tables that still hold it, by name; empty is the proof."""
    names: list[str] = field(default_factory=list)
    names_found: dict[str, int] = field(default_factory=dict)
    """The same for the person's full names, which may be somebody else's, too."""
    inbox_found: dict[str, int] = field(default_factory=dict)
    """Files that people put into an inbox and that hold the subject: theirs to mend."""
    searched: int = 0
    build_id: str | None = None
    is_dry_run: bool = False


def erase(settings: Settings, subject: str, *, dry_run: bool = False) -> Erasure:
    """Erase a person, named by an address or by ``<source>:<stream>:<connection>:<record id>``.

    Raises:
        ConfigError: the subject is neither.
        LockHeldError: a sync or a build is running.
        PipeledgerError: the build without the person does not pass its checks: old publications
            stand and hold it still. Run it again once they pass.
    """
    landing = landing_of(settings)
    texts = _texts_of(landing, subject)
    done = Erasure([text for text in texts if "@" in text], is_dry_run=dry_run)
    with nobody_else(settings):
        known = suppressed.load(landing.root)
        if dry_run:
            known = Suppression(known.key, known.hashes | {known.hash(text) for text in texts})
        else:
            known = suppressed.remember(landing.root, known, *texts)
            crash_point("after-suppression")
        _clean_landing(landing, known, done)
    if dry_run:
        _search(settings, done)
        return done
    crash_point("after-landing-erased")
    forget_reader(settings.paths.state, done.subjects)
    done.build_id = publish_anew(settings)
    _search(settings, done)
    return done


def _texts_of(landing: Landing, subject: str) -> list[str]:
    """The subject's addresses and places: a record's own addresses come with it."""
    if "@" in subject and subject.count(":") < 3:
        return [subject.strip().lower()]
    parts = subject.split(":", 3)
    if len(parts) != 4 or parts[0] not in CONNECTORS:
        raise ConfigError(
            f"{subject!r} names nobody: give an e-mail address, or a record as "
            "<source>:<stream>:<connection>:<record id>, such as hubspot:contacts:crm:151"
        )
    source, stream, connection, record_id = parts
    versions = landing.versions(source, stream, connection, record_id)
    if not versions:
        raise ConfigError(f"{subject}: no such record has landed")
    return [subject, *sorted({one for v in versions for one in _addresses(v.payload)})]


def _addresses(payload: str | None) -> Iterator[str]:
    """The addresses that a person's record holds in its fields of mail."""

    def walk(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for name, one in value.items():
                if isinstance(one, str) and "mail" in name.lower() and "@" in one:
                    yield one.strip().lower()
                else:
                    yield from walk(one)
        elif isinstance(value, list):
            for one in value:
                yield from walk(one)

    if payload is not None:
        yield from walk(msgspec.json.decode(payload))


def _clean_landing(landing: Landing, known: Suppression, done: Erasure) -> None:
    known = _with_own_records(landing, known, done)
    for source, stream in landing.streams():
        uri = f"{landing.root}/{source}/{stream}"
        volatile = (
            next((s.volatile for s in connector(source).streams if s.name == stream), frozenset())
            if source in CONNECTORS
            else frozenset()
        )
        cleaner = _Versions(known, source, stream, Hasher(volatile))
        _clean_table(uri, cleaner.clean, f"{source}.{stream}", done, partition="connection")
    for name in _OWN_TABLES:
        _clean_table(f"{landing.root}/{name}", _texts_cleaner(known), name, done)


def _with_own_records(landing: Landing, known: Suppression, done: Erasure) -> Suppression:
    """Remember the person's own records by their places: versions without an address go, too."""
    own = [
        (f"{source}:{stream}:{row['connection']}:{row['record_id']}", row["payload"])
        for source, stream in landing.streams()
        if stream in suppressed.PEOPLE
        for batch in batches(*rows_of(f"{landing.root}/{source}/{stream}"), "connection")
        for row in batch.to_pylist()
        if row["payload"] is not None and known.is_person(row["payload"].encode(), stream)
    ]
    done.names = sorted({name for _, payload in own for name in _full_names(payload)})
    if done.is_dry_run:
        return replace(known, hashes=known.hashes | {known.hash(place) for place, _ in own})
    return suppressed.remember(landing.root, known, *(place for place, _ in own))


def _full_names(payload: str) -> Iterator[str]:
    """First and last names that stand beside each other in a person's record."""

    def walk(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            texts = {name.lower(): one for name, one in value.items() if isinstance(one, str)}
            first, last = (
                next((one for name, one in texts.items() if _ENDS[part].search(name)), "")
                for part in ("first", "last")
            )
            if first and last and suppressed.ERASED not in {first, last}:
                yield f"{first} {last}".lower()
            for one in value.values():
                yield from walk(one)

    yield from walk(msgspec.json.decode(payload))


@dataclass(frozen=True, slots=True)
class _Versions:
    """Cleans the versions of one stream."""

    known: Suppression
    source: str
    stream: str
    hasher: Hasher

    def clean(self, row: dict[str, Any]) -> dict[str, Any]:
        place = f"{self.source}:{self.stream}:{row['connection']}:{row['record_id']}"
        cleaned = {**row, "record_id": self.known.text(row["record_id"])}
        if row["payload"] is not None:
            before = row["payload"].encode()
            after = self.known.payload(before, self.stream, place)
            if after is not before and after != before:
                cleaned |= {"payload": after.decode(), "payload_hash": self.hasher.hash(after)}
        return cleaned


def _texts_cleaner(known: Suppression) -> Any:
    def clean(row: dict[str, Any]) -> dict[str, Any]:
        return {
            name: known.text(value) if isinstance(value, str) else value
            for name, value in row.items()
        }

    return clean


def _clean_table(
    uri: str, clean: Any, name: str, done: Erasure, partition: str | None = None
) -> None:
    """Rewrite a table without the subject; one that does not name it is purged of old files."""
    schema, files = rows_of(uri)
    if not files:
        return

    def cleaned(count: list[int]) -> Iterator[pa.RecordBatch]:
        for batch in batches(schema, files, partition):
            rows = batch.to_pylist()
            new = [clean(row) for row in rows]
            count[0] += sum(a != b for a, b in zip(rows, new, strict=True))
            yield pa.RecordBatch.from_pylist(new, schema=schema)

    count = [0]
    for _ in cleaned(count):
        pass
    if count[0]:
        done.rows[name] = count[0]
    if done.is_dry_run:
        return
    if count[0]:
        rewrite(uri, pa.RecordBatchReader.from_batches(schema, cleaned([0])))
        crash_point("while-erasing-landing")
    else:
        purge(uri)


def _search(settings: Settings, done: Erasure) -> None:
    """Look for the subject, and for the person's full names, in all that is kept."""
    wanted = ((done.subjects, done.found), (done.names, done.names_found))
    done.searched = search(settings, wanted)
    search_inboxes(settings, done.subjects, done.inbox_found)

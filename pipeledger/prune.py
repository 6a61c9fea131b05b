"""Prune: records that are older than their stream's rule go, with every version of them.

    landing rewritten -> warehouse thrown away -> built, published, older copies gone

Run again it changes nothing, and a run that was killed is made good by the next.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeledger.crash import crash_point
from pipeledger.landing.tables import rewrite
from pipeledger.pipeline import clock_of, landing_of
from pipeledger.rewriting import batches, nobody_else, publish_anew, rows_of
from pipeledger.settings import Settings

_OWED = "prune.owed"


@dataclass(slots=True)
class Pruned:
    """What went, or would go."""

    records: dict[str, int] = field(default_factory=dict)
    """Records whose newest change is too old, by stream."""
    versions: dict[str, int] = field(default_factory=dict)
    """Their landed versions, and rows of quarantine, by table."""
    build_id: str | None = None
    is_dry_run: bool = False


def prune(settings: Settings, *, dry_run: bool = False, lock_wait_seconds: float = 0.0) -> Pruned:
    """Take out of everything what the rules of [retention] let go.

    Args:
        settings: the settings.
        dry_run: count, and change nothing.
        lock_wait_seconds: how long to wait for a sync or a build that runs.

    Raises:
        LockHeldError: a sync or a build is running.
        PipeledgerError: the build of what is left does not pass its checks, or a copy of it
            could not be written: the old one stands.
    """
    landing, now = landing_of(settings), clock_of(settings)()
    cutoffs = {place: keep.cutoff(now) for place, keep in landing.keeps.items()}
    done = Pruned(is_dry_run=dry_run)
    owed = settings.paths.state / _OWED
    with nobody_else(settings, lock_wait_seconds):
        for (source, stream), cutoff in sorted(cutoffs.items()):
            uri = f"{landing.root}/{source}/{stream}"
            old = _old_records(rows_of(uri)[1], cutoff)
            if old:
                done.records[f"{source}.{stream}"] = len(old)
                _rewrite(uri, f"{source}.{stream}", _Old(old), done, owed)
        uri = f"{landing.root}/_quarantine"
        _rewrite(uri, "_quarantine", _OldRejected(cutoffs), done, owed)
    if not dry_run and (done.versions or owed.exists()):
        done.build_id = publish_anew(settings)
        owed.unlink(missing_ok=True)
    return done


def _old_records(files: Sequence[str], cutoff: datetime) -> set[tuple[str, str]]:
    """Connection and id of the records whose newest change is older, by the vendor's clock.

    A record that no version of has such a clock stays: nobody could tell that it is the same
    when it is shown again.
    """
    if not files:
        return set()
    with duckdb.connect(":memory:") as db:
        db.execute("set timezone = 'UTC'")
        found = db.execute(
            "select connection, record_id from read_parquet(?, hive_partitioning = true, "
            "hive_types = {'connection': VARCHAR}) "
            "group by all having max(source_updated_at) < ?",
            [list(files), cutoff],
        ).fetchall()
    return {(str(connection), str(record_id)) for connection, record_id in found}


@dataclass(frozen=True, slots=True)
class _Old:
    """Tells the versions of records that go."""

    records: set[tuple[str, str]]

    def __call__(self, rows: pa.RecordBatch) -> list[bool]:
        places = zip(rows["connection"].to_pylist(), rows["record_id"].to_pylist(), strict=True)
        return [place in self.records for place in places]


@dataclass(frozen=True, slots=True)
class _OldRejected:
    """Tells the rows of quarantine that go: they are as old as the day they came."""

    cutoffs: Mapping[tuple[str, str], datetime]

    def __call__(self, rows: pa.RecordBatch) -> list[bool]:
        columns = (rows[name].to_pylist() for name in ("source", "stream", "observed_at"))
        return [
            (source, stream) in self.cutoffs and at < self.cutoffs[(source, stream)]
            for source, stream, at in zip(*columns, strict=True)
        ]


def _rewrite(uri: str, name: str, is_old: _Old | _OldRejected, done: Pruned, owed: Path) -> None:
    schema, files = rows_of(uri)
    partition = None if name == "_quarantine" else "connection"
    count = sum(sum(is_old(batch)) for batch in batches(schema, files, partition))
    if not count:
        return
    done.versions[name] = count
    if done.is_dry_run:
        return

    def kept() -> Iterator[pa.RecordBatch]:
        for batch in batches(schema, files, partition):
            yield batch.filter(pa.array([not one for one in is_old(batch)]))

    # Before the first row goes: a death from here on leaves a publication to be made.
    owed.touch(mode=0o600)
    rewrite(uri, pa.RecordBatchReader.from_batches(schema, kept()))
    crash_point("while-pruning")

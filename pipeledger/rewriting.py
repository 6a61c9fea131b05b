"""What erasing a person and pruning old records share: landing rewritten, all else made anew.

nobody else reads or writes -> tables rewritten -> warehouse thrown away -> built, published
-> older publications gone, PostgreSQL's old rows gone, exports written anew
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.base.errors import PipeledgerError
from pipeledger.build import warehouse_lock
from pipeledger.landing.tables import files_of, open_table
from pipeledger.locks import exclusive
from pipeledger.pipeline import build_and_note, publish_and_note
from pipeledger.publish import CURRENT, build_files
from pipeledger.scheduled_exports import write_exports
from pipeledger.settings import Settings


@contextmanager
def nobody_else(settings: Settings, wait_seconds: float = 0.0) -> Iterator[None]:
    """No sync and no build reads or writes landing meanwhile."""
    with ExitStack() as held:
        for one in settings.connections:
            lock = settings.paths.state / one.name / "sync.lock"
            held.enter_context(exclusive(lock, f"connection {one.name}", wait_seconds))
        held.enter_context(warehouse_lock(settings, wait_seconds))
        yield


def rows_of(uri: str) -> tuple[pa.Schema, list[str]]:
    """The schema of a table and its files, asked for once: delta-rs cannot be, while it writes."""
    table = open_table(uri)
    return (
        (pa.schema([]), [])
        if table is None
        else (pa.schema(table.schema().to_arrow()), files_of(table))
    )


def batches(
    schema: pa.Schema, files: Sequence[str], partition: str | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of files in the schema of their table, a partition's column added."""
    for path in files:
        for batch in pq.ParquetFile(path).iter_batches(20_000):
            columns = {name: batch[name] for name in batch.schema.names}
            if partition is not None and partition not in columns:
                value = Path(path).parent.name.partition("=")[2]
                columns[partition] = pa.repeat(pa.scalar(value), batch.num_rows)
            rows = pa.table([columns[name] for name in schema.names], schema.names).cast(schema)
            yield from rows.to_batches()


def publish_anew(settings: Settings) -> str:
    """Build from nothing what landing holds now and leave no older copy; returns the build's id.

    The warehouse file goes: DuckDB keeps deleted text in its blocks.

    Raises:
        PipeledgerError: a check or an export failed, so an older copy stands; says which.
    """
    for path in settings.paths.warehouse.glob("*.duckdb*"):
        path.unlink()
    report = build_and_note(settings, full=True)
    if report.errors:
        raise PipeledgerError(
            "landing is clean, but the build of it fails "
            f"{len(report.errors)} check(s), so what was published stands and still holds what is "
            "to go. Mend them (pipeledger status) and run the same command again"
        )
    published = publish_and_note(settings, report)
    current = settings.paths.serving / CURRENT
    for path in build_files(settings.paths.serving):
        if path.name != current.readlink().name:
            path.unlink()
    if settings.serving.postgres is not None:
        if published.postgres is None or published.postgres.error is not None:
            raise PipeledgerError(
                "the file is published anew, PostgreSQL is not: "
                f"{published.postgres and published.postgres.error}. Run the same command again"
            )
        from pipeledger.postgres.erasing import free_old_rows

        free_old_rows(settings.serving.postgres)
    for export in write_exports(settings):
        if export.error:
            raise PipeledgerError(
                f"the marts are published anew, the export {export.path} is not: "
                f"{export.error}. Mend it and run the same command again"
            )
    return published.build_id

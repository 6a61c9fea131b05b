"""Look for texts in all that is kept: every byte, and every value that a format compresses.

Data folders and scheduled exports are searched file by file, PostgreSQL table by table.
"""

import gzip
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeledger.settings import Settings

_PIECE, _LONGEST = 16 * 1024**2, 320
_INTO_ASCII = [(letter.encode(), letter.lower().encode()) for letter in "\u0130\u212a"]
"""The two letters beyond ASCII whose lower case holds one of it: the dotted I, the Kelvin sign."""

Wanted: TypeAlias = tuple[Sequence[str], dict[str, int]]
"""Texts in lower case, and where their hits are counted, by the name of the place."""


def search(settings: Settings, wanted: Sequence[Wanted]) -> int:
    """Count the hits in every place that holds one; returns how many files were searched."""
    paths = settings.paths
    roots = {Path(paths.landing), paths.warehouse, paths.serving, paths.state}
    files = {file for root in roots for file in root.rglob("*")}
    files |= {export.path for export in settings.exports}
    searched = 0
    for path in sorted(files):
        if not path.is_file() or path.is_symlink():
            continue
        searched += 1
        for texts, found in wanted:
            _count(path, texts, found)
    if settings.serving.postgres is not None:
        from pipeledger.postgres.erasing import count_in_postgres

        for texts, found in wanted:
            for name, hits in count_in_postgres(settings.serving.postgres, texts).items():
                found[f"PostgreSQL {name}"] = hits
    return searched


def search_inboxes(settings: Settings, texts: Sequence[str], found: dict[str, int]) -> None:
    """Count the hits in the files that people put into the inboxes of ``[sources.files]``."""
    for one in settings.connections:
        if one.source == "files":
            for path in sorted(Path(one.settings.folder).rglob("*")):
                if path.is_file():
                    _count(path, texts, found)


def _count(path: Path, texts: Sequence[str], found: dict[str, int]) -> None:
    if not texts:
        return
    hits = sum(_hits(piece, texts) for piece in _pieces(path))
    if path.suffix == ".duckdb":
        hits += _count_in_database(path, texts)
    if hits:
        found[str(path)] = hits


def _hits(piece: bytes, texts: Sequence[str]) -> int:
    """How often texts stand in bytes, in whatever case.

    To read bytes as text takes twenty times as long as to look at them, and only a text that
    goes beyond ASCII needs it.
    """
    plain = piece.lower()
    for letter, lowered in _INTO_ASCII:
        plain = plain.replace(letter, lowered)
    hits = sum(plain.count(text.encode()) for text in texts if text.isascii())
    others = [text for text in texts if not text.isascii()]
    if others:
        read = piece.decode("utf-8", "replace").lower()
        hits += sum(read.count(text) for text in others)
    return hits


def _pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a file piece by piece, and what its format keeps compressed."""
    with path.open("rb") as file:
        before = b""
        while piece := file.read(_PIECE):
            yield before + piece
            before = piece[-_LONGEST:]
    if path.suffix == ".parquet":
        yield from _columns(path)
    elif path.suffix in {".xlsx", ".zip"} and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as parts:
            yield from map(parts.read, parts.namelist())
    elif path.suffix == ".gz":
        with suppress(OSError, EOFError), gzip.open(path) as unpacked:
            yield unpacked.read()


def _columns(path: Path) -> Iterator[bytes]:
    for batch in pq.ParquetFile(path).iter_batches(20_000):
        for column in batch.columns:
            if not pa.types.is_primitive(column.type):  # lists and categories hold texts, too
                yield "\n".join(map(str, column.drop_null().to_pylist())).encode()


def _count_in_database(path: Path, texts: Sequence[str]) -> int:
    counted = ", ".join(["count(*) filter (contains(row_text, ?))"] * len(texts))
    with duckdb.connect(str(path), read_only=True) as db:
        tables = db.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        hits = 0
        for schema, table in tables:
            (found,) = db.execute(
                f"select {counted} from "  # noqa: S608 - names of ours
                f'(select lower(cast(t as varchar)) as row_text from {schema}."{table}" as t)',
                list(texts),
            ).fetchall()
            hits += sum(found)
    return hits

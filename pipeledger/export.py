"""Export: one mart to a CSV, XLSX or Parquet file that a spreadsheet can open without harm.

Whatever a source calls a deal, it is text in a cell and never a formula; numbers stay numbers;
the file says what it shows and as of when. It is written aside and renamed, so that a reader
finds the whole file or none.
"""

import csv
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.base.errors import ConfigError, PipeledgerError
from pipeledger.editions import Edition

Format: TypeAlias = Literal["csv", "xlsx", "parquet"]

# A spreadsheet takes these for the beginning of a formula, the wide ones in some languages too
# (OWASP, CSV injection); a tab or a line's end before them does not help.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_SHEET_ROWS = 1_048_576
_CELL_CHARACTERS = 32_767
# A spreadsheet keeps numbers as doubles; what needs more digits stands as text, whole.
_SHEET_DIGITS = 15
_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export: the mart, a condition on its rows in SQL, and how to write it.

    ``decimal_comma`` writes CSV as spreadsheets of continental Europe read it: a comma in
    numbers and semicolons between cells. ``is_bare`` leaves out the line that says what the
    file shows; the header is then the first line.
    """

    mart: str
    format: Format
    where: str | None = None
    decimal_comma: bool = False
    is_bare: bool = False


def format_of(named: str | None, path: Path | None) -> Format:
    """The format that is named, else that of the file's ending, else CSV.

    Raises:
        ConfigError: there is no such format.
    """
    text = named or ("csv" if path is None else path.suffix.lstrip(".").lower())
    for known in get_args(Format):
        if text == known:
            found: Format = known
            return found
    raise ConfigError(f"--format {text}: there are csv, xlsx and parquet")


def export(edition: Edition, wanted: Wanted, path: Path) -> int:
    """Write the rows, in the order of the mart's first column; return how many.

    Raises:
        ConfigError: the edition has no such mart, the condition is no condition on its
            columns, or there are more rows than a sheet holds.
        PipeledgerError: the file cannot be written.
    """
    with _chosen(edition, wanted) as chosen:
        return write(chosen, _about(edition, wanted), wanted, path)


def write(chosen: duckdb.DuckDBPyRelation, about: str, wanted: Wanted, path: Path) -> int:
    """Write any rows as ``export`` writes a mart's; ``about`` says what they are.

    Raises:
        ConfigError: there are more rows than a sheet holds.
        PipeledgerError: the file cannot be written.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if wanted.format == "csv":
            count = _write_csv(chosen, about, wanted, aside)
        elif wanted.format == "xlsx":
            count = _write_xlsx(chosen, about, wanted, aside)
        else:
            count = _write_parquet(chosen, about, aside)
        _to_disk(aside)
        aside.replace(path)
    except OSError as error:
        raise PipeledgerError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        aside.unlink(missing_ok=True)
    return count


@contextmanager
def _chosen(edition: Edition, wanted: Wanted) -> Iterator[duckdb.DuckDBPyRelation]:
    """The chosen rows of a file that the query can only read, and nothing beside it."""
    with duckdb.connect(str(edition.path), read_only=True) as db:
        db.execute("set timezone = 'UTC'")
        db.execute("set enable_external_access = false")
        db.execute("set lock_configuration = true")
        known = db.execute(
            "select table_name from duckdb_columns() where schema_name = 'marts' "
            "group by table_name order by table_name"
        ).fetchall()
        if (wanted.mart,) not in known:
            names = ", ".join(name for (name,) in known)
            raise ConfigError(f"{edition.name} has no mart {wanted.mart}; there are: {names}")
        first = f'select * from marts."{wanted.mart}"'  # noqa: S608 - a name of the catalogue
        try:
            if wanted.where is None:
                yield db.sql(f"{first} order by 1")
            else:
                # One expression: a condition cannot end the query and begin another.
                duckdb.SQLExpression(wanted.where)
                yield db.sql(f"{first} where ({wanted.where}\n) order by 1")
        except duckdb.Error as error:
            if wanted.where is None:
                raise
            text = " ".join(str(error).split())
            raise ConfigError(f"--where {wanted.where}: {text}") from error


def _about(edition: Edition, wanted: Wanted) -> str:
    rows = "all rows" if wanted.where is None else f"where {wanted.where}"
    return f"{wanted.mart}, as of {edition.as_of:%Y-%m-%d %H:%M} UTC, {edition.name}, {rows}"


def _batches(chosen: duckdb.DuckDBPyRelation) -> Iterator[list[tuple[Any, ...]]]:
    """The rows in pieces, so that memory does not grow with the mart."""
    for batch in chosen.to_arrow_reader(_BATCH):
        yield list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _write_csv(chosen: duckdb.DuckDBPyRelation, about: str, wanted: Wanted, path: Path) -> int:
    count = 0
    # The mark tells spreadsheets that the bytes are UTF-8; they guess otherwise.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";" if wanted.decimal_comma else ",")
        if not wanted.is_bare:
            writer.writerow([f"# {about}"])
        writer.writerow(chosen.columns)
        for batch in _batches(chosen):
            writer.writerows(
                [_text(value, decimal_comma=wanted.decimal_comma) for value in row] for row in batch
            )
            count += len(batch)
    return count


def _text(value: Any, *, decimal_comma: bool) -> str:
    """A value as a cell of text; what a spreadsheet might run is quoted by an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        number = str(value)
        return number.replace(".", ",") if decimal_comma else number
    plain = _plain(value)
    return f"'{plain}" if plain.startswith(_FORMULA) else plain


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _write_xlsx(chosen: duckdb.DuckDBPyRelation, about: str, wanted: Wanted, path: Path) -> int:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet(wanted.mart[:31])

    def cell(value: Any) -> Any:
        made = WriteOnlyCell(sheet)
        is_number = isinstance(value, int | float | Decimal) and _fits(value)
        if value is None or is_number:
            made.value = value
        elif isinstance(value, datetime):
            # A sheet knows no zone; the header says that instants are UTC.
            made.value = value.replace(tzinfo=None)
        elif isinstance(value, date):
            made.value = value
        else:
            # Set after the value, which openpyxl would take for a formula by its first sign.
            made.value = _sheet_text(_plain(value))
            made.data_type = "s"
        return made

    above = [] if wanted.is_bare else [[f"{about}; instants are UTC"]]
    sheet.freeze_panes = f"A{len(above) + 2}"
    for line in [*above, chosen.columns]:
        sheet.append([cell(text) for text in line])
    count = 0
    for batch in _batches(chosen):
        count += len(batch)
        if count + len(above) + 1 > _SHEET_ROWS:
            sheet.close()
            raise ConfigError(
                f"{wanted.mart} has more rows than a sheet holds ({_SHEET_ROWS:,}): "
                "narrow it with --where, or take --format parquet"
            )
        for row in batch:
            sheet.append([cell(value) for value in row])
    book.save(path)
    return count


def _fits(number: float | Decimal) -> bool:
    exact = Decimal(int(number)) if isinstance(number, int) else Decimal(str(number))
    return exact.is_finite() and len(exact.normalize().as_tuple().digits) <= _SHEET_DIGITS


def _sheet_text(text: str) -> str:
    """Text that a sheet can hold: no control characters, and no longer than a cell."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cleaned = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text)
    return cleaned if len(cleaned) <= _CELL_CHARACTERS else cleaned[: _CELL_CHARACTERS - 1] + "…"


def _write_parquet(chosen: duckdb.DuckDBPyRelation, about: str, path: Path) -> int:
    reader: pa.RecordBatchReader = chosen.to_arrow_reader(_BATCH)
    schema = reader.schema.with_metadata({"pipeledger": about})
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        for batch in reader:
            writer.write_table(pa.Table.from_batches([batch]).cast(schema))
            count += batch.num_rows
    return count


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

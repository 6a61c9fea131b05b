"""Rows out of CSV, XLSX and Parquet files, each with the place it stands at.

CSV is read as text by the declared delimiter, quote and encoding: a sniffer that guesses
types silently cuts money, one that guesses the dialect silently drops rows.
"""

import csv
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.base.errors import ProtocolError
from connectors.files.settings import TableSettings
from connectors.files.unpack import PACKED, open_text

MAX_FIELD = 1024**2
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"  # XLS, and XLSX under a password
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by header, and where it stands.

    ``number`` counts data rows from 1; ``place`` is what a person looks for
    ("deals.csv:17" or "plan.xlsx:Sheet1!row 18"). ``problem`` says why the row cannot be
    read at all. ``is_footer`` marks the row that ends the table; it is the last one and no
    data.
    """

    number: int
    place: str
    cells: Mapping[str, Any]
    problem: str | None = None
    is_footer: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The headers of a file and its rows, read lazily."""

    headers: Sequence[str]
    rows: Iterator[Row]
    sheet: str | None = None


def read_table(path: Path, table: TableSettings) -> Table:
    """Open a file by its suffix and hand out its rows.

    Raises:
        ProtocolError: the file is not what its suffix says, is protected, has no such
            sheet, or repeats a header.
    """
    packed = path.suffix.lower() in PACKED
    kind = (Path(path.stem).suffix if packed else path.suffix).lower()
    if packed and kind in {".parquet", ".xlsx", ".xlsm"}:
        raise ProtocolError(f"{path.name}: {kind} is packed already; lay it down as it is")
    if kind == ".parquet":
        return _parquet(path)
    if kind in {".xlsx", ".xlsm"}:
        return _workbook(path, table)
    if kind in {".csv", ".txt", ".tsv", ""}:
        return _delimited(path, table)
    raise ProtocolError(
        f"{path.name}: {kind or 'no suffix'} is not read; save it as CSV, XLSX or Parquet"
    )


def _unique(path: Path, headers: Sequence[str]) -> list[str]:
    """Headers without the byte order mark and outer space; a repeated one is refused."""
    names = [str(name or "").lstrip("\ufeff").strip() for name in headers]
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if repeated:
        raise ProtocolError(f"{path.name}: the header {', '.join(repeated)} appears twice")
    return names


def _delimited(path: Path, table: TableSettings) -> Table:
    with path.open("rb") as file:
        head = file.read(512)
    if head[:4] == _OLD_OFFICE or (head[:4] == _ZIP and path.suffix.lower() != ".zip"):
        raise ProtocolError(f"{path.name}: this is a workbook, not text; save it as .xlsx or CSV")
    if re.match(rb"\s*<(!doctype|html|table)", head, re.IGNORECASE):
        raise ProtocolError(f"{path.name}: this is a web page under a {path.suffix} name")
    lines = _records(path, table)
    headers: list[str] = []
    for _, _, cells in lines:
        headers = _unique(path, cells)
        break
    if not headers:
        raise ProtocolError(f"{path.name}: no header in line {table.header_row}")
    return Table(headers, _csv_rows(path, table, headers, lines))


def _records(path: Path, table: TableSettings) -> Iterator[tuple[int, str | None, list[str]]]:
    """(first physical line, problem, cells) of each record from the header on."""
    csv.field_size_limit(MAX_FIELD)
    with open_text(path, table.encoding) as text:
        for _ in range(table.header_row - 1):
            text.readline()
        reader = csv.reader(
            text, delimiter=table.delimiter, quotechar=table.quote, doublequote=True, strict=True
        )
        while True:
            line = table.header_row + reader.line_num
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, str(error), []
                return  # after a broken quote nothing that follows can be trusted
            except UnicodeDecodeError as error:
                raise ProtocolError(
                    f"{path.name}: byte {error.object[error.start]:#x} after line {line} is not "
                    f"{table.encoding}; set `encoding` (cp1252, utf-16, cp932, …)"
                ) from error
            yield line, None, cells


def _csv_rows(
    path: Path,
    table: TableSettings,
    headers: Sequence[str],
    lines: Iterator[tuple[int, str | None, list[str]]],
) -> Iterator[Row]:
    number = 0
    for line, problem, cells in lines:
        if problem is None and not any(cell.strip() for cell in cells):
            continue
        place = f"{path.name}:{line}"
        if _is_footer(table, cells):
            yield Row(number, place, dict(zip(headers, cells, strict=False)), is_footer=True)
            return
        number += 1
        reason = None
        if problem is not None:
            reason = f"broken_quote: {problem}; the rest of the file was not read"
        elif len(cells) != len(headers):
            reason = f"ragged_row: {len(cells)} cells under {len(headers)} headers"
        yield Row(number, place, dict(zip(headers, cells, strict=False)), reason)


def _is_footer(table: TableSettings, cells: Sequence[Any]) -> bool:
    """Does the row begin with the word that ends the table?"""
    first = str(cells[0]).strip() if cells and cells[0] is not None else ""
    return table.footer is not None and first.startswith(table.footer)


def _workbook(path: Path, table: TableSettings) -> Table:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    with path.open("rb") as file:
        magic = file.read(4)
    if magic == _OLD_OFFICE:
        raise ProtocolError(f"{path.name}: protected by a password, or the old XLS format")
    if magic != _ZIP:
        raise ProtocolError(f"{path.name}: not a workbook, whatever its name says")
    with zipfile.ZipFile(path) as archive:
        size = sum(info.file_size for info in archive.infolist())
    if size > 200 * 1024**2:
        raise ProtocolError(f"{path.name}: {size >> 20} MB unpacked; export it as CSV")
    try:
        # Values, not formulas: a formula that was never computed comes as an empty cell.
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ProtocolError(f"{path.name}: cannot be opened as a workbook: {error}") from error
    names = book.sheetnames
    wanted = table.sheet
    if isinstance(wanted, int):
        if wanted >= len(names):
            raise ProtocolError(f"{path.name}: has no sheet {wanted}; it has {', '.join(names)}")
        wanted = names[wanted]
    if wanted not in names:
        raise ProtocolError(f"{path.name}: no sheet {wanted!r}; it has {', '.join(names)}")
    lines = book[wanted].iter_rows(min_row=table.header_row, values_only=True)
    headers = _unique(path, [str(cell or "") for cell in next(lines, ())])
    while headers and not headers[-1]:
        headers.pop()
    if not headers:
        raise ProtocolError(f"{path.name}: no header in row {table.header_row} of {wanted}")
    return Table(headers, _sheet_rows(path, table, headers, lines, wanted), wanted)


def _sheet_rows(
    path: Path,
    table: TableSettings,
    headers: Sequence[str],
    lines: Iterator[tuple[Any, ...]],
    sheet: str,
) -> Iterator[Row]:
    number = 0
    for line, cells in enumerate(lines, start=table.header_row + 1):
        if not any(cell not in (None, "") for cell in cells):
            continue
        found = dict(zip(headers, cells, strict=False))
        place = f"{path.name}:{sheet}!row {line}"
        if _is_footer(table, cells):
            yield Row(number, place, found, is_footer=True)
            return
        number += 1
        yield Row(number, place, found)


def _parquet(path: Path) -> Table:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise ProtocolError(f"{path.name}: cannot be opened as Parquet: {error}") from error
    names = [name for name in file.schema_arrow.names if not name.startswith("__index_level_")]
    nested = [name for name in names if pa.types.is_nested(file.schema_arrow.field(name).type)]
    flat = [name for name in names if name not in nested]

    def rows() -> Iterator[Row]:
        number = 0
        for batch in file.iter_batches(batch_size=10_000, columns=flat):
            for cells in batch.to_pylist():
                number += 1
                yield Row(number, f"{path.name}:row {number}", cells)

    return Table(flat, rows())

"""A search that misses what a format compresses would prove nothing."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from pipeledger import byte_search

EVA = "eva@stone.example"


def csv(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def xlsx(path: Path, text: str) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append([text])
    book.save(path)


def parquet(path: Path, text: str) -> None:
    write_parquet(path, pa.array([text, None] * 500))


def parquet_of_lists(path: Path, text: str) -> None:
    write_parquet(path, pa.array([[text, text], None] * 500))


def parquet_of_categories(path: Path, text: str) -> None:
    write_parquet(path, pa.array([text, None] * 500).dictionary_encode())


def write_parquet(path: Path, column: pa.Array) -> None:
    """Packed so that no text stays in sight: no statistics, and a code that moves every byte."""
    table = pa.table({"n": range(len(column)), "a": column})
    pq.write_table(table, path, compression="gzip", write_statistics=False)


def database(path: Path, text: str) -> None:
    with duckdb.connect(str(path)) as db:
        # Packed so that no text stays in sight: DuckDB writes what they share as a letter.
        db.execute(
            "create table t as select ? || '; no. ' || md5(i::text) as a from range(5000) as r(i)",
            [text],
        )


def packed(path: Path, text: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("people.csv", text)


def zipped(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode()))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        *(("a.csv", csv), ("a.xlsx", xlsx), ("a.duckdb", database)),
        *(("a.zip", packed), ("a.csv.gz", zipped)),
        *(("a.parquet", parquet), ("lists.parquet", parquet_of_lists)),
        ("categories.parquet", parquet_of_categories),
    ],
)
def test_a_text_is_found_in_whatever_form_it_is_kept(
    tmp_path: Path, name: str, write: Callable[[Path, str], None]
) -> None:
    """In the case in which somebody wrote it; a file without it is not named."""
    write(tmp_path / name, f"Eva <{EVA.upper()}>")
    write(tmp_path / f"other_{name}", "tom@stone.example")
    in_sight = EVA.upper().encode() in (tmp_path / name).read_bytes()
    assert in_sight == (write is csv)
    found: dict[str, int] = {}

    for path in sorted(tmp_path.iterdir()):
        byte_search._count(path, [EVA], found)

    assert [str(tmp_path / name)] == list(found)


@pytest.mark.parametrize("name", ["a.csv", "a.duckdb"])
@pytest.mark.parametrize(
    ("kept", "text"),
    [
        *(("EVA STONE", "eva stone"), ("ÖZGÜR GÜL", "özgür gül")),
        *(("AL\u0130", "ali"), ("\u212aurt", "kurt")),
    ],
)
def test_case_does_not_hide_a_name_of_any_language(
    tmp_path: Path, name: str, kept: str, text: str
) -> None:
    """Letters of other alphabets have a case as well, and two of them one in ours."""
    (database if name == "a.duckdb" else csv)(tmp_path / name, f"a name: {kept}")
    found: dict[str, int] = {}

    byte_search._count(tmp_path / name, [text, "nobody"], found)

    assert [str(tmp_path / name)] == list(found)


@pytest.mark.parametrize("name", ["a.zip", "a.xlsx", "a.gz"])
def test_a_file_that_is_not_what_its_name_says_is_searched_as_it_is(
    tmp_path: Path, name: str
) -> None:
    """People put all kinds of files into an inbox."""
    (tmp_path / name).write_text(f"no archive, {EVA}")
    found: dict[str, int] = {}

    byte_search._count(tmp_path / name, [EVA], found)

    assert {str(tmp_path / name): 1} == found

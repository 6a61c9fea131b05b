"""Exports open in a spreadsheet without harm, say what they show, and are whole or not there."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest

from connectors.base.errors import ConfigError, PipeledgerError
from pipeledger import export as exporting
from pipeledger.editions import Edition
from pipeledger.export import Wanted, export, format_of

AS_OF = datetime(2026, 10, 15, 6, tzinfo=UTC)
HOSTILE = (
    '=HYPERLINK("http://evil.example","click")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "＝1+1",
    "<script>alert(1)</script>",
    "a\x07b",
    "\u202egnp.exe",
    "x" * 40_000,
    'say "hi"; now, please\nnext',
)


@pytest.fixture
def edition(tmp_path: Path) -> Edition:
    """A publication with a mart of every kind of column, and hostile names."""
    path = tmp_path / "one.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("set timezone = 'UTC'")
        db.execute("create schema marts")
        db.execute(
            "create table marts.fct_deal (deal_key varchar, name varchar, "
            "amount_rc decimal(18, 4), big decimal(38, 4), ratio double, n bigint, "
            "is_open boolean, closed_date date, won_at timestamptz, merged_from varchar[])"
        )
        for number, name in enumerate(HOSTILE):
            db.execute(
                "insert into marts.fct_deal values (?, ?, -1234.5, 12345678901234567890.1234, "
                "0.25, -3, true, '2026-09-30', '2026-09-30 21:30:00+00', ['a', 'b'])",
                [f"crm:{number:02}", name],
            )
        db.execute("insert into marts.fct_deal (deal_key) values ('crm:zz')")
    return Edition("one", path, AS_OF)


def read_csv(path: Path, delimiter: str = ",") -> list[list[str]]:
    """The rows of a CSV file as text."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def test_no_text_of_a_csv_begins_as_a_formula_does(edition: Edition, tmp_path: Path) -> None:
    """A deal may be named by a stranger; opening the export must not run what he wrote."""
    count = export(edition, Wanted("fct_deal", "csv"), tmp_path / "a.csv")

    about, header, *rows = read_csv(tmp_path / "a.csv")
    assert ["# fct_deal, as of 2026-10-15 06:00 UTC, one, all rows"] == about
    assert ["deal_key", "name", "amount_rc"] == header[:3]
    assert count == len(rows) == len(HOSTILE) + 1
    names = [row[1] for row in rows]
    assert not [name for name in names if name.lstrip("\t").startswith(("=", "+", "-", "@", "＝"))]
    assert [f"'{HOSTILE[0]}", HOSTILE[6], HOSTILE[10]] == [names[0], names[6], names[10]]


def test_numbers_instants_and_days_of_a_csv_can_be_read_back(
    edition: Edition, tmp_path: Path
) -> None:
    """A minus before a number is no formula; nothing is rounded; nothing is unknown by 0."""
    export(edition, Wanted("fct_deal", "csv", is_bare=True), tmp_path / "a.csv")

    _, first, *_, last = read_csv(tmp_path / "a.csv")
    assert [
        *("-1234.5000", "12345678901234567890.1234", "0.25", "-3", "true"),
        *("2026-09-30", "2026-09-30 21:30:00Z", '["a", "b"]'),
    ] == first[2:]
    assert ["crm:zz", *[""] * 9] == last


def test_a_decimal_comma_comes_with_semicolons(edition: Edition, tmp_path: Path) -> None:
    """A comma in a number and one between cells would be the same."""
    wanted = Wanted("fct_deal", "csv", decimal_comma=True, is_bare=True)
    export(edition, wanted, tmp_path / "a.csv")

    _, first, *_ = read_csv(tmp_path / "a.csv", ";")
    assert ["-1234,5000", "12345678901234567890,1234", "0,25"] == first[2:5]


def test_a_sheet_holds_text_as_text_and_numbers_as_numbers(
    edition: Edition, tmp_path: Path
) -> None:
    """No cell is a formula or a link; what a sheet cannot hold exactly stands as text."""
    export(edition, Wanted("fct_deal", "xlsx"), tmp_path / "a.xlsx")

    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["fct_deal"]
    rows: list[list[Any]] = [list(row) for row in sheet.iter_rows()]
    assert "fct_deal, as of 2026-10-15 06:00 UTC" in rows[0][0].value
    assert {"s", "n", "b", "d"} == {cell.data_type for row in rows for cell in row}
    assert not [cell for row in rows for cell in row if cell.hyperlink]
    names = [row[1].value for row in rows[2:]]
    assert list(HOSTILE[:7]) == names[:7]
    assert "a\N{REPLACEMENT CHARACTER}b" == names[7]
    assert 32_767 == len(names[9])
    first = [cell.value for cell in rows[2]]
    assert [-1234.5, "12345678901234567890.1234", 0.25, -3, True] == first[2:7]
    assert [datetime(2026, 9, 30), datetime(2026, 9, 30, 21, 30)] == first[7:9]  # noqa: DTZ001 - a sheet knows no zone


def test_parquet_keeps_every_type(edition: Edition, tmp_path: Path) -> None:
    """For programs: decimals, instants in UTC, lists; what it shows stands in the metadata."""
    wanted = Wanted("fct_deal", "parquet", where="deal_key = 'crm:00'")
    assert 1 == export(edition, wanted, tmp_path / "a.parquet")

    table = pq.read_table(tmp_path / "a.parquet")
    (row,) = table.to_pylist()
    assert Decimal("12345678901234567890.1234") == row["big"]
    assert (date(2026, 9, 30), ["a", "b"]) == (row["closed_date"], row["merged_from"])
    assert datetime(2026, 9, 30, 21, 30, tzinfo=UTC) == row["won_at"]
    assert b"where deal_key = 'crm:00'" in table.schema.metadata[b"pipeledger"]


@pytest.mark.parametrize(
    "where",
    [
        "nothing = 1",
        "true) union all select * from marts.fct_deal --",
        "true) union all (select * from marts.fct_deal where true",
        "true; drop table marts.fct_deal",
        "(select count(*) from read_csv('/etc/passwd')) > 0",
        "name = (select content from read_text('/etc/hostname'))",
    ],
)
def test_a_condition_can_only_choose_rows(edition: Edition, tmp_path: Path, where: str) -> None:
    """The serving file is read-only, and so is the machine around it."""
    with pytest.raises(ConfigError, match="--where"):
        export(edition, Wanted("fct_deal", "csv", where=where), tmp_path / "a.csv")

    assert not list(tmp_path.glob("*.csv"))
    assert ["one.duckdb"] == [path.name for path in tmp_path.iterdir()]


def test_what_stood_there_stays_when_an_export_fails(
    edition: Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a file looks like a whole one."""
    path = tmp_path / "a.xlsx"
    export(edition, Wanted("fct_deal", "xlsx", where="deal_key = 'crm:00'"), path)
    before = path.read_bytes()
    monkeypatch.setattr(exporting, "_SHEET_ROWS", 5)

    with pytest.raises(ConfigError, match=r"more rows than a sheet holds.*--format parquet"):
        export(edition, Wanted("fct_deal", "xlsx"), path)

    assert before == path.read_bytes()
    assert {"a.xlsx", "one.duckdb"} == {one.name for one in tmp_path.iterdir()}


def test_an_unknown_mart_format_or_folder_is_said(edition: Edition, tmp_path: Path) -> None:
    """Each with the way out."""
    with pytest.raises(ConfigError, match="one has no mart fct_deals; there are: fct_deal"):
        export(edition, Wanted("fct_deals", "csv"), tmp_path / "a.csv")
    with pytest.raises(ConfigError, match="--format xls: there are csv, xlsx and parquet"):
        format_of(None, Path("a.xls"))
    with pytest.raises(PipeledgerError, match="cannot be written: No such file"):
        export(edition, Wanted("fct_deal", "csv"), tmp_path / "none" / "a.csv")
    assert "xlsx" == format_of(None, Path("a.XLSX"))
    assert "csv" == format_of(None, None)

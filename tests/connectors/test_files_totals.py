"""Files that say what they hold: totals that must tie out, packed files, eras, thousands."""

import asyncio
import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.base.errors import ConfigError, ProtocolError
from connectors.base.stream import Page, ReadRequest
from connectors.files import CONNECTOR
from connectors.files.cells import CellError, Notation, date_text
from connectors.files.drops import Folder
from connectors.files.folder import read_entity
from connectors.files.settings import FilesSettings
from tests.connectors.test_files import NOW

TEXT = (
    "invoice_number,issue_date,currency_code,gross_amount\n"
    "R-1,2026-10-01,EUR,1190.00\n"
    "R-2,2026-10-02,EUR,-59.50\n"
    "R-3,2026-10-02,JPY,5000\n"
)
SIDECAR = {"from": "sidecar", "amounts": ["gross_amount"]}


def read(folder: Path, **table: Any) -> list[Page]:
    """All pages of the invoices in a folder."""
    tables = {"invoices": {"path": "*.csv*", **table}}
    raw = {"folder": folder, "settle_seconds": 0, "tables": tables}
    config = FilesSettings.model_validate(raw)

    async def collect() -> list[Page]:
        request = ReadRequest(CONNECTOR.stream("invoices"), "ledger", NOW)
        return [page async for page in read_entity(Folder(config, "ledger"), request)]

    return asyncio.run(collect())


def landed(found: list[Page]) -> list[dict[str, Any]]:
    return [json.loads(r.payload or b"null") for page in found for r in page.records]


def numbers(found: list[Page]) -> list[str]:
    return [row["invoice_number"] for row in landed(found)]


def test_a_file_that_ties_out_lands_and_the_report_names_its_sums(tmp_path: Path) -> None:
    """Finance compares the sum of each currency with its own."""
    (tmp_path / "r.csv").write_text(TEXT)
    (tmp_path / "r.csv.ctl").write_text(
        "# by the ledger\nrows = 3\ngross_amount;6130.50\ngross_amount.JPY = 5000\n"
    )

    found = read(tmp_path, control=SIDECAR)

    assert ["R-1", "R-2", "R-3"] == numbers(found)
    assert found[-1].note == (
        "r.csv: 3 row(s), gross_amount 1130.50 EUR, gross_amount 5000 JPY, "
        "ties out with its control totals"
    )


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ("rows = 4\ngross_amount = 6130.50\n", r"rows is 3, stated 4 \(difference -1\)"),
        ("rows = 3\ngross_amount = 6130.51\n", r"difference -0.01"),
        ("gross_amount.EUR = 1130.50\ngross_amount.JPY = 5001\n", r"gross_amount.JPY is 5000"),
        ("rows = 3\n", "gross_amount is not stated"),
        ("rows = 3\ngross_amount = 6130.50\nnett = 1\n", "nett is stated"),
        ("gross_amount = 6130.50\ngross_amount = 6130.50\n", "ctl:2: give each name once"),
        ("gross_amount = 6.130,50\n", "ctl:1: bad_number"),
        ("", "states nothing"),
    ],
)
def test_a_file_that_does_not_tie_out_lands_nothing(
    tmp_path: Path, stated: str, reason: str
) -> None:
    """A file that was cut off between two rows is a valid file in all else."""
    (tmp_path / "r.csv").write_text(TEXT)
    (tmp_path / "r.csv.ctl").write_text(stated)

    with pytest.raises(ProtocolError, match=reason):
        read(tmp_path, control=SIDECAR)


def test_a_file_waits_for_the_totals_that_it_must_come_with(tmp_path: Path) -> None:
    """Read without them, it would be as if they tied out."""
    (tmp_path / "r.csv").write_text(TEXT)

    with pytest.raises(ProtocolError, match=r"there is no r\.csv\.ctl beside it"):
        read(tmp_path, control=SIDECAR)


def test_a_rejected_row_breaks_the_tie_though_few_may_be_bad(tmp_path: Path) -> None:
    """The share of bad rows bounds noise; a missing amount is not noise."""
    (tmp_path / "r.csv").write_text(TEXT.replace("-59.50", "-59,50"), "utf-8")
    (tmp_path / "r.csv.ctl").write_text("rows = 3\ngross_amount = 6130.50\n")

    with pytest.raises(ProtocolError, match=r"nothing of it landed"):
        read(tmp_path, control=SIDECAR, max_bad_share=0.5, delimiter=",")


def test_the_last_row_states_the_sum_and_is_no_data(tmp_path: Path) -> None:
    """Ledgers close with a row of totals; without it the file was cut off."""
    options = {"footer": "Total", "control": {"from": "footer", "amounts": ["gross_amount"]}}
    file = tmp_path / "r.csv"
    file.write_text(TEXT + "Total,,,6130.50\n")

    assert ["R-1", "R-2", "R-3"] == numbers(read(tmp_path, **options))

    file.write_text(TEXT + "Total,,,6130.00\n")
    with pytest.raises(ProtocolError, match=r"difference 0\.50"):
        read(tmp_path, **options)

    file.write_text(TEXT)
    with pytest.raises(ProtocolError, match="cut off"):
        read(tmp_path, **options)


def test_an_amount_under_control_must_be_in_the_file(tmp_path: Path) -> None:
    """Its sum would be nought, and a total of nought would tie out."""
    (tmp_path / "r.csv").write_text(TEXT.replace("gross_amount", "gross"))
    (tmp_path / "r.csv.ctl").write_text("gross_amount = 0\n")

    with pytest.raises(ConfigError, match="has no column 'gross_amount'"):
        read(tmp_path, control=SIDECAR)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"control": {"from": "footer", "amounts": ["gross_amount"]}}, "needs `footer`"),
        ({"control": {"from": "sidecar", "amounts": ["status"]}}, "'status' is no amount"),
        ({"columns": {"gross_amount": {"constant": "1", "scale": 1000}}}, "`scale` is for cells"),
        ({"date_formats": ["%EC年%m月%d日"]}, "%Ey"),
    ],
)
def test_settings_that_could_not_hold_are_refused(table: dict[str, Any], reason: str) -> None:
    """Found when the first file comes, they would cost a run."""
    with pytest.raises(ValueError, match=reason):
        FilesSettings.model_validate(
            {"folder": ".", "tables": {"invoices": {"path": "*.csv", **table}}}
        )


def packed(path: Path, data: bytes) -> None:
    """Write data packed as the file's suffix says."""
    if path.suffix.lower() == ".gz":
        path.write_bytes(gzip.compress(data))
    elif path.suffix == ".zst":
        path.write_bytes(pa.Codec("zstd").compress(data, asbytes=True))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("r.csv", data)


@pytest.mark.parametrize("name", ["r.csv.gz", "r.csv.zst", "r.csv.zip", "R.CSV.GZ"])
def test_a_packed_file_is_read_as_it_is_unpacked(tmp_path: Path, name: str) -> None:
    """Exports of databases come packed."""
    packed(tmp_path / name, TEXT.encode())

    found = read(tmp_path, path="*")

    assert ["R-1", "R-2", "R-3"] == numbers(found)


@pytest.mark.parametrize("name", ["r.csv.gz", "r.csv.zst", "r.csv.zip"])
def test_a_packed_file_that_was_cut_off_lands_nothing(tmp_path: Path, name: str) -> None:
    """Read to where it breaks, the rest would be deleted from the snapshot."""
    file = tmp_path / name
    packed(file, (TEXT + "R-4,2026-10-02,JPY,1\n" * 50).encode())
    file.write_bytes(file.read_bytes()[:-9])

    with pytest.raises(ProtocolError, match=name):
        read(tmp_path)


@pytest.mark.parametrize("name", ["r.csv.gz", "r.csv.zst", "r.csv.zip"])
def test_a_file_that_unpacks_without_measure_is_refused(tmp_path: Path, name: str) -> None:
    """A few kilobytes can fill the memory with nothing."""
    packed(tmp_path / name, TEXT.encode() + b"\n" * 4_000_000)

    with pytest.raises(ProtocolError, match="unpacks to more than 100 times its size"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("令和8年11月23日", "%EC%Ey年%m月%d日", "2026-11-23"),
        ("令和元年5月1日", "%EC%Ey年%m月%d日", "2019-05-01"),
        ("平成31年4月30日", "%EC%Ey年%m月%d日", "2019-04-30"),
        ("昭和64年1月7日", "%EC%Ey年%m月%d日", "1989-01-07"),
        ("㋿８年１１月２３日", "%EC%Ey年%m月%d日", "2026-11-23"),
        ("R8.11.23", "%EC%Ey.%m.%d", "2026-11-23"),
        ("h31/4/1", "%EC%Ey/%m/%d", "2019-04-01"),
        ("２０２６年１１月２３日", "%Y年%m月%d日", "2026-11-23"),
    ],
)
def test_a_japanese_day_is_read_by_its_declared_format(
    text: str, pattern: str, expected: str
) -> None:
    """Ledgers in Japan count years from the emperor's accession."""
    assert expected == date_text(text, Notation(date_formats=("%Y-%m-%d", pattern)))


@pytest.mark.parametrize(
    "text", ["平成31年5月1日", "令和元年4月30日", "令和0年5月1日", "令和8年2月30日", "8年11月23日"]
)
def test_a_day_outside_its_era_is_refused(text: str) -> None:
    """Either the era or the year is wrong, and nothing says which."""
    with pytest.raises(CellError, match="does not fit"):
        date_text(text, Notation(date_formats=("%EC%Ey年%m月%d日",)))


def test_a_plan_in_thousands_lands_in_full_and_ties_out_in_thousands(tmp_path: Path) -> None:
    """千円 stands above the table, not in the cell; a thousandfold quota would be met by nobody."""
    columns = {name: name for name in ("invoice_number", "issue_date", "currency_code")}
    (tmp_path / "r.csv").write_text(
        TEXT.replace("1190.00", "1.234567890123456789012345678901") + "Total,,,4941.734567890123"
        "456789012345678901\n"
    )

    found = read(
        tmp_path,
        columns={**columns, "gross_amount": {"from": "gross_amount", "scale": 1000}},
        footer="Total",
        control={"from": "footer", "amounts": ["gross_amount"]},
    )

    assert "1234.567890123456789012345678901000" == landed(found)[0]["gross_amount"]
    assert "-59500.00" == landed(found)[1]["gross_amount"]

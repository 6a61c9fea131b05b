"""Files: what people's exports really look like, read by declared rules only."""

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from connectors.base.errors import ConfigError, ProtocolError
from connectors.base.stream import Page, ReadRequest
from connectors.files import CONNECTOR
from connectors.files.cells import CellError, Notation, canonical, decimal_text
from connectors.files.drops import Folder
from connectors.files.folder import check_duplicates, read_entity
from connectors.files.settings import FilesSettings

NOW = datetime(2026, 10, 15, 6, tzinfo=UTC)
GERMAN = {"encoding": "cp1252", "delimiter": ";", "decimal": ",", "thousands": "."}
DEALS = {
    **GERMAN,
    "path": "deals*.csv",
    "date_formats": ["%d.%m.%Y"],
    "columns": {
        "deal_id": "Nummer",
        "name": "Titel",
        "stage_id": "Phase",
        "amount": "Betrag",
        "currency_code": {"constant": "EUR"},
        "expected_close_date": "Abschluss",
        "status": {"from": "Status", "values": {"offen": "open", "gewonnen": "won"}},
    },
}
HEADER = "Nummer;Titel;Phase;Betrag;Abschluss;Status\n"


def settings(folder: Path, **tables: Any) -> FilesSettings:
    return FilesSettings.model_validate({"folder": folder, "settle_seconds": 0, "tables": tables})


def pages(config: FilesSettings, entity: str, cursor: Any = None) -> list[Page]:
    """All pages of one read of an entity."""

    async def collect() -> list[Page]:
        request = ReadRequest(CONNECTOR.stream(entity), "crm", NOW, cursor)
        return [page async for page in read_entity(Folder(config, "crm"), request)]

    return asyncio.run(collect())


def rows(found: list[Page]) -> list[dict[str, Any]]:
    return [json.loads(r.payload or b"null") for page in found for r in page.records]


def test_a_german_export_becomes_canonical_values_with_its_cells_beside(tmp_path: Path) -> None:
    """The number lands exact, and the cell it came from can still be shown."""
    line = "000058;Müller & Söhne;Angebot;1.000,50;31.10.2026;offen\n"
    (tmp_path / "deals.csv").write_bytes((HEADER + line).encode("cp1252"))

    (row,) = rows(pages(settings(tmp_path, deals=DEALS), "deals"))

    assert ("000058", "1000.50", "2026-10-31", "open") == (
        row["deal_id"],
        row["amount"],
        row["expected_close_date"],
        row["status"],
    )
    assert ("EUR", "Müller & Söhne") == (row["currency_code"], row["name"])
    assert ("deals.csv", 1, "1.000,50") == (row["_file"], row["_row"], row["_raw"]["Betrag"])


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1.234.567,89", "1234567.89"),
        ("(1.234,50)", "-1234.50"),
        ("1.234,50-", "-1234.50"),
        ("−12,5", "-12.5"),
        ("▲300", "-300"),
        ("€ 1.000,00", "1000.00"),
        ("１２３", "123"),
        ("0,00-", "0.00"),
        ("99.999.999.999.999,99", "99999999999999.99"),
    ],
)
def test_a_number_is_read_by_the_tables_own_marks(cell: str, expected: str) -> None:
    """Accountants write minus in five ways; no digit may move."""
    assert expected == decimal_text(cell, Notation(decimal=",", thousands="."))


@pytest.mark.parametrize(
    "cell", ["1,234.50", "1.00,0", "12.34.567,00", "1,23457E+15", "abc", "1 000"]
)
def test_a_number_in_another_notation_is_refused(cell: str) -> None:
    """Read as if it fitted, 1,234.50 would be one euro and a bit."""
    with pytest.raises(CellError):
        decimal_text(cell, Notation(decimal=",", thousands="."))


def test_an_ambiguous_date_is_refused_unless_the_format_is_declared() -> None:
    """03/04/2026 is March or April; only the settings know."""
    with pytest.raises(CellError, match="does not fit"):
        canonical("03/04/2026", "date", Notation())

    assert "2026-04-03" == canonical("03/04/2026", "date", Notation(date_formats=("%d/%m/%Y",)))


def test_an_instant_without_a_zone_is_read_in_the_tables_zone() -> None:
    """23:30 in Berlin on 30 September is still September there, and 21:30 in UTC."""
    found = canonical("2026-09-30 23:30", "instant", Notation(time_zone="Europe/Berlin"))

    assert "2026-09-30T21:30:00Z" == found


def test_a_bad_row_goes_to_quarantine_with_file_line_and_reason(tmp_path: Path) -> None:
    """The others land; nobody has to hunt for the one that did not."""
    good = "".join(f"{n};T;Angebot;1,00;31.10.2026;offen\n" for n in range(200))
    (tmp_path / "deals.csv").write_text(
        HEADER + good + "900;T;Angebot;x;31.10.2026;offen\n", "cp1252"
    )

    found = pages(settings(tmp_path, deals=DEALS), "deals")

    (rejected,) = [r for page in found for r in page.rejected]
    assert 200 == len(rows(found))
    assert "deals.csv:202: Betrag: bad_number" in rejected.reason
    assert b"T" not in rejected.raw.replace(b"deals.csv:202", b"")


def test_a_file_with_too_many_bad_rows_lands_nothing(tmp_path: Path) -> None:
    """Half a ledger is worse than yesterday's ledger."""
    (tmp_path / "deals.csv").write_text(
        HEADER + "1;T;A;1,00;31.10.2026;offen\n2;T;A;1,00;31.10.2026;verschoben\n", "cp1252"
    )

    with pytest.raises(ProtocolError, match=r"1 of 2 rows .* unknown_word: 'verschoben'"):
        pages(settings(tmp_path, deals=DEALS), "deals")


def test_a_ragged_row_is_rejected_not_shifted(tmp_path: Path) -> None:
    """A sniffer returned one row of three here, without a word."""
    good = "".join(f"{n};T;A;1,00;31.10.2026;offen\n" for n in range(150))
    (tmp_path / "deals.csv").write_text(HEADER + good + "x;T;A;1,00;31.10.2026\n", "cp1252")

    found = pages(settings(tmp_path, deals=DEALS), "deals")

    assert 150 == len(rows(found))
    assert "ragged_row: 5 cells under 6 headers" in found[0].rejected[0].reason


def test_a_missing_column_names_the_nearest_header(tmp_path: Path) -> None:
    """The user mends one line of the mapping, without opening the file."""
    (tmp_path / "deals.csv").write_text(HEADER.replace("Betrag", "Betrage"), "cp1252")

    with pytest.raises(ConfigError, match=r"no column 'Betrag' \(did you mean 'Betrage'\?\)"):
        pages(settings(tmp_path, deals=DEALS), "deals")


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    """An hourly run over a thousand old files must cost a listing."""
    (tmp_path / "deals.csv").write_text(HEADER + "1;T;A;1,00;31.10.2026;offen\n", "cp1252")
    config = settings(tmp_path, deals=DEALS)
    cursor = pages(config, "deals")[-1].cursor

    again = pages(config, "deals", json.loads(json.dumps(cursor)))

    assert [] == rows(again)
    assert again[-1].complete_ids is None


def test_a_row_that_left_the_snapshot_is_reported_through_the_complete_ids(tmp_path: Path) -> None:
    """A deal deleted in the source system is simply no longer in the export."""
    file = tmp_path / "deals.csv"
    both = HEADER + "1;T;A;1,00;31.10.2026;offen\n2;T;A;1,00;31.10.2026;offen\n"
    file.write_text(both, "cp1252")
    config = settings(tmp_path, deals=DEALS)
    cursor = pages(config, "deals")[-1].cursor
    file.write_text(HEADER + "2;T;A;1,00;31.10.2026;offen\n", "cp1252")

    second = pages(config, "deals", cursor)

    assert ["2"] == second[-1].complete_ids


def test_an_older_dated_snapshot_that_arrives_late_changes_nothing(tmp_path: Path) -> None:
    """September's export found in a mailbox in October must not bring back old amounts."""
    config = settings(tmp_path, deals=DEALS)
    new = HEADER + "1;T;A;2,00;31.10.2026;offen\n"
    (tmp_path / "deals_2026-10-01.csv").write_text(new, "cp1252")
    cursor = pages(config, "deals")[-1].cursor
    (tmp_path / "deals_2026-09-01.csv").write_text(new.replace("2,00", "1,00"), "cp1252")

    late = pages(config, "deals", cursor)

    assert [] == rows(late)
    assert late[-1].complete_ids is None


def test_an_empty_snapshot_is_refused(tmp_path: Path) -> None:
    """An export that failed half way would delete every deal."""
    (tmp_path / "deals.csv").write_text(HEADER, "cp1252")

    with pytest.raises(ProtocolError, match="allow_empty"):
        pages(settings(tmp_path, deals=DEALS), "deals")


def test_one_key_with_two_contents_fails_the_file_with_both_places(tmp_path: Path) -> None:
    """Which of the two amounts is right is not ours to choose."""
    text = HEADER + "1;T;A;1,00;31.10.2026;offen\n1;T;A;2,00;31.10.2026;offen\n"
    (tmp_path / "deals.csv").write_text(text, "cp1252")

    with pytest.raises(ProtocolError, match=r"deals\.csv:2 and at deals\.csv:3"):
        pages(settings(tmp_path, deals=DEALS), "deals")


def test_a_web_page_called_csv_is_refused(tmp_path: Path) -> None:
    """Portals answer an expired session with a login page and status 200."""
    (tmp_path / "deals.csv").write_text("<!DOCTYPE html><title>Sign in</title>")

    with pytest.raises(ProtocolError, match="web page"):
        pages(settings(tmp_path, deals=DEALS), "deals")


def test_a_workbook_gives_typed_cells_and_shows_error_cells(tmp_path: Path) -> None:
    """A formula that failed is no zero; a date cell needs no format."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["invoice_number", "issue_date", "currency_code", "net_amount"])
    sheet.append(["INV-1", datetime(2026, 9, 30), "EUR", 1190.10])  # noqa: DTZ001 - a cell has no zone
    sheet.append(["INV-2", datetime(2026, 9, 30), "EUR", "#REF!"])  # noqa: DTZ001
    book.save(tmp_path / "ledger.xlsx")
    config = settings(tmp_path, invoices={"path": "*.xlsx", "max_bad_share": 0.5})

    found = pages(config, "invoices")

    assert [("INV-1", "2026-09-30", "1190.1")] == [
        (r["invoice_number"], r["issue_date"], r["net_amount"]) for r in rows(found)
    ]
    assert "ledger.xlsx:Sheet!row 3: net_amount: error_cell" in found[0].rejected[0].reason


def test_parquet_money_is_exact_and_floats_need_a_yes(tmp_path: Path) -> None:
    """A float column has lost cents that no reader can bring back."""
    exact = pa.array(["99999999999999.99"]).cast(pa.decimal128(24, 4))
    columns = {
        "payment_id": ["p1"],
        "paid_date": ["2026-10-01"],
        "currency_code": ["EUR"],
        "amount": exact,
    }
    parquet.write_table(pa.table(columns), tmp_path / "payments.parquet")

    (row,) = rows(pages(settings(tmp_path, payments={"path": "*.parquet"}), "payments"))

    assert "99999999999999.9900" == row["amount"]


def test_japanese_excel_text_is_read_as_code_page_932(tmp_path: Path) -> None:
    """Python's shift_jis stops at the circled digits that Excel writes."""
    text = "company_id,name\n1,㈱髙島①\n"
    (tmp_path / "c.csv").write_bytes(text.encode("cp932"))
    config = settings(tmp_path, companies={"path": "c.csv", "encoding": "shift_jis"})

    (row,) = rows(pages(config, "companies"))

    assert "㈱髙島①" == row["name"]


def test_the_wrong_encoding_is_named_with_the_line(tmp_path: Path) -> None:
    """Rather a stop than Mojibake in a customer's name."""
    (tmp_path / "c.csv").write_bytes("company_id,name\n1,Müller\n".encode("cp1252"))

    with pytest.raises(ProtocolError, match="set `encoding`"):
        pages(settings(tmp_path, companies={"path": "c.csv"}), "companies")


def test_duplicate_quotas_are_named_with_both_lines(tmp_path: Path) -> None:
    """Added up, two quotas for one person and quarter would hide a gap."""
    line = "user,sam@acme.test,FY2027-Q3,bookings_net,revenue,2026-08-01,{amount},EUR\n"
    (tmp_path / "quotas.csv").write_text(
        "scope_type,scope_id,period,measure,credit_type,valid_from,amount,currency_code\n"
        + line.format(amount="100000")
        + line.format(amount="120000")
    )
    config = settings(tmp_path, quotas={"path": "quotas.csv"})

    (problem,) = check_duplicates(config, "plan", "quotas")

    assert "quotas.csv:3" in problem
    assert "quotas.csv:2" in problem


def test_an_unknown_table_or_column_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    """A misspelt column would otherwise be a column of nulls."""
    with pytest.raises(ValueError, match=r"did you mean 'deals'"):
        settings(tmp_path, deal={"path": "x"})

    with pytest.raises(ValueError, match=r"did you mean 'amount'"):
        settings(tmp_path, deals={"path": "x", "columns": {"amont": "Betrag"}})


def test_a_file_still_being_written_waits_for_the_next_run(tmp_path: Path) -> None:
    """A half-copied export would delete the other half."""
    file = tmp_path / "deals.csv"
    file.write_text(HEADER + "1;T;A;1,00;31.10.2026;offen\n", "cp1252")
    config = settings(tmp_path, deals=DEALS).model_copy(update={"settle_seconds": 0.3})

    async def read_while_it_grows() -> None:
        request = ReadRequest(CONNECTOR.stream("deals"), "crm", NOW)
        reader = asyncio.ensure_future(anext(read_entity(Folder(config, "crm"), request)))
        await asyncio.sleep(0.05)
        os.utime(file, ns=(1, file.stat().st_mtime_ns + 10**9))
        await reader

    with pytest.raises(ProtocolError, match="still being written"):
        asyncio.run(read_while_it_grows())

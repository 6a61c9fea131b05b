"""Names that mean harm are text: on pages, in lists, in files, in the report."""

import json
from pathlib import Path

import pytest
from plotly.utils import PlotlyJSONEncoder

from dashboard.app import Pages, make_app
from dashboard.deal_sets import LISTS
from dashboard.report import write_report
from dashboard.shell import PAGES, path_of
from pipeledger.settings import Settings
from tests.dashboard.conftest import HOSTILE, look

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("company")]


def test_a_list_and_its_file_hold_them_as_text(hostile: Settings, tmp_path: Path) -> None:
    client = make_app(hostile).server.test_client()
    text = client.get("/export/deals.csv?set=open").get_data(as_text=True)
    assert "'=HYPERLINK(" in text
    assert ",=HYPERLINK(" not in text
    assert ',"=HYPERLINK(' not in text
    (tmp_path / "deals.xlsx").write_bytes(client.get("/export/deals.xlsx?set=open").get_data())
    from openpyxl import load_workbook

    book = load_workbook(tmp_path / "deals.xlsx")
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
    assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)
    assert {cell.data_type for cell in cells} & {"f"} == set()


def test_a_page_holds_no_element_made_of_a_name(hostile: Settings) -> None:
    pages = Pages(hostile)
    with make_app(hostile).server.test_request_context("/"):
        for path in (*map(path_of, PAGES), "/deals"):
            drawn = json.dumps(pages.draw(path, "?set=open"), cls=PlotlyJSONEncoder)
            assert "state-failed" not in drawn, path
            assert "dangerously_allow_html" not in drawn
            assert "\\u202e" not in drawn.lower(), path
            # Ten thousand characters are cut in lists; the deal's own page has them whole.
            assert "long " * 100 not in drawn, path
        for name in LISTS:
            block = json.dumps(pages.block({"startRow": 0}, f"set={name}&a=commit"))
            assert "\\u202e" not in block.lower(), name
            assert "long " * 100 not in block, name
        key = look(hostile).reader.rows(
            "select deal_key from fct_deal where name like 'long long%'"
        )[0]["deal_key"]
        assert "long " * 1999 in json.dumps(
            pages.draw("/deal", f"?key={key}"), cls=PlotlyJSONEncoder
        )


def test_the_report_escapes_them(hostile: Settings, tmp_path: Path) -> None:
    write_report(hostile, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert HOSTILE[1] not in text
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;img src=x" in text

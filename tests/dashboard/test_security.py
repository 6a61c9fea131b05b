"""What the server answers, to whom, and that a query can change and reach nothing."""

import re

import duckdb
import pytest

from dashboard.app import make_app
from dashboard.security import is_loopback
from pipeledger.settings.dashboard import Dashboard
from tests.dashboard.conftest import look
from tests.e2e.road import Road

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("company")]


def test_the_policy_allows_this_server_and_no_inline_script(road: Road) -> None:
    answer = make_app(road.settings).server.test_client().get("/")
    said = answer.headers["Content-Security-Policy"]
    scripts = re.search(r"script-src ([^;]*)", said)
    assert scripts is not None
    assert "'unsafe-inline'" not in scripts.group(1)
    assert "'unsafe-eval'" not in scripts.group(1)
    assert "default-src 'self'" in said
    assert "frame-ancestors 'none'" in said
    assert not re.search(r"https?:", said)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "http://" not in answer.get_data(as_text=True).replace("http://www.w3.org", "")
    assert "https://" not in answer.get_data(as_text=True)


def test_a_request_under_a_strange_name_is_refused(road: Road) -> None:
    known = road.settings.model_copy(update={"dashboard": Dashboard(hosts=("sales.example.com",))})
    client = make_app(known).server.test_client()
    for host, status in (
        ("localhost:8050", 200),
        ("[::1]:8050", 200),
        ("sales.example.com", 200),
        ("evil.example", 421),
    ):
        assert client.get("/", headers={"Host": host}).status_code == status, host


def test_loopback_is_told_from_other_addresses() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")  # noqa: S104 - it is what must not count
    assert not is_loopback("127.0.0.1.example.com")


@pytest.mark.parametrize(
    "statement",
    [
        "delete from fct_deal",
        "select * from read_csv('/etc/hostname')",
        "copy (select 1) to '/tmp/out.csv'",
        "attach '/tmp/other.duckdb'",
        "set enable_external_access = true",
        "install httpfs",
    ],
)
def test_a_query_writes_nothing_and_reaches_nothing_else(road: Road, statement: str) -> None:
    with pytest.raises(duckdb.Error):
        look(road.settings).reader.rows(statement)


def test_what_a_reader_says_is_bound_and_never_part_of_a_query(road: Road) -> None:
    client = make_app(road.settings).server.test_client()
    for value in ("' or 1=1 --", "x'; drop table fct_deal; --", "$key"):
        text = client.get("/export/stays.csv", query_string={"key": value}).get_data(as_text=True)
        assert len(text.strip().splitlines()) == 2

"""Odoo from end to end: nothing is lost among thousands of deals, and the marts are true."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.odoo import CONNECTOR, OdooSettings
from pipeledger.landing import Landing
from pipeledger.serving import open_serving
from pipeledger.settings import Settings, load_settings
from pipeledger.sync import SyncReport, sync_connection
from sandbox.exchange import Reply, Request
from sandbox.odoo import API_KEY, DATABASE, LOGIN, OdooServer, OdooState
from tests.e2e.road import keyed, run

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("odoo"), pytest.mark.timeout(900)]
slow = pytest.mark.slow

DEALS = 3_000
OF_ONE_SECOND = 400


# Nothing is lost.


async def sync(server: OdooServer, folder: Path) -> SyncReport:
    settings = OdooSettings.model_validate(
        {
            "base_url": server.url,
            "database": DATABASE,
            "username": LOGIN,
            "api_key": API_KEY,
            "streams": ["deals"],
            "page_size": 150,
        }
    )
    return await sync_connection(
        CONNECTOR,
        settings,
        "od",
        Landing(folder / "landing"),
        clock=lambda: server.state.now,
        state_dir=folder / "state",
    )


def landed(folder: Path) -> dict[int, str]:
    """Revenue by id of the deals whose newest version is live."""
    pin = Landing(folder / "landing").pin()["odoo", "deals"]
    files = ", ".join(f"'{name}'" for name in pin.files)
    with duckdb.connect(":memory:") as db:
        rows = db.execute(
            "select cast(record_id as bigint), payload ->> 'expected_revenue' from ("
            f"select * from read_parquet([{files}]) qualify row_number() over ("
            "partition by record_id order by observed_at desc, sync_id desc, position desc) = 1"
            ") where change = 'upsert'"
        ).fetchall()
    return dict(rows)


def held(crm: OdooState) -> dict[int, str]:
    """Revenue by id of what the server's own tables hold."""
    return {number: str(row["expected_revenue"]) for number, row in crm.tables["crm.lead"].items()}


@pytest.mark.parametrize("major", [17, 19], ids=["JSON-RPC", "JSON-2"])
async def test_landed_deals_are_the_servers_own_twice_while_it_changes(
    tmp_path: Path, major: int
) -> None:
    """Three thousand deals, four hundred of one moment, edits, losses and deletes under way."""
    crm = OdooState()
    for number in range(DEALS):
        crm.add("crm.lead", type="opportunity", expected_revenue=1.0, active=number % 3 > 0)
        if not 100 <= number < 100 + OF_ONE_SECOND:
            crm.advance(seconds=7)
    deals = crm.ids("crm.lead")
    crm.advance(hours=1)

    def live_on(_request: Request, reply: Reply) -> Reply:
        """An edit after each answer."""
        crm.advance(seconds=1)
        number = deals[server.count("json") * 37 % DEALS]
        crm.write("crm.lead", number, expected_revenue=2.0)
        return reply

    with OdooServer(crm, major=major) as server:
        server.fail("json", live_on, times=1_000)
        first = await sync(server, tmp_path)
        ids_after_first = sorted(landed(tmp_path))
        before = crm.ids("crm.lead")
        server.faults.clear()
        crm.advance(days=1, minutes=1)
        for place in range(0, DEALS, 50):
            crm.unlink("crm.lead", deals[place])
        for place in range(101, 100 + OF_ONE_SECOND, 3):
            if place % 50:
                crm.write("crm.lead", deals[place], expected_revenue=3.0)
        for _ in range(OF_ONE_SECOND):
            crm.add("crm.lead", type="opportunity", expected_revenue=4.0)
        second = await sync(server, tmp_path)
        third = await sync(server, tmp_path)
        assert [] == server.errors

    assert first.is_complete
    assert second.is_complete
    assert before == ids_after_first
    assert held(crm) == landed(tmp_path)
    assert 0 == sum(one.appended for one in third.streams)


# The marts are true.


SETTINGS = """clock = "2026-10-15T06:00:00Z"

[company]
name = "Nordlicht"
reporting_currency = "EUR"
time_zone = "Europe/Berlin"
own_domains = ["example.com"]

[company.fiscal_year]
start_month = 2

[sources.odoo.od]
base_url = "{url}"
database = "{database}"
username = "{login}"
"""


def populate(crm: OdooState) -> None:
    """One deal of each fate, with the history that Odoo writes."""
    at = crm.now - timedelta(days=40)
    crm.add("crm.team", name="Europe", sequence=1, at=at)
    crm.add("crm.stage", name="Proposal", sequence=5, is_won=False, at=at)
    for name in ("stage_id", "active"):
        crm.add("ir.model.fields", at=at, values={"name": name, "model": "crm.lead"})
    company = crm.add("res.partner", name="Acme", is_company=True, at=at)
    person = crm.add(
        "res.partner", name="Jo", is_company=False, parent_id=company, email="jo@acme.example",
        at=at,
    )  # fmt: skip
    base = {"type": "opportunity", "team_id": 1, "user_id": 2, "company_id": 1,
            "company_currency": 1, "partner_id": person}  # fmt: skip
    reason = crm.add("crm.lost.reason", name="Too expensive", at=at)
    for own in (
        {"name": "open", "stage_id": 3, "expected_revenue": 100.0, "probability": 30.0},
        {"name": "won", "stage_id": 2, "expected_revenue": 200.0, "probability": 100.0},
        {
            "name": "lost",
            "stage_id": 3,
            "expected_revenue": 400.0,
            "probability": 0.0,
            "active": False,
            "lost_reason_id": reason,
        },
        {"name": "only a lead", "type": "lead"},
    ):
        crm.add("crm.lead", at=at, values={**base, **own})
    order = {"name": "S00001", "state": "sale", "opportunity_id": 2, "partner_id": person}
    order |= {"currency_id": 1, "amount_untaxed": 100.0, "amount_tax": 19.0}
    crm.add("sale.order", at=at, values={**order, "amount_total": 119.0, "date_order": at})
    for line in (
        {"name": "Seats", "product_uom_qty": 2.0, "price_unit": 50.0, "price_subtotal": 100.0},
        {"name": "A section", "display_type": "line_section"},
    ):
        crm.add("sale.order.line", at=at, values={"order_id": 1, **line})
    for number, (deal, field, old, new, days) in enumerate(
        [(2, 1, 1, 3, 20), (2, 1, 3, 2, 10), (3, 1, 1, 3, 15), (3, 2, 1, 0, 5)], start=1
    ):
        when = crm.now - timedelta(days=days)
        said = {"model": "crm.lead", "res_id": deal, "date": when}
        crm.add("mail.message", at=when, values=said)
        values: dict[str, Any] = {"field_id": field, "field_id.model": "crm.lead"}
        values |= {"old_value_integer": old, "new_value_integer": new, "mail_message_id": number}
        crm.add("mail.tracking.value", at=when, values=values)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small Odoo, read, built and published."""
    folder = tmp_path_factory.mktemp("odoo")
    crm = OdooState()
    populate(crm)
    path = folder / "pipeledger.toml"
    with OdooServer(crm) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIPELEDGER__SOURCES__ODOO__OD__API_KEY", API_KEY)
        path.write_text(SETTINGS.format(url=server.url, database=DATABASE, login=LOGIN))
        settings = load_settings(path).settings
        ran = run(settings)
        assert [] == server.errors
    assert all(sync.is_complete for sync in ran.syncs)
    return settings


def rows(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """What a reader gets from the serving file."""
    with open_serving(settings) as db:
        return db.execute(sql).fetchall()


@slow
def test_won_lost_and_open_deals_are_told_apart(served: Settings) -> None:
    """Odoo archives a lost deal where it lies; a lead is no deal."""
    found = rows(
        served,
        "select name, status, amount_amt, currency_code, loss_reason, closed_date, "
        "owner_user_key from marts.fct_deal where not is_deleted",
    )

    euro = Decimal(100)
    assert {
        "open": ("open", euro, "EUR", None, None, LOGIN),
        "won": ("won", 2 * euro, "EUR", None, date(2026, 10, 5), LOGIN),
        "lost": ("lost", 4 * euro, "EUR", "Too expensive", date(2026, 10, 10), LOGIN),
    } == keyed(found)


@slow
def test_the_stage_history_is_odoos_own(served: Settings) -> None:
    """Exact instants from the tracked changes, and the first stage since creation."""
    found = rows(
        served,
        "select deal_key, old_value, new_value from marts.fct_deal_change "
        "where field = 'stage' order by deal_key, changed_at",
    )

    assert [
        ("od:2", "od:1:1", "od:1:3"),
        ("od:2", "od:1:3", "od:1:2"),
        ("od:3", "od:1:1", "od:1:3"),
        ("od:3", "od:1:3", "od:1:lost"),
    ] == [one for one in found if one[1]]


@slow
def test_people_and_leads_are_in_their_marts(served: Settings) -> None:
    """A partner is a company or a contact; a lead stays out of the deals."""
    companies = rows(served, "select name from marts.dim_company where not is_deleted")
    leads = rows(served, "select name, is_converted from marts.fct_lead")

    assert [("Acme",)] == companies
    assert [("only a lead", False)] == leads


@slow
def test_a_quotation_is_its_deals_quote(served: Settings) -> None:
    """A confirmed quotation is accepted; a section is no line of it."""
    quotes = rows(served, "select quote_number, status, net_amt from marts.fct_quote")
    lines = rows(served, "select product_name, net_amt from marts.fct_quote_line")

    assert [("S00001", "accepted", Decimal(100))] == quotes
    assert [("Seats", Decimal(100))] == lines

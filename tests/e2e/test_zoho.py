"""Zoho CRM from end to end: nothing is lost among thousands of deals of one second."""

from pathlib import Path

import duckdb
import pytest

from connectors.zoho import CONNECTOR, ZohoSettings
from pipeledger.landing import Landing
from pipeledger.sync import SyncReport, sync_connection
from sandbox.exchange import Reply, Request
from sandbox.zoho import CLIENT, REFRESH_TOKEN, SECRET, ZohoServer, ZohoState
from sandbox.zoho.state import amount

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("zoho"), pytest.mark.timeout(900)]

DEALS = 3_000
OF_ONE_SECOND = 400


async def sync(server: ZohoServer, folder: Path) -> SyncReport:
    settings = ZohoSettings.model_validate(
        {
            "data_center": "eu",
            "base_url": server.url,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "refresh_token": REFRESH_TOKEN,
            "streams": ["deals", "leads"],
        }
    )
    return await sync_connection(
        CONNECTOR,
        settings,
        "zo",
        Landing(folder / "landing"),
        clock=lambda: server.state.now,
        state_dir=folder / "state",
    )


def landed(folder: Path, stream: str, change: str) -> dict[str, str]:
    """Amount by id of the records whose newest version is of that change."""
    pin = Landing(folder / "landing").pin()["zoho", stream]
    files = ", ".join(f"'{name}'" for name in pin.files)
    with duckdb.connect(":memory:") as db:
        rows = db.execute(
            "select record_id, coalesce(cast(json_transform(payload, "
            "'{\"Amount\": \"DECIMAL(18,2)\"}').Amount as varchar), '') from ("
            f"select * from read_parquet([{files}]) qualify row_number() over ("
            "partition by record_id order by observed_at desc, sync_id desc, position desc) = 1"
            f") where change = '{change}'"
        ).fetchall()
    return dict(rows)


def held(crm: ZohoState, module: str) -> dict[str, str]:
    """Amount by id of what the organisation itself shows."""
    return {
        entry.id: str(entry.row["Amount"] if entry.row.get("Amount") is not None else "")
        for entry in crm.visible(module)
    }


async def test_landed_deals_are_the_servers_own_twice_while_it_changes(tmp_path: Path) -> None:
    """Three thousand deals, four hundred of one second, edits, deletes and conversions."""
    crm = ZohoState()
    for number in range(DEALS):
        crm.has("Deals", Amount=amount("1.50"))
        if not 100 <= number < 100 + OF_ONE_SECOND:
            crm.advance(seconds=7)
    leads = [crm.has("Leads") for _ in range(300)]
    deals = list(crm.records["Deals"].values())
    crm.advance(hours=1)

    def live_on(_request: Request, reply: Reply) -> Reply:
        """An edit after each answer."""
        crm.advance(seconds=1)
        crm.change(deals[server.count("coql") * 37 % DEALS], Amount=amount("2.50"))
        return reply

    with ZohoServer(crm) as server:
        server.fail("coql", live_on, times=1_000)
        first = await sync(server, tmp_path)
        # What was edited under way left the window at its far end: the next run reads it.
        crm.advance(minutes=2)
        server.faults.clear()
        between = await sync(server, tmp_path)
        after_first = landed(tmp_path, "deals", "upsert")
        before = held(crm, "Deals")
        crm.advance(hours=1)
        for place in range(0, DEALS, 50):
            crm.delete(deals[place], kind="recycle" if place % 100 else "permanent")
        for place in range(101, 100 + OF_ONE_SECOND, 3):
            if place % 50:
                crm.change(deals[place], Amount=amount("3.50"))
        for _ in range(OF_ONE_SECOND):
            crm.has("Deals", Amount=amount("4.50"))
        for lead in leads[:120]:
            crm.convert(lead, deal=deals[1])
        crm.advance(minutes=2)
        second = await sync(server, tmp_path)
        third = await sync(server, tmp_path)
        assert [] == server.errors

    assert all(report.is_complete for report in (first, between, second, third))
    assert before == after_first
    assert held(crm, "Deals") == landed(tmp_path, "deals", "upsert")
    assert DEALS // 50 == len(landed(tmp_path, "deals", "deleted"))
    assert {lead.id for lead in leads[:120]} == set(landed(tmp_path, "leads", "converted"))
    assert held(crm, "Leads") == landed(tmp_path, "leads", "upsert")
    assert 0 == sum(one.appended for one in third.streams)
    assert 1 == server.tokens_given


async def test_a_mass_vanish_deletes_nothing_unless_it_is_allowed(tmp_path: Path) -> None:
    """D-07: a profile that sees less answers like deals that were deleted."""
    crm = ZohoState()
    deals = [crm.has("Deals") for _ in range(200)]
    crm.advance(minutes=2)

    with ZohoServer(crm) as server:
        first = await sync(server, tmp_path)
        for deal in deals[:150]:
            del crm.records["Deals"][deal.id]
        crm.advance(days=8)
        refused = await sync(server, tmp_path)
        assert [] == server.errors

    told = {report.stream: report for report in refused.streams}["deals"]
    assert first.is_complete
    assert "--allow-deletes" in str(told.error)
    assert 200 == len(landed(tmp_path, "deals", "upsert"))


async def test_an_older_copy_that_arrives_late_replaces_nothing(tmp_path: Path) -> None:
    """D-05: a replica of the vendor's that lags shows yesterday's state once more."""
    crm = ZohoState()
    deal = crm.has("Deals", Amount=amount("1.50"))
    stale = dict(deal.row)
    crm.advance(minutes=1)
    crm.change(deal, Amount=amount("2.50"))
    crm.advance(minutes=2)

    with ZohoServer(crm) as server:
        await sync(server, tmp_path)
        deal.row = stale
        crm.advance(minutes=1)
        late = await sync(server, tmp_path)
        assert [] == server.errors

    told = {report.stream: report for report in late.streams}["deals"]
    assert 1 == told.late
    assert {deal.id: "2.50"} == landed(tmp_path, "deals", "upsert")

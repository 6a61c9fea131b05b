"""Odoo from end to end: nothing is lost among thousands of deals."""

from pathlib import Path

import duckdb
import pytest

from connectors.odoo import CONNECTOR, OdooSettings
from pipeledger.landing import Landing
from pipeledger.sync import SyncReport, sync_connection
from sandbox.exchange import Reply, Request
from sandbox.odoo import API_KEY, DATABASE, LOGIN, OdooServer, OdooState

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("odoo"), pytest.mark.timeout(900)]

DEALS = 3_000
OF_ONE_SECOND = 400


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

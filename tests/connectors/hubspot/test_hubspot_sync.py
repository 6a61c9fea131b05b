"""HubSpot through the real runner into real Delta tables: faults cost no record."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from connectors.hubspot import CONNECTOR, HubspotSettings
from pipeledger.landing import Landing
from pipeledger.sync import StreamReport, SyncReport, sync_connection
from sandbox.company import build
from sandbox.exchange import reply_json
from sandbox.hubspot import ALL_SCOPES, STATIC_TOKEN, Grant, HubspotServer, HubspotState


class Warehouse:
    """One connection's landing, synced on demand."""

    def __init__(self, server: HubspotServer, folder: Path) -> None:
        self.server = server
        self.landing = Landing(folder / "landing")
        self.landing.prepare()
        self.state_dir = folder / "state"

    async def sync(self, *streams: str, **more: Any) -> SyncReport:
        settings = HubspotSettings.model_validate(
            {"token": STATIC_TOKEN, "base_url": self.server.url}
        )
        return await sync_connection(
            CONNECTOR,
            settings,
            "hubspot_eu",
            self.landing,
            clock=lambda: self.server.state.now,
            state_dir=self.state_dir,
            streams=streams or None,
            **more,
        )

    def changes(self, stream: str, record_id: str) -> list[str]:
        found = self.landing.versions("hubspot", stream, "hubspot_eu", record_id)
        return [version.change for version in found]


@pytest.fixture
def warehouse(server: HubspotServer, tmp_path: Path) -> Warehouse:
    return Warehouse(server, tmp_path)


def of(report: SyncReport, stream: str) -> StreamReport:
    return next(one for one in report.streams if one.stream == stream)


@pytest.mark.slow
async def test_the_company_is_landed_once_and_a_second_sync_appends_nothing(
    account: HubspotState, warehouse: Warehouse
) -> None:
    """Every stream complete, versions as many as records, and the re-sync free of versions."""
    account.load(build(scale=0.1).hubspot)

    first = await warehouse.sync()
    account.advance(minutes=10)
    second = await warehouse.sync()

    assert first.is_complete, [one.error for one in first.streams if one.error]
    assert second.is_complete
    assert sum(one.appended for one in second.streams) == 0
    live = warehouse.landing.live_count("hubspot", "deals", "hubspot_eu")
    assert live == len(account.ids("deals")) + len(account.ids("deals", archived=True))


async def test_a_mass_vanishing_of_ids_deletes_nothing_until_allowed(
    account: HubspotState, server: HubspotServer, warehouse: Warehouse
) -> None:
    """D-07: A listing of nothing is a fault of the vendor's far more often than a clean-up."""
    made = [account.has("contacts", {}) for _ in range(40)]
    await warehouse.sync("contacts")
    account.advance(hours=25)
    fault = server.fail(
        "objects/2026-09/contacts$", lambda *_: reply_json({"results": []}), times=1_000
    )
    refused = await warehouse.sync("contacts")
    fault.times = 0
    for contact in made[:30]:
        account.purge("contacts", contact)
    still_refused = await warehouse.sync("contacts")

    allowed = await warehouse.sync("contacts", allow_deletes=True)

    for report in (refused, still_refused):
        assert of(report, "contacts").state == "failed"
        assert "--allow-deletes" in (of(report, "contacts").error or "")
    assert of(allowed, "contacts").deleted == 30
    assert ["upsert", "deleted"] == warehouse.changes("contacts", made[0])
    assert ["upsert"] == warehouse.changes("contacts", made[-1])


async def test_a_few_purged_records_are_tombstoned_by_the_daily_comparison(
    account: HubspotState, warehouse: Warehouse
) -> None:
    """Below the guard a delete is a delete."""
    made = [account.has("contacts", {}) for _ in range(40)]
    await warehouse.sync("contacts")
    account.purge("contacts", made[0])
    account.advance(hours=25)

    report = await warehouse.sync("contacts")

    assert of(report, "contacts").state == "complete"
    assert ["upsert", "deleted"] == warehouse.changes("contacts", made[0])


async def test_a_restored_deal_is_not_set_aside_as_late(
    account: HubspotState, warehouse: Warehouse
) -> None:
    """Restoring leaves the vendor's clock of the record where it was before the archiving."""
    deal = account.has("deals", {})
    await warehouse.sync("deals")
    account.advance(hours=2)
    account.archive("deals", deal)
    await warehouse.sync("deals")
    account.advance(hours=2)
    account.restore("deals", deal)

    await warehouse.sync("deals")

    assert ["upsert", "archived", "upsert"] == warehouse.changes("deals", deal)
    assert warehouse.landing.quarantined() == []


async def test_an_older_copy_that_arrives_late_replaces_nothing(
    account: HubspotState, warehouse: Warehouse
) -> None:
    """D-05: a replica of the vendor's that lags shows yesterday's state once more."""
    deal = account.has("deals", {"amount": "1.5"})
    stale = copy.copy(account.entry("deals", deal))
    assert stale is not None
    account.advance(minutes=10)
    account.set_property("deals", deal, "amount", "2.5")
    await warehouse.sync("deals")
    account._entries["deals"][deal] = stale
    account.advance(minutes=10)

    late = await warehouse.sync("deals")

    newest = warehouse.landing.versions("hubspot", "deals", "hubspot_eu", deal)[-1]
    assert 1 == of(late, "deals").late
    assert '"amount":"2.5"' in (newest.payload or "").replace(" ", "")


async def test_one_stream_without_its_scope_leaves_the_others_complete(
    account: HubspotState, server: HubspotServer, warehouse: Warehouse
) -> None:
    """One failing stream never stops the others, and says what it lacks."""
    account.load(build(scale=0.1).hubspot)
    server.gate.tokens[STATIC_TOKEN] = Grant(ALL_SCOPES - {"crm.objects.goals.read"})

    report = await warehouse.sync()

    failed = {one.stream: one.error or "" for one in report.streams if one.state != "complete"}
    assert {"goal_targets", "properties"} == set(failed)
    assert "crm.objects.goals.read" in failed["goal_targets"]


async def test_a_spent_day_ends_partial_and_the_next_run_completes(
    account: HubspotState, server: HubspotServer, warehouse: Warehouse
) -> None:
    """The checkpoint of the partial run is where the next one begins."""
    made = [account.has("deals", {"dealname": str(number)}) for number in range(300)]
    daily = {"message": "You have reached your daily limit.", "policyName": "DAILY"}
    server.fail("objects/2026-09/deals$", lambda *_: reply_json(daily, 429), skip=3)
    partial = await warehouse.sync("deals")
    server.requests.clear()

    complete = await warehouse.sync("deals")

    assert of(partial, "deals").state == "partial"
    assert of(partial, "deals").appended > 0
    assert of(complete, "deals").state == "complete"
    live = warehouse.landing.live_count("hubspot", "deals", "hubspot_eu")
    assert live == len(made)
    # The first page was not asked for again.
    lists = [one for one in server.requests if one.path.endswith("objects/2026-09/deals")]
    assert lists[0].param("after") == made[149]


async def test_amounts_keep_every_digit_on_their_way(
    account: HubspotState, warehouse: Warehouse
) -> None:
    """Sixteen digits pass no double; a rate as a JSON number keeps its text."""
    deal = account.has("deals", {"amount": "99999999999999.99"})
    rate = {"id": "1", "fromCurrencyCode": "JPY", "conversionRate": 0.006123456789}
    account.exchange_rates.append(rate)

    await warehouse.sync("deals", "exchange_rates")

    version = warehouse.landing.versions("hubspot", "deals", "hubspot_eu", deal)[-1]
    assert json.loads(version.payload or "")["properties"]["amount"] == "99999999999999.99"
    text = warehouse.landing.versions("hubspot", "exchange_rates", "hubspot_eu", "1")[-1].payload
    assert text is not None
    assert "0.006123456789" in str(text)

"""Odoo: every change is read once, whatever ties, cut clocks and archives do."""

import json
from datetime import UTC, datetime, timedelta

from sandbox.exchange import Reply, Request
from sandbox.odoo import OdooServer, OdooState
from tests.connectors.odoo.shelf import Shelf


async def test_the_first_load_reads_every_deal_once_whatever_ties(
    crm: OdooState, shelf: Shelf
) -> None:
    """An import is one transaction: all its rows bear one write_date, five pages here."""
    for number in range(430):
        crm.add("crm.lead", name=f"deal {number}", type="opportunity")

    outcome = await shelf.deals()

    assert crm.ids("crm.lead") == shelf.live("deals")
    assert 430 == len(outcome.added)


async def test_an_import_of_one_moment_is_read_whole_by_the_next_read(
    crm: OdooState, shelf: Shelf
) -> None:
    """A keyset over (write_date, id) would show the same page for ever: seconds are cut."""
    for _ in range(10):
        crm.add("crm.lead", type="opportunity")
    await shelf.deals()
    crm.advance(hours=2)
    for _ in range(250):
        crm.add("crm.lead", type="opportunity")

    outcome = await shelf.deals()

    assert 250 == len(outcome.added)
    assert crm.ids("crm.lead") == shelf.live("deals")


async def test_the_next_read_takes_only_what_changed(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """Ten thousand deals must not be read again for one edit."""
    deals = [crm.add("crm.lead", type="opportunity", stage_id=1) for _ in range(250)]
    await shelf.deals()
    crm.advance(hours=3)
    crm.write("crm.lead", deals[7], stage_id=2)
    server.requests.clear()

    outcome = await shelf.deals()

    assert [str(deals[7])] == outcome.ids
    assert 2 == shelf.payload("deals", str(deals[7]))["stage_id"]
    assert datetime(2026, 10, 15, 9, tzinfo=UTC) == outcome.added[0].source_updated_at
    # The first load's moment lies at the start of the lookback: three pages.
    assert 9 >= len(server.requests)


async def test_lost_deals_are_read_because_archived_ones_are_asked_for(
    crm: OdooState, shelf: Shelf
) -> None:
    """Odoo hides them by default: every win rate would be one."""
    lost = crm.add("crm.lead", type="opportunity", active=False, probability=0.0)

    await shelf.deals()

    assert [lost] == shelf.live("deals")
    assert shelf.payload("deals", str(lost))["active"] is False


async def test_a_transaction_that_committed_late_is_found(crm: OdooState, shelf: Shelf) -> None:
    """write_date is the start of a transaction, and it is seen at its end."""
    crm.add("crm.lead", type="opportunity")
    await shelf.deals()
    late = crm.add("crm.lead", type="opportunity", at=crm.now - timedelta(minutes=19))

    outcome = await shelf.deals()

    assert [str(late)] == outcome.ids


async def test_edits_behind_the_walk_are_taken_by_the_next_read(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """D-01: a record that is edited after its page keeps its place; nobody slips away."""
    deals = [crm.add("crm.lead", type="opportunity", name="a") for _ in range(250)]

    def edit(_request: Request, reply: Reply) -> Reply:
        crm.advance(seconds=1)
        crm.write("crm.lead", deals[3], name="b")
        return reply

    server.fail("json", edit, times=9)
    await shelf.deals()

    await shelf.deals()

    assert crm.ids("crm.lead") == shelf.live("deals")
    assert "b" == shelf.payload("deals", str(deals[3]))["name"]


async def test_a_read_that_broke_off_goes_on_and_loses_no_edit(
    crm: OdooState, shelf: Shelf
) -> None:
    """The walk's start, not its end, is where the next read begins."""
    deals = [crm.add("crm.lead", type="opportunity", name="a") for _ in range(350)]
    await shelf.deals(stop_after=2)
    crm.advance(minutes=90)
    crm.write("crm.lead", deals[0], name="b")

    resumed = await shelf.deals()
    await shelf.deals()

    assert str(deals[200]) == resumed.ids[0]
    assert crm.ids("crm.lead") == shelf.live("deals")
    assert "b" == shelf.payload("deals", str(deals[0]))["name"]


async def test_a_write_that_changes_nothing_makes_no_version(crm: OdooState, shelf: Shelf) -> None:
    """Odoo stamps every write(), also one without a change."""
    deal = crm.add("crm.lead", type="opportunity", automated_probability=10.0)
    await shelf.deals()
    crm.advance(hours=1)
    crm.write("crm.lead", deal, automated_probability=11.0)

    outcome = await shelf.deals()

    assert [] == outcome.ids


async def test_a_converted_lead_keeps_its_id(crm: OdooState, shelf: Shelf) -> None:
    """One table holds both: the row changes its type."""
    lead = crm.add("crm.lead", type="lead")
    await shelf.deals()
    crm.advance(hours=1)
    crm.write("crm.lead", lead, type="opportunity", date_conversion=crm.now)

    await shelf.deals()

    assert ["upsert", "upsert"] == shelf.changes("deals", str(lead))


async def test_no_secret_no_binary_and_no_slow_field_is_asked_for(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """What is not asked for cannot land; a custom field is kept."""
    crm.add("crm.lead", type="opportunity", x_studio_score=12)
    crm.add("res.partner", name="Acme", is_company=True, signup_token="never")

    await shelf.sync("deals", "partners", "users", "own_companies")

    asked = {name for one in server.asked for name in one["fields"]}
    assert {"x_studio_score", "company_currency", "tag_ids", "login"} <= asked
    assert not asked & {
        *("password", "totp_secret", "signup_token", "access_token", "service_api_key"),
        *("image_1920", "description", "activity_ids", "day_open_live"),
    }
    text = json.dumps([str(past[-1].payload) for one in shelf.versions.values()
                       for past in one.values()])  # fmt: skip
    assert "never" not in text


async def test_every_call_asks_in_one_order_for_ids_in_all_companies(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """Names of related records would make versions; a missing company loses records."""
    branch = crm.add("crm.lead", type="opportunity", company_id=2, stage_id=1)

    await shelf.deals()

    assert 1 == shelf.payload("deals", str(branch))["stage_id"]
    ours = [one for one in server.asked if one["model"] == "crm.lead"]
    assert {"id asc"} == {one["order"] for one in ours}
    assert [1, 2] == ours[0]["context"]["allowed_company_ids"]


async def test_stage_history_is_met_again_where_ids_committed_out_of_order(
    crm: OdooState, shelf: Shelf
) -> None:
    """Ids are given before the commit: a lower one may appear after a higher one."""
    model = "mail.tracking.value"
    crm.add(model, values={"field_id.model": "crm.lead"})
    late = crm.add(model, values={"field_id.model": "crm.lead"})
    crm.add(model, values={"field_id.model": "crm.lead"})
    crm.add(model, values={"field_id.model": "res.partner"})
    held = crm.tables["mail.tracking.value"].pop(late)
    await shelf.sync("tracking_values")
    crm.tables["mail.tracking.value"][late] = held

    outcome = (await shelf.sync("tracking_values"))["tracking_values"]

    assert [str(late)] == outcome.ids
    assert [1, 2, 3] == shelf.live("tracking_values")

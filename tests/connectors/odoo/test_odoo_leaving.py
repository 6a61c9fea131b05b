"""Odoo: what was deleted, what is closed to us, and what came back."""

from sandbox.odoo import OdooServer, OdooState
from tests.connectors.odoo.shelf import Shelf


async def test_deleted_and_closed_records_are_told_apart(crm: OdooState, shelf: Shelf) -> None:
    """Odoo leaves no tombstone; a read refuses what a rule hides, and leaves out what is gone."""
    deals = [crm.add("crm.lead", type="opportunity") for _ in range(30)]
    await shelf.deals()
    crm.unlink("crm.lead", deals[4])
    crm.closed.add(("crm.lead", deals[9]))
    crm.advance(hours=25)

    await shelf.deals()

    assert "deleted" == shelf.changes("deals", str(deals[4]))[-1]
    assert "access_lost" == shelf.changes("deals", str(deals[9]))[-1]
    assert 28 == len(shelf.live("deals"))


async def test_a_closed_record_that_is_shown_again_is_read_again(
    crm: OdooState, shelf: Shelf
) -> None:
    """No write_date moves when a rule changes."""
    deal = crm.add("crm.lead", type="opportunity")
    crm.add("crm.lead", type="opportunity")
    await shelf.deals()
    crm.closed.add(("crm.lead", deal))
    crm.advance(hours=25)
    await shelf.deals()
    crm.closed.clear()
    crm.advance(hours=25)

    await shelf.deals()

    assert ["upsert", "access_lost", "upsert"] == shelf.changes("deals", str(deal))


async def test_a_deleted_stage_is_told_at_once(crm: OdooState, shelf: Shelf) -> None:
    """Small tables are read whole each time."""
    stage = crm.add("crm.stage", name="Trial")
    await shelf.sync("stages")
    crm.unlink("crm.stage", stage)

    await shelf.sync("stages")

    assert "deleted" == shelf.changes("stages", str(stage))[-1]


async def test_a_full_read_finds_what_no_clock_told(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """Updates by SQL and by migrations move no write_date."""
    deal = crm.add("crm.lead", type="opportunity", name="a")
    crm.advance(hours=2)
    await shelf.deals()
    crm.tables["crm.lead"][deal]["name"] = "b"
    quiet = await shelf.deals()

    outcome = await shelf.deals(full=True)

    assert [] == quiet.ids
    assert [str(deal)] == outcome.ids
    assert server.asked

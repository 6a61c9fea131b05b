"""HubSpot: records that are archived, restored, merged or gone without a trace."""

from sandbox.hubspot import HubspotServer, HubspotState
from tests.connectors.hubspot.shelf import Shelf, ids


async def test_an_archived_deal_is_landed_as_archived_with_its_last_content(
    account: HubspotState, shelf: Shelf
) -> None:
    """Search no longer shows it; unseen, it would stay in the pipeline for ever."""
    kept, gone = (account.has("deals", {"dealname": name}) for name in ("kept", "gone"))
    await shelf.sync("deals")
    account.advance(hours=2)
    account.archive("deals", gone)

    await shelf.sync("deals")

    assert ["upsert", "archived"] == shelf.changes("deals", gone)
    assert shelf.payload("deals", gone)["properties"]["dealname"] == "gone"
    assert [kept] == list(shelf.live("deals"))
    assert ["upsert", "archived"] == shelf.changes("deal_associations", gone)


async def test_the_first_load_reads_the_archive_too(account: HubspotState, shelf: Shelf) -> None:
    """Deals deleted before we came still explain last quarter's numbers."""
    gone = account.has("deals", {"dealname": "gone"})
    account.archive("deals", gone)

    await shelf.sync("deals")

    assert ["archived"] == shelf.changes("deals", gone)


async def test_a_restored_deal_comes_back(account: HubspotState, shelf: Shelf) -> None:
    """Restoring does not mark the record as changed: only its absence from the archive tells."""
    deal = account.has("deals", {"dealname": "back again"})
    await shelf.sync("deals")
    account.advance(hours=2)
    account.archive("deals", deal)
    await shelf.sync("deals")
    account.advance(hours=2)
    account.restore("deals", deal)

    await shelf.sync("deals")

    assert ["upsert", "archived", "upsert"] == shelf.changes("deals", deal)
    # Landing sets aside an upsert whose vendor clock is older than the newest version's.
    _, archived, restored = shelf.versions["deals"][deal]
    assert restored.source_updated_at is not None
    assert archived.source_updated_at is not None
    assert restored.source_updated_at >= archived.source_updated_at


async def test_a_purged_contact_is_deleted_by_the_daily_comparison_of_ids(
    account: HubspotState, shelf: Shelf
) -> None:
    """A GDPR delete leaves no trace in any list; only its absence tells."""
    kept, purged = (account.has("contacts", {"email": f"{n}@example.com"}) for n in "ab")
    await shelf.sync("contacts")
    account.purge("contacts", purged)
    account.advance(hours=23)
    await shelf.sync("contacts")
    before = shelf.changes("contacts", purged)
    account.advance(hours=1)

    await shelf.sync("contacts")

    assert ["upsert"] == before
    assert ["upsert", "deleted"] == shelf.changes("contacts", purged)
    assert [kept] == list(shelf.live("contacts"))


async def test_a_record_aged_out_of_the_archive_stays_gone(
    account: HubspotState, shelf: Shelf
) -> None:
    """After 90 days the archive forgets it; that must not look like a restore."""
    deal = account.has("deals", {})
    await shelf.sync("deals")
    account.archive("deals", deal)
    account.advance(hours=2)
    await shelf.sync("deals")
    account.advance(days=91)

    await shelf.sync("deals")

    assert shelf.live("deals") == {}


async def test_merged_deals_are_landed_with_the_survivor_and_its_new_id(
    account: HubspotState, shelf: Shelf
) -> None:
    """HubSpot drops the losers from every list; counted on, their money doubles."""
    first, second = (account.has("deals", {"amount": amount}) for amount in ("10", "20"))
    await shelf.sync("deals")
    account.advance(hours=2)
    survivor = account.merge("deals", first, second, new_id="990001")
    account.advance(minutes=6)

    await shelf.sync("deals")

    assert [survivor] == list(shelf.live("deals"))
    for loser in (first, second):
        assert ["upsert", "merged"] == shelf.changes("deals", loser)
        assert {"survivor_id": survivor} == shelf.payload("deals", loser)


async def test_a_merge_under_the_winners_id_leaves_the_winner_alive(
    account: HubspotState, shelf: Shelf
) -> None:
    """Contacts keep the winner's id; taking it for a loser would delete the person."""
    winner, loser = (account.has("contacts", {"email": f"{n}@example.com"}) for n in "ab")
    account.merge("contacts", winner, loser)

    await shelf.sync("contacts")

    assert [winner] == list(shelf.live("contacts"))
    assert ["merged"] == shelf.changes("contacts", loser)


async def test_a_chain_of_merges_points_every_loser_at_the_last_survivor(
    account: HubspotState, shelf: Shelf
) -> None:
    """An alias that leads to a record merged away itself resolves to nothing."""
    a, b, c = (account.has("companies", {"name": name}) for name in "abc")
    account.merge("companies", b, a)
    await shelf.sync("companies")
    account.advance(hours=2)
    account.merge("companies", c, b)
    account.advance(minutes=6)

    await shelf.sync("companies")

    assert {"survivor_id": c} == shelf.payload("companies", a)
    assert {"survivor_id": c} == shelf.payload("companies", b)


async def test_a_record_that_search_never_showed_is_found_by_the_comparison_of_ids(
    account: HubspotState, shelf: Shelf
) -> None:
    """Imported with an old date, or indexed hours late: no window meets it."""
    account.has("deals", {})
    await shelf.sync("deals")
    account.advance(hours=2)
    old = account.now.replace(year=2024)
    imported = account.has("deals", {"dealname": "imported"}, at=old)
    account.advance(hours=23)

    await shelf.sync("deals")

    assert imported in shelf.live("deals")


async def test_a_full_reading_deletes_what_is_no_longer_there(
    account: HubspotState, shelf: Shelf
) -> None:
    """--full is asked for when doubts arise; it must settle them in both directions."""
    kept, purged = account.has("deals", {}), account.has("deals", {})
    await shelf.sync("deals")
    account.purge("deals", purged)

    await shelf.sync("deals", full=True)

    assert [kept] == list(shelf.live("deals"))
    assert ["upsert", "deleted"] == shelf.changes("deals", purged)


async def test_a_batch_with_vanished_records_keeps_the_others(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """207: between search and read one of them was archived; the rest is as good as ever."""
    made = [account.has("deals", {"dealstage": "new"}) for _ in range(5)]
    await shelf.sync("deals")
    account.advance(hours=2)
    for deal in made:
        account.set_property("deals", deal, "dealstage", "won")
    account.advance(minutes=6)

    def archive_one(_: object, reply: object) -> object:
        account.archive("deals", made[0])
        return reply

    server.fail("deals/search$", archive_one)  # type: ignore[arg-type]  # passes through

    outcome = (await shelf.sync("deals"))["deals"]

    assert outcome.error is None
    assert sorted(made[1:]) == sorted(shelf.live("deals"))
    assert ["upsert", "archived"] == shelf.changes("deals", made[0])
    assert set(made) == set(ids(outcome.added))

"""Pipedrive: what is landed first, then of changes, ties, archives, deletes and merges."""

import json

from sandbox.pipedrive import PipedriveServer, PipedriveState
from tests.connectors.pipedrive.shelf import Shelf


async def test_ties_over_several_pages_are_all_landed(crm: PipedriveState, shelf: Shelf) -> None:
    """D-04: an import stamps hundreds of deals with one second; a bound by time drops some."""
    deals = [crm.add("deals") for _ in range(250)]

    first = await shelf.deals()
    crm.advance(minutes=1)
    crm.change("deals", deals[7], value=12.5)
    second = await shelf.deals()

    assert deals == shelf.live("deals")
    assert 250 == len(first.ids)
    assert [str(deals[7])] == second.ids


async def test_a_first_load_cut_short_goes_on(crm: PipedriveState, shelf: Shelf) -> None:
    """Every page is a resume point, also inside a second that fills several pages."""
    early = [crm.add("deals") for _ in range(150)]
    crm.advance(seconds=1)
    late = [crm.add("deals") for _ in range(150)]

    await shelf.deals(stop_after=2)
    crm.advance(hours=1)
    await shelf.deals()

    assert [*early, *late] == shelf.live("deals")


async def test_lost_and_deleted_deals_are_told_apart(crm: PipedriveState, shelf: Shelf) -> None:
    """Without a status the vendor leaves deleted deals out, and they would stay for ever."""
    kept, lost, deleted = (crm.add("deals") for _ in range(3))
    await shelf.deals()
    crm.advance(minutes=1)
    crm.change("deals", lost, status="lost")
    crm.delete("deals", deleted)
    crm.recents.clear()

    await shelf.deals()

    assert [kept, lost] == shelf.live("deals")
    assert ["upsert", "deleted"] == shelf.changes("deals", str(deleted))


async def test_an_archived_deal_stays_and_is_marked(crm: PipedriveState, shelf: Shelf) -> None:
    """Archiving takes a deal off the list; a won deal must not vanish from the numbers."""
    deals = [crm.add("deals", status="won") for _ in range(3)]
    await shelf.deals()
    crm.archive(deals[1])
    crm.advance(days=8)

    await shelf.deals()

    assert deals == shelf.live("deals")
    assert shelf.payload("deals", str(deals[1]))["is_archived"] is True


async def test_an_archived_deal_lands_before_any_comparison(
    crm: PipedriveState, shelf: Shelf
) -> None:
    """The archive has a list of its own, which every run reads; a week is too late."""
    old, kept = crm.add("deals"), crm.add("deals")
    crm.archive(old)
    await shelf.deals()
    crm.advance(minutes=5)
    crm.change("deals", kept, title="Archived now")
    crm.archive(kept)

    await shelf.deals()

    assert [old, kept] == shelf.live("deals")
    assert shelf.payload("deals", str(kept))["is_archived"] is True


async def test_a_comparison_finds_archived_deals_in_their_own_list(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf
) -> None:
    """Asked for one by one, a company's archive would eat the tokens of the day."""
    for _ in range(3):
        crm.archive(crm.add("deals"))
    await shelf.deals()
    crm.advance(days=8)
    server.requests.clear()

    await shelf.deals()

    assert server.count(r"/deals/archived$") > 0
    assert 0 == server.count(r"/deals/\d+$")


async def test_recents_tell_of_deleted_people(crm: PipedriveState, shelf: Shelf) -> None:
    """v2 shows no deleted person; between two comparisons only /v1/recents does."""
    people = [crm.add("persons") for _ in range(3)]
    await shelf.sync("persons")
    crm.advance(hours=1)
    crm.delete("persons", people[0])

    await shelf.sync("persons")

    assert people[1:] == shelf.live("persons")
    assert "deleted" == shelf.changes("persons", str(people[0]))[-1]


async def test_merged_closed_and_deleted_people_are_told_apart(
    crm: PipedriveState, shelf: Shelf
) -> None:
    """All three are missing from the list; only asking for each tells which it is."""
    kept, merged, closed, deleted = (crm.add("persons") for _ in range(4))
    await shelf.sync("persons")
    crm.merge("persons", merged, kept)
    crm.hidden.add(("persons", closed))
    crm.delete("persons", deleted)
    crm.recents.clear()
    crm.advance(days=8)

    await shelf.sync("persons")

    assert "merged" == shelf.changes("persons", str(merged))[-1]
    assert {"survivor_id": str(kept)} == shelf.payload("persons", str(merged))
    assert "access_lost" == shelf.changes("persons", str(closed))[-1]
    assert "deleted" == shelf.changes("persons", str(deleted))[-1]


async def test_leads_of_one_second_are_all_landed(crm: PipedriveState, shelf: Shelf) -> None:
    """D-04: v1 pages by offset; the walk asks anew by time and must not skip or circle on ties."""
    leads = {crm.add_lead() for _ in range(150)}
    crm.advance(seconds=30)
    leads |= {crm.add_lead() for _ in range(250)}
    archived = crm.add_lead(is_archived=True)

    outcome = (await shelf.sync("leads"))["leads"]

    assert outcome.error is None
    assert {*leads, archived} == set(shelf.versions["leads"])


async def test_converted_and_deleted_leads_are_told_apart(
    crm: PipedriveState, shelf: Shelf
) -> None:
    """A converted lead answers 404 like a deleted one; its deal names it."""
    kept, converted, deleted = (crm.add_lead() for _ in range(3))
    await shelf.sync("leads")
    crm.advance(hours=25)
    deal = crm.convert(converted)
    del crm.leads[deleted]

    await shelf.sync("leads")

    assert {"deal_id": str(deal)} == shelf.payload("leads", converted)
    assert "converted" == shelf.changes("leads", converted)[-1]
    assert "deleted" == shelf.changes("leads", deleted)[-1]
    assert ["upsert"] == shelf.changes("leads", kept)


async def test_only_deals_that_moved_cost_a_changelog(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf
) -> None:
    """A call costs 20 tokens; a renamed deal has no new history that a mart would read."""
    deals = [crm.add("deals") for _ in range(30)]
    crm.advance(hours=1)
    for deal in deals:
        crm.change("deals", deal, stage_id=2)
    crm.advance(hours=1)
    await shelf.sync("deal_changelog")
    crm.advance(hours=1)
    crm.change("deals", deals[3], stage_id=3)
    crm.change("deals", deals[4], title="Renamed")
    server.requests.clear()

    second = (await shelf.sync("deal_changelog"))["deal_changelog"]

    assert second.error is None
    assert 1 == server.count("changelog$")
    assert 31 == len(shelf.versions["deal_changelog"])
    assert {deals[3]} == {json.loads(one.payload or b"")["deal_id"] for one in second.added}


async def test_equal_changes_of_one_second_stay_two(crm: PipedriveState, shelf: Shelf) -> None:
    """Rows have no id: a deal moved back and forth within a second has two equal rows."""
    deal = crm.add("deals")
    for stage in (2, 1, 2):
        crm.change("deals", deal, stage_id=stage)

    await shelf.sync("deal_changelog")
    await shelf.sync("deal_changelog", full=True)

    assert 3 == len(shelf.versions["deal_changelog"])


async def test_lines_are_one_sorted_record_per_deal(crm: PipedriveState, shelf: Shelf) -> None:
    """A line that was taken off shows in nothing but the set without it."""
    deal = crm.add("deals", products_count=2)
    crm.lines[deal] = [
        {"id": 12, "deal_id": deal, "item_price": 10.25, "quantity": 2},
        {"id": 9, "deal_id": deal, "item_price": 5, "quantity": 1},
    ]
    await shelf.sync("deal_products")
    crm.advance(minutes=1)
    crm.lines[deal].pop()
    crm.change("deals", deal, products_count=1)

    await shelf.sync("deal_products")

    kept = shelf.versions["deal_products"][str(deal)]
    sold = [[line["id"] for line in json.loads(one.payload or b"")["products"]] for one in kept]
    assert [[9, 12], [12]] == sold
    assert [{"id": f"d-{deal}", "amount": 5}] == json.loads(kept[0].payload or b"")["discounts"]


async def test_goals_fields_and_small_lists_land(crm: PipedriveState, shelf: Shelf) -> None:
    """Quotas, option labels and stage probabilities: without them a mart has bare codes."""
    crm.small = {
        "goals": [
            {
                "id": "5f1a",
                "type": {"name": "deals_won"},
                "is_active": True,
                "assignee": {"type": "team", "id": 3},
            },
            {
                "id": "5f1b",
                "type": {"name": "deals_started"},
                "is_active": False,
                "assignee": {"type": "person", "id": 2},
            },
        ],
        "deal_fields": [{"field_code": "9dc8", "field_name": "Region", "options": [{"id": 37}]}],
        "stages": [{"id": 1, "deal_probability": 40, "days_to_rotten": 9}],
        "users": [{"id": 1, "name": "Ada", "active_flag": True, "api_token": "never"}],
    }

    outcomes = await shelf.sync("goals", "fields", "stages", "users", "pipelines")

    assert {None} == {one.error for one in outcomes.values()}
    assert {"5f1a", "5f1b"} == set(shelf.versions["goals"])
    assert {"deal:9dc8"} == set(shelf.versions["fields"])
    assert 40 == shelf.payload("stages", "1")["deal_probability"]
    assert "api_token" not in shelf.payload("users", "1")


async def test_mail_lands_without_its_text(crm: PipedriveState, shelf: Shelf) -> None:
    """Who wrote when of which deal is what marts need; texts and signed addresses are not."""
    crm.small = {
        "threads": [{"id": 3, "folder": "inbox", "snippet": "Dear", "deal_id": 5,
                     "update_time": "2026-10-14 08:00:00"}],
        "messages": [{"id": 8, "mail_thread_id": 3, "body_url": "https://x", "snippet": "Dear",
                      "message_time": "2026-10-14T08:00:00.000Z"}],
    }  # fmt: skip

    await shelf.sync("mail_threads")

    assert {"id", "folder", "deal_id", "update_time"} == set(shelf.payload("mail_threads", "3"))
    assert {"id", "mail_thread_id", "message_time"} == set(shelf.payload("mail_messages", "8"))


async def test_products_are_read_whole_and_a_missing_one_is_asked_for(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf
) -> None:
    """Products know no bound by update_time; without recents their deletion shows at once."""
    kept, gone, changed = (crm.add("products", name="Seat") for _ in range(3))
    await shelf.sync("products")
    crm.advance(hours=1)
    crm.change("products", changed, name="Chair")
    del crm.rows["products"][gone]

    outcome = (await shelf.sync("products"))["products"]

    assert outcome.error is None
    assert [kept, changed] == shelf.live("products")
    assert "Chair" == shelf.payload("products", str(changed))["name"]
    assert 0 == server.count("recents")


async def test_a_deal_deleted_in_the_archive_is_found_by_the_walk(
    crm: PipedriveState, shelf: Shelf
) -> None:
    """The archive's list leaves deleted deals out, too, unless they are asked for."""
    kept, gone = crm.add("deals"), crm.add("deals")
    crm.archive(kept)
    crm.archive(gone)
    await shelf.deals()
    crm.advance(minutes=5)
    crm.delete("deals", gone)
    crm.recents.clear()

    await shelf.deals()

    assert [kept] == shelf.live("deals")
    assert "deleted" == shelf.changes("deals", str(gone))[-1]


async def test_a_lead_whose_deal_was_archived_is_converted_too(
    crm: PipedriveState, shelf: Shelf
) -> None:
    """Archived deals are not in the list of deals; the lead would read as deleted."""
    lead = crm.add_lead()
    crm.add_lead()
    await shelf.sync("leads")
    crm.advance(hours=25)
    deal = crm.convert(lead)
    crm.archive(deal)

    await shelf.sync("leads")

    assert {"deal_id": str(deal)} == shelf.payload("leads", lead)


async def test_a_lead_that_is_closed_to_us_is_not_deleted(
    crm: PipedriveState, shelf: Shelf
) -> None:
    """Its visibility was narrowed; one such lead must not fail the stream, either."""
    closed, _ = crm.add_lead(), crm.add_lead()
    await shelf.sync("leads")
    crm.advance(hours=25)
    del crm.leads[closed]
    crm.hidden.add(("leads", closed))

    outcome = (await shelf.sync("leads"))["leads"]

    assert outcome.error is None
    assert "access_lost" == shelf.changes("leads", closed)[-1]


async def test_the_archive_of_leads_is_read_down_to_what_is_known(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf
) -> None:
    """It knows no bound, and a page of it costs 40 tokens."""
    for _ in range(350):
        crm.add_lead(is_archived=True)
        crm.advance(minutes=1)
    await shelf.sync("leads")
    late = crm.add_lead(is_archived=True)
    server.requests.clear()

    await shelf.sync("leads")

    assert late in shelf.versions["leads"]
    assert 351 == len(shelf.versions["leads"])
    assert 1 == server.count("/leads/archived")


async def test_a_first_load_of_mail_that_was_cut_short_asks_no_thread_twice(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf
) -> None:
    """A thread costs 20 tokens: a mailbox of years takes days, and must come to an end."""
    crm.small["threads"] = [
        {"id": one, "folder": "inbox", "update_time": "2026-09-01 08:00:00"} for one in range(1, 51)
    ]
    crm.small["messages"] = [{"id": one, "mail_thread_id": one} for one in range(1, 51)]
    await shelf.sync("mail_threads", stop_after=3)
    crm.small["threads"][0]["update_time"] = crm.now.strftime("%Y-%m-%d %H:%M:%S")
    crm.advance(hours=2)
    server.requests.clear()

    await shelf.sync("mail_threads")

    assert 50 == len(shelf.versions["mail_messages"])
    assert 31 == server.count("mailMessages")
    assert 1 == server.count("mailThreads/1/mailMessages")

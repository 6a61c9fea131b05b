"""HubSpot: what is landed equals what the account holds, whatever happened in between."""

from datetime import timedelta

import pytest

from connectors.hubspot import HubspotSettings
from sandbox.hubspot import ALL_SCOPES, STATIC_TOKEN, Grant, HubspotServer, HubspotState
from sandbox.hubspot.schema import FORECASTS_SCOPE
from tests.connectors.hubspot.shelf import Shelf, ids


def make_deals(account: HubspotState, count: int) -> list[str]:
    return [
        account.has("deals", {"dealname": f"Deal {n}", "dealstage": "new", "amount": "100.10"})
        for n in range(count)
    ]


async def test_a_first_sync_lands_every_record_of_a_list_longer_than_a_page(
    account: HubspotState, shelf: Shelf
) -> None:
    """A page cap misread as the end is a warehouse that silently holds a fraction."""
    made = make_deals(account, 120)

    await shelf.sync("deals")

    assert sorted(made) == sorted(shelf.live("deals"))
    assert shelf.payload("deals", made[0])["properties"]["amount"] == "100.10"


async def test_a_second_sync_adds_nothing_when_nothing_changed(
    account: HubspotState, shelf: Shelf
) -> None:
    """Windows overlap by an hour; what is read twice must not become two versions."""
    make_deals(account, 60)
    await shelf.sync("deals")
    account.advance(minutes=20)

    outcome = (await shelf.sync("deals"))["deals"]

    assert ids(outcome.added) == []


async def test_a_change_is_landed_with_the_history_of_its_stage(
    account: HubspotState, shelf: Shelf
) -> None:
    """Stage velocity is counted from this history and from nothing else."""
    deal = make_deals(account, 1)[0]
    await shelf.sync("deals")
    account.advance(hours=3)
    account.set_property("deals", deal, "dealstage", "won")
    account.advance(minutes=10)

    outcome = (await shelf.sync("deals"))["deals"]

    assert [deal] == ids(outcome.added)
    stages = shelf.payload("deals", deal)["propertiesWithHistory"]["dealstage"]
    assert ["won", "new"] == [entry["value"] for entry in stages]


async def test_contacts_are_followed_by_their_own_cursor_property(
    account: HubspotState, shelf: Shelf
) -> None:
    """On contacts hs_lastmodifieddate finds nothing; only lastmodifieddate moves."""
    contact = account.has("contacts", {"email": "a@example.com"})
    await shelf.sync("contacts")
    account.advance(hours=2)
    account.set_property("contacts", contact, "email", "b@example.com")
    account.advance(minutes=6)

    await shelf.sync("contacts")

    assert shelf.payload("contacts", contact)["properties"]["email"] == "b@example.com"


async def test_a_record_indexed_late_is_found_although_the_cursor_has_passed_its_instant(
    account: HubspotState, shelf: Shelf
) -> None:
    """Search learns of changes late: a cursor at the newest change seen would lose this one."""
    slow, quick = make_deals(account, 2)
    await shelf.sync("deals")
    account.advance(hours=3)
    await shelf.sync("deals")
    account.index_lag = timedelta(minutes=50)
    account.set_property("deals", slow, "amount", "1.00")
    account.index_lag = timedelta(0)
    account.advance(minutes=1)
    account.set_property("deals", quick, "amount", "2.00")
    first = (await shelf.sync("deals"))["deals"]
    account.advance(minutes=55)

    second = (await shelf.sync("deals"))["deals"]

    assert [quick] == ids(first.added)
    assert [slow] == ids(second.added)


async def test_400_deals_changed_in_one_millisecond_are_all_read(
    account: HubspotState, shelf: Shelf
) -> None:
    """D-04: A bulk edit stamps more records alike than a page holds; time cannot page them."""
    made = make_deals(account, 400)
    await shelf.sync("deals")
    account.advance(hours=2)
    for deal in made:
        account.set_property("deals", deal, "dealstage", "lost")
    account.advance(milliseconds=1)
    later = account.has("deals", {"dealname": "one millisecond later"})
    account.advance(minutes=6)

    outcome = (await shelf.sync("deals"))["deals"]

    assert sorted([*made, later]) == sorted(set(ids(outcome.added)))


@pytest.mark.parametrize("same_instant", [False, True])
async def test_more_changes_than_search_can_count_are_all_read(
    account: HubspotState, server: HubspotServer, shelf: Shelf, *, same_instant: bool
) -> None:
    """Search refuses what lies past its cap; the rest must not be taken for absent."""
    server.gate.limits.search_total = 400
    made = [account.has("notes", {}) for _ in range(1_100)]
    await shelf.sync("notes")
    account.advance(hours=2)
    for note in made:
        account.set_property("notes", note, "hubspot_owner_id", "61")
        account.advance(milliseconds=0 if same_instant else 1)
    account.advance(minutes=6)

    outcome = (await shelf.sync("notes"))["notes"]

    assert outcome.error is None
    assert sorted(made) == sorted(ids(outcome.added))


@pytest.mark.slow
async def test_the_real_cap_of_ten_thousand_is_passed(account: HubspotState, shelf: Shelf) -> None:
    """The same with HubSpot's own number, half of it in one millisecond."""
    made = [account.has("notes", {}) for _ in range(12_000)]
    await shelf.sync("notes")
    account.advance(hours=2)
    for place, note in enumerate(made):
        account.set_property("notes", note, "hubspot_owner_id", "61")
        account.advance(milliseconds=1 if place % 2 == 0 and place < 6_000 else 0)
    account.advance(minutes=6)

    outcome = (await shelf.sync("notes"))["notes"]

    assert sorted(made) == sorted(ids(outcome.added))


async def test_a_record_that_changes_while_search_is_paged_hides_no_other(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """D-01: It leaves its place and all that follow move up by one: offsets would skip a record."""
    made = make_deals(account, 450)
    await shelf.sync("deals")
    account.advance(hours=2)
    for deal in made:
        account.advance(milliseconds=2)
        account.set_property("deals", deal, "dealstage", "qualified")
    account.index_lag = timedelta(0)
    account.advance(minutes=6)

    def move(_: object, reply: object) -> object:
        for deal in made[:50]:
            account.set_property("deals", deal, "dealstage", "demo")
        return reply

    server.fail(r"deals/search$", move)  # type: ignore[arg-type]  # the reply passes through

    await shelf.sync("deals")

    stages = {one: record["properties"]["dealstage"] for one, record in shelf.live("deals").items()}
    assert stages == dict.fromkeys(made[:50], "demo") | dict.fromkeys(made[50:], "qualified")


async def test_a_record_changed_between_list_and_change_search_ends_in_its_newest_state(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """A backfill takes hours; what changed behind it must not stay as it was listed."""
    made = make_deals(account, 120)
    account.index_lag = timedelta(0)

    def change(_: object, reply: object) -> object:
        account.advance(minutes=90)
        account.set_property("deals", made[0], "amount", "7.00")
        return reply

    server.fail(r"objects/2026-09/deals$", change, skip=1)  # type: ignore[arg-type]  # passes through

    await shelf.sync("deals")

    assert shelf.payload("deals", made[0])["properties"]["amount"] == "7.00"


async def test_search_rows_older_than_the_cursor_neither_fail_nor_double(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """Search was seen to show rows a fraction before the instant asked for."""
    deal = make_deals(account, 1)[0]
    await shelf.sync("deals")
    account.advance(hours=2)

    def older(_: object, reply: object) -> object:
        reply.body = (  # type: ignore[attr-defined]  # a Reply
            f'{{"total":1,"results":[{{"id":"{deal}","properties":'
            '{"hs_lastmodifieddate":"2026-10-15T04:59:59.999Z"}}]}'
        ).encode()
        return reply

    server.fail(r"deals/search$", older)  # type: ignore[arg-type]  # passes through

    outcome = (await shelf.sync("deals"))["deals"]

    assert outcome.error is None
    assert ids(outcome.added) == []


async def test_a_backfill_left_halfway_goes_on_where_it_was(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """A first load of hours that starts over after every fault never ends."""
    made = make_deals(account, 260)
    await shelf.sync("deals", stop_after=3)
    server.requests.clear()

    await shelf.sync("deals")

    assert sorted(made) == sorted(shelf.live("deals"))
    first = next(one for one in server.requests if one.path.endswith("objects/2026-09/deals"))
    assert first.param("after") == made[149]


@pytest.mark.parametrize("stop_after", range(1, 9))
async def test_changes_left_after_any_page_are_complete_after_the_next_sync(
    account: HubspotState, shelf: Shelf, stop_after: int
) -> None:
    """A cursor that runs ahead of what was landed loses the difference for ever."""
    made = make_deals(account, 700)
    await shelf.sync("deals")
    account.advance(hours=3)
    for deal in made:
        account.set_property("deals", deal, "dealstage", "lost")
        account.advance(milliseconds=1 if int(deal) % 3 else 0)
    account.advance(hours=2)
    await shelf.sync("deals", stop_after=stop_after)

    await shelf.sync("deals")

    assert {"lost"} == {one["properties"]["dealstage"] for one in shelf.live("deals").values()}


async def test_requested_but_empty_is_null_and_a_body_is_never_requested(
    account: HubspotState, shelf: Shelf
) -> None:
    """The text of people's letters has no place in a warehouse; a missing value has."""
    mail = account.has("emails", {"hs_email_subject": "Hello", "hs_email_text": "BODY-OF-MAIL"})
    note = account.has("notes", {"hs_note_body": "BODY-OF-NOTE", "hs_timestamp": None})

    await shelf.sync("emails", "notes")

    held = shelf.payload("emails", mail)["properties"]
    assert held["hs_email_subject"] == "Hello"
    assert held["hs_email_from_email"] is None
    every = [record.payload or b"" for past in shelf.versions["emails"].values() for record in past]
    every += [record.payload or b"" for record in shelf.versions["notes"][note]]
    assert not any(b"BODY-OF" in payload for payload in every)


async def test_a_custom_property_appears_by_itself(account: HubspotState, shelf: Shelf) -> None:
    """Administrators add fields every week; nobody edits the settings for it."""
    deal = make_deals(account, 1)[0]
    await shelf.sync("deals")
    account.advance(hours=2)
    account.define_property("deals", "region__custom")
    account.set_property("deals", deal, "region__custom", "EMEA")
    account.advance(minutes=6)

    await shelf.sync("deals", "properties")

    assert shelf.payload("deals", deal)["properties"]["region__custom"] == "EMEA"
    assert "deals:region__custom" in shelf.live("properties")


async def test_properties_longer_than_an_address_are_read_by_batch(
    account: HubspotState, shelf: Shelf
) -> None:
    """An account with hundreds of fields must not end in 414, nor lose half of them."""
    for number in range(300):
        account.define_property("deals", f"custom_field_with_a_long_name_{number:03d}")
    made = make_deals(account, 120)
    account.set_property("deals", made[7], "custom_field_with_a_long_name_299", "x")
    archived = made.pop()
    account.archive("deals", archived)

    await shelf.sync("deals")

    assert sorted(made) == sorted(shelf.live("deals"))
    held = shelf.payload("deals", made[7])["properties"]
    assert held["custom_field_with_a_long_name_299"] == "x"
    assert ["archived"] == shelf.changes("deals", archived)


async def test_other_choice_of_properties_reads_everything_anew(
    account: HubspotState, shelf: Shelf
) -> None:
    """A field asked for from today on is wanted for the deals of last year too."""
    deal = make_deals(account, 1)[0]
    account.set_property("deals", deal, "hs_mrr", "12.5", quiet=True)
    await shelf.sync("deals")
    account.advance(hours=5)
    shelf.settings["properties"] = {"deals": ["hs_mrr"]}

    await shelf.sync("deals")

    assert shelf.payload("deals", deal)["properties"]["hs_mrr"] == "12.5"


async def test_a_change_without_a_mark_is_found_by_the_periodic_full_reading(
    account: HubspotState, shelf: Shelf
) -> None:
    """Rollups change silently; four weeks is the longest that one may stay unseen."""
    deal = make_deals(account, 1)[0]
    await shelf.sync("deals")
    account.advance(hours=3)
    await shelf.sync("deals")
    account.set_property("deals", deal, "hs_closed_amount", "5", quiet=True)
    account.advance(days=27, hours=20)
    early = (await shelf.sync("deals"))["deals"]
    account.advance(days=1)

    late = (await shelf.sync("deals"))["deals"]

    assert ids(early.added) == []
    assert [deal] == ids(late.added)


async def test_recalculated_properties_make_no_new_version(
    account: HubspotState, shelf: Shelf
) -> None:
    """amount_in_home_currency moves with every rate: millions of versions that say nothing."""
    deal = make_deals(account, 1)[0]
    await shelf.sync("deals")
    account.advance(hours=2)
    account.set_property("deals", deal, "amount_in_home_currency", "135.00")
    account.advance(minutes=6)

    outcome = (await shelf.sync("deals"))["deals"]

    assert ids(outcome.added) == []


async def test_forecasts_are_read_whole_and_only_where_they_are_named(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """A beta with a scope of its own: asked for unnamed, it would fail every account's sync."""
    amount = {"hs_submitted_by_the_vendors_own_name": "1200.50"}
    one = account.has("forecasts", {"hs_year": "2026", **amount})
    server.gate.tokens[STATIC_TOKEN] = Grant(ALL_SCOPES | {FORECASTS_SCOPE})
    assert not HubspotSettings.model_validate(shelf.reach()).is_active("forecasts")
    shelf.settings["streams"] = ["forecasts"]

    outcome = (await shelf.sync("forecasts"))["forecasts"]

    assert outcome.error is None
    assert "1200.50" == shelf.payload("forecasts", one)["properties"][next(iter(amount))]
    assert "2026" == shelf.payload("forecasts", one)["properties"]["hs_year"]


async def test_tickets_land_with_their_turns_and_without_their_text(
    account: HubspotState, shelf: Shelf
) -> None:
    """When a case was closed and taken up again is in the history alone; what was asked stays."""
    company = account.has("companies", {"name": "Acme"})
    ticket = account.has("tickets", {"hs_pipeline_stage": "1", "content": "CANARY", "subject": "x"})
    account.associate("tickets", ticket, "companies", company)
    account.pipelines["tickets"] = [{"id": "0", "stages": [{"id": "1"}, {"id": "4"}]}]
    await shelf.sync("tickets", "ticket_pipelines")
    for stage in ("4", "1"):
        account.advance(hours=2)
        account.set_property("tickets", ticket, "hs_pipeline_stage", stage)
    account.advance(minutes=6)

    outcomes = await shelf.sync("tickets", "ticket_pipelines")

    landed = shelf.payload("tickets", ticket)
    turns = [one["value"] for one in landed["propertiesWithHistory"]["hs_pipeline_stage"]]
    assert [ticket] == ids(outcomes["tickets"].added)
    assert ["1", "4", "1"] == turns
    assert [{"id": company}] == landed["associations"]["companies"]["results"]
    assert not {"content", "subject"} & set(landed["properties"])
    assert ["1", "4"] == [one["id"] for one in shelf.payload("ticket_pipelines", "0")["stages"]]


async def test_tickets_without_their_scope_fail_their_own_streams(
    server: HubspotServer, shelf: Shelf
) -> None:
    """A token from before tickets were read lacks it: the others go on, and the error says so."""
    server.gate.tokens[STATIC_TOKEN] = Grant(ALL_SCOPES - {"tickets"})

    outcomes = await shelf.sync("tickets", "ticket_pipelines", "deals")

    assert outcomes["deals"].error is None
    for stream in ("tickets", "ticket_pipelines"):
        assert "tickets" in str(outcomes[stream].error)

"""Odoo: every change is read once, whatever ties, cut clocks and archives do."""

import json
from datetime import UTC, datetime, timedelta

from sandbox.exchange import Reply, Request
from sandbox.odoo import OdooServer, OdooState
from tests.connectors.odoo.shelf import Shelf


async def test_the_first_load_reads_every_deal_once_whatever_ties(
    crm: OdooState, shelf: Shelf
) -> None:
    """D-04: an import is one transaction: its rows bear one write_date, five pages here."""
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


async def test_no_older_state_is_landed_after_a_newer_one(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """D-05: the lookback meets a record again and again, in whatever order it was written."""
    deals = [crm.add("crm.lead", type="opportunity", name="a") for _ in range(250)]
    turn = 0

    def edit(_request: Request, reply: Reply) -> Reply:
        nonlocal turn
        turn += 1
        crm.advance(seconds=2)
        for deal in (deals[0], deals[120], deals[240]):
            # Committed now, and stamped with its start: some are older than what we read.
            crm.write("crm.lead", deal, name=f"edit {turn}", at=crm.now - timedelta(seconds=1))
        return reply

    fault = server.fail("json", edit, times=999)
    await shelf.deals()
    await shelf.deals(stop_after=1)
    await shelf.deals()
    fault.times = 0
    await shelf.deals()

    for deal in (deals[0], deals[120], deals[240]):
        past = shelf.versions["deals"][str(deal)]
        states = [json.loads(one.payload or "{}")["name"] for one in past]
        assert sorted(states, key=lambda name: int(name[5:] or 0)) == states
        assert crm.tables["crm.lead"][deal]["name"] == states[-1]


async def test_pages_of_messages_that_we_may_not_see_are_no_end(
    crm: OdooState, shelf: Shelf
) -> None:
    """The server drops them after the limit has counted: two whole pages are empty here."""
    for number in range(1, 331):
        crm.add("mail.message", values={"model": "crm.lead", "subject": "s"})
        if 50 < number <= 270:
            crm.closed.add(("mail.message", number))

    await shelf.sync("messages")

    assert [*range(1, 51), *range(271, 331)] == shelf.live("messages")
    crm.advance(hours=25)
    crm.unlink("mail.message", 300)
    await shelf.sync("messages")

    assert "deleted" == shelf.changes("messages", "300")[-1]
    assert 109 == len(shelf.live("messages"))


async def test_a_payment_that_is_posted_is_read_again(crm: OdooState, shelf: Shelf) -> None:
    """Up to 17 its state is a field of its entry, whose clock alone moves."""
    entry = crm.add("account.move", move_type="entry", state="draft")
    more = {"partner_type": "customer", "move_id": entry}
    payment = crm.add("account.payment", state="draft", values=more)
    await shelf.sync("payments")
    crm.advance(hours=2)
    await shelf.sync("payments")  # from here on its own clock lies before the lookback
    crm.advance(hours=2)
    crm.write("account.move", entry, state="posted")
    crm.tables["account.payment"][payment]["state"] = "posted"

    outcome = (await shelf.sync("payments"))["payments"]

    assert [str(payment)] == outcome.ids
    assert "posted" == shelf.payload("payments", str(payment))["state"]


async def test_payments_with_fields_of_their_own_follow_no_entry(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """Since 18: a condition over the entries would only cost time."""
    crm.schema["account.payment"] |= dict.fromkeys(("name", "state"), "char") | {"date": "date"}
    crm.add("account.payment", partner_type="customer")
    await shelf.sync("payments")
    server.asked.clear()

    await shelf.sync("payments")

    asked = [one["domain"] for one in server.asked if one["model"] == "account.payment"]
    assert "write_date" in str(asked[0])
    assert "move_id.write_date" not in str(asked)


async def test_the_teams_of_a_stage_are_read_where_it_has_several(
    crm: OdooState, shelf: Shelf
) -> None:
    """Since 19 a stage has a list of teams in place of one."""
    schema = crm.schema["crm.stage"]
    del schema["team_id"]
    schema["team_ids"] = "many2many"
    stage = crm.add("crm.stage", name="Trial", team_ids=[4, 5])

    await shelf.sync("stages")

    assert [4, 5] == shelf.payload("stages", str(stage))["team_ids"]


async def test_words_of_older_releases_are_asked_for_where_they_are_the_servers(
    crm: OdooState, shelf: Shelf
) -> None:
    """Before 16 and 17: lost_reason, field, account_internal_type; the new words are refused."""
    lead, tracked = crm.schema["crm.lead"], crm.schema["mail.tracking.value"]
    lead["lost_reason"] = lead.pop("lost_reason_id")
    tracked["field"] = tracked.pop("field_id")
    crm.schema["account.move.line"]["account_internal_type"] = "computed"
    crm.add("crm.lead", type="opportunity", lost_reason=3)
    crm.add("mail.tracking.value", values={"field.model": "crm.lead", "field": 1})
    crm.add("account.move.line", values={"account_internal_type": "receivable"})

    outcomes = await shelf.sync("deals", "tracking_values", "invoice_lines")

    assert [None] * 3 == [one.error for one in outcomes.values()]
    assert [1, 1, 1] == [len(one.ids) for one in outcomes.values()]
    assert 3 == shelf.payload("deals", "1")["lost_reason"]


async def test_a_search_that_takes_no_plain_links_is_made_in_two_calls(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """Odoo 14 and apps that override search_read in its old form refuse ``load``."""
    server.takes_load = False
    for _ in range(250):
        crm.add("crm.lead", type="opportunity", stage_id=2)

    outcome = (await shelf.sync("deals"))["deals"]

    assert outcome.error is None
    assert crm.ids("crm.lead") == shelf.live("deals")
    assert 2 == shelf.payload("deals", "1")["stage_id"]


async def test_a_page_that_was_deleted_between_search_and_read_is_no_end(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """The read leaves out what is gone: a page of nothing but that would end the walk."""
    server.takes_load = False
    for _ in range(150):
        crm.add("crm.lead", type="opportunity")

    def gone(request: Request, reply: Reply) -> Reply:
        if b'"search"' in request.body or request.path.endswith("crm.lead/search"):
            for one in range(1, 101):
                crm.tables["crm.lead"].pop(one, None)
        return reply

    server.fail("json", gone, times=999)

    await shelf.deals()

    assert list(range(101, 151)) == shelf.live("deals")

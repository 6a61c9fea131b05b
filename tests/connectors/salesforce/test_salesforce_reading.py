"""Salesforce: what is read, in which order, and what became of it."""

import json
from datetime import timedelta

import pytest

from connectors.base.errors import VendorError
from sandbox.exchange import Reply, Request, reply_json
from sandbox.salesforce import SalesforceServer, SalesforceState
from tests.connectors.salesforce.shelf import Shelf

SETTLED = timedelta(minutes=6).total_seconds()


def deals(org: SalesforceState, count: int) -> list[str]:
    """So many opportunities of one second, old enough to be shown."""
    made = [org.add("Opportunity", Name=f"deal {number}") for number in range(count)]
    org.advance(seconds=SETTLED)
    return made


async def test_a_first_load_and_what_changed_since(org: SalesforceState, shelf: Shelf) -> None:
    """Everything once, then only what moved."""
    made = deals(org, 5)
    await shelf.deals()
    org.advance(hours=1)
    org.change("Opportunity", made[2], Amount=7.5)
    org.advance(seconds=SETTLED)

    second = await shelf.deals()
    third = await shelf.deals()

    assert made == sorted(shelf.versions["deals"])
    assert [made[2]] == second.ids
    assert [] == third.ids


async def test_a_forecast_that_was_handed_in_is_read_with_what_it_says_of_each_category(
    org: SalesforceState, shelf: Shelf
) -> None:
    """The submission has no amount: without its lines nobody knows what was said."""
    handed_in = org.add("ForecastingSubmission", ForecastOwnerId="005A", PeriodId="026A")
    line = org.add(
        "ForecastingSubmissionItem",
        ForecastingSubmissionId=handed_in,
        ForecastingItemCategory="CommitForecast",
        Amount=1200.5,
    )
    org.advance(seconds=SETTLED)

    outcomes = await shelf.sync("forecast_submissions", "forecast_submission_items")

    assert [None, None] == [outcome.error for outcome in outcomes.values()]
    assert [handed_in] == list(shelf.versions["forecast_submissions"])
    assert [line] == list(shelf.versions["forecast_submission_items"])


async def test_more_records_of_one_second_than_a_page_holds_are_all_read(
    org: SalesforceState, shelf: Shelf
) -> None:
    """D-04: a bulk job stamps ten thousand rows alike; a clock alone would skip the rest."""
    made = deals(org, 4_100)
    await shelf.deals()
    org.advance(hours=1)
    for one in made:
        org.change("Opportunity", one, Amount=1.0)
    org.advance(seconds=SETTLED)

    second = await shelf.deals()

    assert made == sorted(second.ids)


async def test_pages_within_an_answer_are_followed_to_the_end(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer
) -> None:
    """H-19: wide rows make small pages, whatever was asked for."""
    server.page_size = 7
    made = deals(org, 50)

    await shelf.deals()

    assert made == sorted(shelf.versions["deals"])


async def test_records_that_move_while_pages_are_read_are_neither_lost_nor_doubled(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer
) -> None:
    """D-01: an edit moves a record behind the window, where the next run finds it."""
    made = deals(org, 4_500)

    def live_on(_request: Request, reply: Reply) -> Reply:
        org.advance(seconds=1)
        org.change("Opportunity", made[server.count("queryAll") * 37 % len(made)], Amount=2.0)
        return reply

    server.fail("queryAll", live_on, times=100)
    await shelf.deals()
    server.faults.clear()
    org.advance(seconds=SETTLED)
    await shelf.deals()

    rows = org.rows["Opportunity"]
    assert {one: rows[one]["Amount"] for one in made} == {
        one: shelf.payload("deals", one)["Amount"] for one in made
    }


async def test_a_run_that_died_goes_on_from_its_last_page(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer
) -> None:
    """The walk by id resumes; what was read is not asked for again."""
    made = deals(org, 4_500)
    await shelf.sync("deals", stop_after=2)

    before = server.count("queryAll")
    await shelf.deals()

    assert made == sorted(shelf.versions["deals"])
    assert server.count("queryAll") - before < 3


async def test_what_is_too_young_waits_for_the_next_run(org: SalesforceState, shelf: Shelf) -> None:
    """D-06: answers lag behind commits; a row that appears late bears an old stamp."""
    deals(org, 1)
    await shelf.deals()
    late = org.add("Opportunity", Name="young")

    first = await shelf.deals()
    org.advance(minutes=6)
    second = await shelf.deals()

    assert [] == first.ids
    assert [late] == second.ids


async def test_a_row_that_surfaces_with_an_old_stamp_is_found_by_the_lookback(
    org: SalesforceState, shelf: Shelf
) -> None:
    """D-05, D-06: a long transaction stamps its start and is seen at its commit."""
    deals(org, 1)
    await shelf.deals()
    org.advance(minutes=20)
    await shelf.deals()
    late = org.add("Opportunity", Name="late", at=org.now - timedelta(minutes=12))

    outcome = await shelf.deals()

    assert [late] == outcome.ids


async def test_deleted_merged_and_restored_are_told_apart(
    org: SalesforceState, shelf: Shelf
) -> None:
    """D-07, D-08: the bin is read, and a merge names who is left."""
    first, second, third = deals(org, 3)
    await shelf.deals()
    org.advance(hours=1)
    org.delete("Opportunity", first)
    org.merge("Opportunity", second, third)
    org.advance(seconds=SETTLED)
    await shelf.deals()
    org.change("Opportunity", first, IsDeleted=False)
    org.advance(seconds=SETTLED)
    await shelf.deals()

    assert ["upsert", "deleted", "upsert"] == shelf.changes("deals", first)
    assert ["upsert", "merged"] == shelf.changes("deals", second)
    assert third == shelf.payload("deals", second)["survivor_id"]


async def test_what_was_purged_is_told_by_the_org(org: SalesforceState, shelf: Shelf) -> None:
    """D-07: a record that left the bin is in no query."""
    first, second = deals(org, 2)
    await shelf.deals()
    org.advance(hours=1)
    org.purge("Opportunity", first)
    org.advance(hours=1)

    await shelf.deals()

    assert "deleted" == shelf.changes("deals", first)[-1]
    assert ["upsert"] == shelf.changes("deals", second)


async def test_after_a_long_pause_all_ids_are_compared(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer
) -> None:
    """D-20: told deletions reach fifteen days back."""
    first, second = deals(org, 2)
    await shelf.deals()
    org.advance(days=1)
    org.purge("Opportunity", first)
    org.advance(days=30)

    await shelf.deals()

    assert "deleted" == shelf.changes("deals", first)[-1]
    assert ["upsert"] == shelf.changes("deals", second)
    assert 0 == server.count("deleted")


async def test_a_formula_is_read_anew_on_a_schedule_of_its_own(
    org: SalesforceState, shelf: Shelf
) -> None:
    """It moves no clock; without the second reading it would be stale for ever."""
    (one,) = deals(org, 1)
    org.advance(hours=1)
    await shelf.deals()
    org.compute("Opportunity", one, Margin__c=0.5)
    org.advance(days=3)
    soon = await shelf.deals()
    org.advance(days=5)

    later = await shelf.deals()

    assert [] == soon.ids
    assert [one] == later.ids


async def test_a_large_past_is_read_by_a_job_and_gives_the_same_records(
    org: SalesforceState, server: SalesforceServer, shelf: Shelf
) -> None:
    """Another way of reading must make no new version of anything."""
    server.bulk_page = 20
    made = deals(org, 50)
    org.change("Opportunity", made[0], Name='a "quoted",\nname – ü', Amount=99999999999999.99)
    org.advance(seconds=SETTLED)
    shelf.settings["bulk_rows"] = 10
    await shelf.deals()
    assert 3 == server.count("results")
    shelf.settings["bulk_rows"] = 1_000

    again = await shelf.deals(full=True)

    assert made == sorted(shelf.versions["deals"])
    assert [] == again.ids
    assert 'a "quoted",\nname – ü' == shelf.payload("deals", made[0])["Name"]


async def test_a_job_that_was_half_read_is_read_on(
    org: SalesforceState, server: SalesforceServer, shelf: Shelf
) -> None:
    """Its results stay for a week; a second job would be paid for twice."""
    server.bulk_page = 20
    made = deals(org, 50)
    shelf.settings["bulk_rows"] = 10
    await shelf.sync("deals", stop_after=2)

    await shelf.deals()

    assert made == sorted(shelf.versions["deals"])
    assert 1 == server.count(r"jobs/query$")


async def test_a_job_that_was_read_is_deleted(
    org: SalesforceState, server: SalesforceServer, shelf: Shelf
) -> None:
    """Its results count towards the org's storage of a day."""
    made = deals(org, 20)
    shelf.settings["bulk_rows"] = 10

    await shelf.deals()

    assert made == sorted(shelf.versions["deals"])
    assert 1 == server.count(r"jobs/query/\w+$", "DELETE")
    assert not server._jobs


@pytest.mark.parametrize("way", ["no job of it", "no job today", "failed", "not deleted"])
async def test_a_refused_job_is_read_by_id(
    org: SalesforceState, server: SalesforceServer, shelf: Shelf, way: str
) -> None:
    """Some objects have none, the day's may be spent, one may fail; the next would, too."""
    made = deals(org, 20)
    shelf.settings["bulk_rows"] = 10
    said = {"no job of it": (400, "INVALIDENTITY"), "no job today": (403, "LIMIT_EXCEEDED")}
    failed = {"id": "750000000000001AAA", "state": "Failed", "errorMessage": "is not supported"}

    def refuse(request: Request, reply: Reply) -> Reply:
        if way in said and request.method == "POST":
            status, code = said[way]
            return reply_json([{"message": "no", "errorCode": code}], status)
        if way == "failed" and request.method == "GET":
            return reply_json(failed)
        if way == "not deleted" and request.method == "DELETE":
            return reply_json([{"message": "no", "errorCode": "NOT_FOUND"}], 404)
        return reply

    server.fail(r"jobs/query", refuse, times=99)

    outcome = await shelf.deals()

    assert outcome.error is None
    assert made == sorted(shelf.versions["deals"])
    assert {1} == {len(versions) for versions in shelf.versions["deals"].values()}


def widen(org: SalesforceState, name: str) -> None:
    """More fields than an address holds."""
    for number in range(900):
        org.schema[name][f"A_field_of_a_long_name_{number}__c"] = "string"
        for row in org.rows[name].values():
            row[f"A_field_of_a_long_name_{number}__c"] = str(number)


async def test_an_object_too_wide_for_an_address_is_put_together(
    org: SalesforceState, server: SalesforceServer, shelf: Shelf
) -> None:
    """Past, window and small list alike: a longer address is refused with 414."""
    made = deals(org, 30)
    widen(org, "Opportunity")
    widen(org, "OpportunityStage")
    await shelf.sync("deals", "stages")
    org.advance(hours=1)
    org.change("Opportunity", made[3], Amount=8.5)
    org.advance(seconds=SETTLED)

    outcomes = await shelf.sync("deals", "stages")

    assert [None, None] == [one.error for one in outcomes.values()]
    assert made == sorted(shelf.versions["deals"])
    assert [made[3]] == outcomes["deals"].ids
    assert "899" == shelf.payload("deals", made[3])["A_field_of_a_long_name_899__c"]
    assert 8.5 == float(shelf.payload("deals", made[3])["Amount"])
    (stage,) = org.rows["OpportunityStage"]
    assert ["upsert"] == shelf.changes("stages", stage)
    assert "899" == shelf.payload("stages", stage)["A_field_of_a_long_name_899__c"]
    assert 0 == server.count(r"jobs/query")
    # 900 names of 32 characters at 14,000 a query: three of them, in both syncs.
    asked = [one.param("q", "") for one in server.requests if one.path.endswith("/query")]
    assert 6 == sum("FROM OpportunityStage" in str(query) for query in asked)


async def test_a_wide_record_that_is_edited_between_its_parts_is_left_to_the_next_read(
    org: SalesforceState, server: SalesforceServer, shelf: Shelf
) -> None:
    """Half of one version and half of another is a record that there never was."""
    made = deals(org, 3)
    widen(org, "Opportunity")
    asked: list[str] = []

    def edited(request: Request, reply: Reply) -> Reply:
        if " FROM Opportunity WHERE" in (request.param("q") or ""):
            asked.append(request.target)
            if len(asked) == 1:
                org.change("Opportunity", made[1], Name="new", Amount=9.0)
        return reply

    server.fail("queryAll", edited, times=99)
    await shelf.deals()
    first = sorted(shelf.versions["deals"])
    org.advance(seconds=SETTLED)

    await shelf.deals()

    assert len(asked) > 1
    assert [made[0], made[2]] == first
    assert ["upsert"] == shelf.changes("deals", made[1])
    assert "new" == shelf.payload("deals", made[1])["Name"]


@pytest.mark.parametrize("is_first", [True, False], ids=["past", "window"])
async def test_a_query_that_is_too_slow_is_halved(
    org: SalesforceState, server: SalesforceServer, shelf: Shelf, is_first: bool
) -> None:
    """QUERY_TIMEOUT: the same query would be as slow again."""
    if not is_first:
        await shelf.deals()
    made = []
    for _ in range(40):
        made.append(org.add("Opportunity", Name="x"))
        org.advance(minutes=1)
    org.advance(seconds=SETTLED)
    slow = 0

    def timeout(request: Request, reply: Reply) -> Reply:
        nonlocal slow
        is_too_much = (
            "LIMIT 2000" in (request.param("q") or "")
            if is_first
            else len(json.loads(reply.body)["records"]) > 12
        )
        if not is_too_much:
            return reply
        slow += 1
        return reply_json([{"message": "slow", "errorCode": "QUERY_TIMEOUT"}], 400)

    server.fail("queryAll", timeout, times=99)

    await shelf.deals()

    assert slow > 0
    assert made == sorted(shelf.versions["deals"])
    assert {1} == {len(versions) for versions in shelf.versions["deals"].values()}


async def test_a_query_that_is_always_too_slow_is_an_error(
    org: SalesforceState, server: SalesforceServer, shelf: Shelf
) -> None:
    """Halving has an end, and the cursor stays where it is."""
    deals(org, 3)
    await shelf.deals()
    kept = dict(shelf.cursors["deals"])
    org.advance(hours=1)
    slow = reply_json([{"message": "slow", "errorCode": "QUERY_TIMEOUT"}], 400)
    server.fail("queryAll", lambda _q, _r: slow, times=999)

    with pytest.raises(VendorError, match="QUERY_TIMEOUT"):
        await shelf.deals()

    assert kept == shelf.cursors["deals"]
    assert 20 > server.count("queryAll")


async def test_custom_fields_land_and_secrets_and_texts_do_not(
    org: SalesforceState, shelf: Shelf
) -> None:
    """Users carry signatures, tasks the text of logged mails, apps keep tokens in fields."""
    deal = org.add("Opportunity", Name="x", Loss_Reason__c="Price", Api_Token__c="canary")
    task = org.add("Task", Subject="mail", Description="canary: the whole mail")
    user = org.add("User", Name="Bob", Email="bob@example.com", SenderSignature="canary")
    org.advance(seconds=SETTLED)

    await shelf.sync("deals", "tasks", "users")

    assert "Price" == shelf.payload("deals", deal)["Loss_Reason__c"]
    assert "bob@example.com" == shelf.payload("users", user)["Email"]
    texts = [
        shelf.payload("deals", deal),
        shelf.payload("tasks", task),
        shelf.payload("users", user),
    ]
    assert "canary" not in str(texts)
    assert "BillingAddress" not in shelf.payload("deals", deal)


async def test_an_object_without_its_clock_is_read_whole(
    org: SalesforceState, shelf: Shelf
) -> None:
    """A field that a release or the user's rights lack would fail every query of it."""
    del org.schema["Product2"]["SystemModstamp"]
    product = org.add("Product2", Name="Desk")
    gone = org.add("Product2", Name="Lamp")
    await shelf.sync("products")
    del org.rows["Product2"][gone]

    outcome = (await shelf.sync("products"))["products"]

    assert outcome.error is None
    assert ["upsert"] == shelf.changes("products", product)
    assert "deleted" == shelf.changes("products", gone)[-1]


async def test_small_lists_are_compared_whole(org: SalesforceState, shelf: Shelf) -> None:
    """A stage that is gone is in no list any more."""
    stage = org.add("OpportunityStage", MasterLabel="Old", SortOrder=2)
    await shelf.sync("stages")
    del org.rows["OpportunityStage"][stage]

    await shelf.sync("stages")

    assert "deleted" == shelf.changes("stages", stage)[-1]


async def test_the_org_is_described(shelf: Shelf) -> None:
    """Labels and types are what a custom field is known by."""
    shelf.settings["streams"] = ["deals", "fields"]

    await shelf.sync("fields")

    names = [field["name"] for field in shelf.payload("fields", "Opportunity")["fields"]]
    assert "Loss_Reason__c" in names
    assert ["Opportunity"] == list(shelf.versions["fields"])

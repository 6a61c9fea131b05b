"""Zoho CRM: what is read deal by deal, and what is read whole."""

import json
from typing import Any

from connectors.base.errors import AccessDenied, BudgetSpent, PaginationLoop
from sandbox.exchange import Reply, Request, reply_json
from sandbox.zoho import ZohoServer, ZohoState
from sandbox.zoho.state import Entry, amount
from tests.connectors.zoho.shelf import Shelf


def stages(shelf: Shelf, deal: Entry) -> list[tuple[str, str]]:
    rows = [
        json.loads(versions[-1].payload or b"{}")
        for versions in shelf.versions["deal_stage_history"].values()
    ]
    mine = [row for row in rows if row["deal_id"] == deal.id]
    return sorted((row["Modified_Time"], row["Stage"]) for row in mine)


async def test_each_stay_of_a_deal_is_read(crm: ZohoState, shelf: Shelf) -> None:
    """The exact history: when each stage was entered, by whom."""
    deal = crm.has("Deals", Stage="Qualification", Amount=amount("10.50"))
    for stage in ("Needs Analysis", "Qualification", "Closed Won"):
        crm.advance(hours=1)
        crm.change(deal, Stage=stage)
    crm.advance(hours=1)

    await shelf.sync("deal_stage_history")

    assert [
        ("2026-10-15T08:00:00+02:00", "Qualification"),
        ("2026-10-15T09:00:00+02:00", "Needs Analysis"),
        ("2026-10-15T10:00:00+02:00", "Qualification"),
        ("2026-10-15T11:00:00+02:00", "Closed Won"),
    ] == stages(shelf, deal)
    first = next(iter(shelf.versions["deal_stage_history"].values()))[0]
    assert b'"Amount":10.50' in (first.payload or b"")


async def test_only_deals_that_moved_are_asked_for(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """A credit a deal: an edit of something else is not worth one."""
    deals = [crm.has("Deals", Stage="Qualification") for _ in range(30)]
    crm.advance(hours=1)
    await shelf.sync("deal_stage_history")
    crm.advance(hours=1)
    for deal in deals:
        crm.change(deal, Next_Step="call")
    crm.change(deals[3], Stage="Closed Won")
    young = crm.has("Deals", Stage="Qualification")
    crm.advance(hours=1)
    server.requests.clear()

    outcome = (await shelf.sync("deal_stage_history"))["deal_stage_history"]

    asked = [one.path.split("/")[4] for one in server.requests if "Stage_History" in one.path]
    assert [deals[3].id, young.id] == asked
    # The stay that ended, the one that began, and the new deal's.
    assert 3 == len(outcome.added)


async def test_where_no_field_tells_of_a_move_each_changed_deal_is_asked_for(
    crm: ZohoState, shelf: Shelf
) -> None:
    """Not every organisation has Stage_Modified_Time."""
    crm.hidden_fields = {("Deals", "Stage_Modified_Time")}
    deal = crm.has("Deals", Stage="Qualification")
    crm.advance(hours=1)
    await shelf.sync("deal_stage_history")
    crm.advance(hours=1)
    crm.change(deal, Stage="Closed Won")
    crm.advance(hours=1)

    await shelf.sync("deal_stage_history")

    assert ["Qualification", "Closed Won"] == [stage for _, stage in stages(shelf, deal)]


async def test_a_history_that_a_days_credits_do_not_pay_for_goes_on_the_next_day(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """Its share is its own: the other streams still run, and no deal is asked for twice."""
    shelf.settings = {"daily_credits": 200, "daily_reserve": 0, "history_share": 0.2}
    deals = [crm.has("Deals", Stage="Qualification") for _ in range(70)]
    crm.advance(hours=1)
    first = (await shelf.sync("deal_stage_history"))["deal_stage_history"]
    other = (await shelf.sync("users"))["users"]
    for bucket in shelf.state_dir.rglob("*.bucket"):
        bucket.unlink()  # a day passes

    second = (await shelf.sync("deal_stage_history"))["deal_stage_history"]

    assert isinstance(first.error, BudgetSpent)
    assert other.error is None
    assert second.error is None
    assert {deal.id for deal in deals} == {
        shelf.payload("deal_stage_history", one)["deal_id"]
        for one in shelf.versions["deal_stage_history"]
    }
    asked = [one.path for one in server.requests if "Stage_History" in one.path]
    # Those of the batch that the credits ended in are asked for again, no others.
    assert 70 + 10 >= len(asked)


async def test_a_long_history_is_read_whole(crm: ZohoState, shelf: Shelf) -> None:
    """More stays than a page shows."""
    deal = crm.has("Deals", Stage="Qualification")
    for number in range(420):
        crm.advance(minutes=1)
        crm.change(deal, Stage=f"stage {number}")
    crm.advance(hours=1)

    await shelf.sync("deal_stage_history")

    assert 421 == len(stages(shelf, deal))


async def test_a_deal_that_is_deleted_meanwhile_stops_nothing(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """Between the query and the question."""
    gone, kept = crm.has("Deals", Stage="A"), crm.has("Deals", Stage="A")
    crm.advance(hours=1)

    def delete(_request: Request, reply: Reply) -> Reply:
        crm.delete(gone)
        return reply

    server.fail("coql", delete)
    outcome = (await shelf.sync("deal_stage_history"))["deal_stage_history"]

    assert outcome.error is None
    assert 1 == len(stages(shelf, kept))


async def test_an_organisation_without_some_fields_of_the_history_gives_the_others(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """The stages and their times are what matters."""
    deal = crm.has("Deals", Stage="Qualification")
    crm.advance(hours=1)

    def picky(request: Request, reply: Reply) -> Reply:
        if "Moved_To__s" in (request.param("fields") or ""):
            details = {"param_name": "fields"}
            body = {"code": "INVALID_DATA", "details": details, "message": "n", "status": "error"}
            return reply_json(body, 400)
        return reply

    server.fail("Stage_History", picky, times=9)
    outcome = (await shelf.sync("deal_stage_history"))["deal_stage_history"]

    assert ["Qualification"] == [stage for _, stage in stages(shelf, deal)]
    assert ["amounts of past stages are not read" in outcome.notes[0]] == [True]


async def test_a_refused_history_fails_its_stream(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """Read as a deal without history it would flatten every funnel."""
    crm.has("Deals", Stage="A")
    crm.advance(hours=1)
    body = {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"}
    server.fail("Stage_History", lambda *_: reply_json(body, 403), times=9)

    outcome = (await shelf.sync("deal_stage_history"))["deal_stage_history"]

    assert isinstance(outcome.error, AccessDenied)


async def test_contacts_in_their_roles_are_one_record_a_deal(crm: ZohoState, shelf: Shelf) -> None:
    """So that a role that was taken away goes, too."""
    deal = crm.has("Deals")
    role: dict[str, Any] = {"id": "17", "Contact_Role": {"name": "Decision Maker", "id": "3"}}
    crm.roles_of_deal[deal.id] = [role]
    crm.advance(hours=1)
    await shelf.sync("deal_contact_roles")
    crm.roles_of_deal[deal.id] = []
    crm.change(deal)
    crm.advance(hours=1)
    await shelf.sync("deal_contact_roles")

    told = [
        json.loads(version.payload or b"{}")
        for version in shelf.versions["deal_contact_roles"][deal.id]
    ]
    assert [{"deal_id": deal.id, "roles": [role]}, {"deal_id": deal.id, "roles": []}] == told


async def test_emails_come_without_their_text(crm: ZohoState, shelf: Shelf) -> None:
    """Of deals on which something happened, all pages, nobody's words."""
    deal, quiet = crm.has("Deals", Last_Activity_Time=crm.text(crm.now)), crm.has("Deals")
    crm.emails[deal.id] = [
        {
            "message_id": f"m{number}",
            "subject": "Offer",
            "from": {"user_name": "Ann", "email": "ann@example.com"},
            "sent": True,
            "sent_time": crm.text(crm.now),
            "summary": "Dear Jo, the secret price is",
            "content": "body",
        }
        for number in range(23)
    ]
    crm.emails[quiet.id] = [{"message_id": "q"}]
    crm.advance(hours=1)

    await shelf.sync("emails")

    assert 23 == len(shelf.versions["emails"])
    row = shelf.payload("emails", f"{deal.id}:m0")
    assert {"message_id", "subject", "from", "sent", "sent_time", "deal_id"} == set(row)


async def test_emails_that_go_round_are_a_loop(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """The mark of the next page names the page itself."""
    crm.has("Deals", Last_Activity_Time=crm.text(crm.now))
    crm.advance(hours=1)
    info = {"more_records": True, "next_index": "7"}
    body = {"Emails": [{"message_id": "m"}], "info": info}
    server.fail("Emails", lambda *_: reply_json(body), times=9)

    outcome = (await shelf.sync("emails"))["emails"]

    assert isinstance(outcome.error, PaginationLoop)


async def test_users_land_without_what_is_private(crm: ZohoState, shelf: Shelf) -> None:
    """No birthday, no phone, no account number of Zoho's."""
    await shelf.sync("users")

    row = shelf.payload("users", crm.me["id"])
    assert not {"dob", "phone", "zuid"} & set(row)
    assert ("Ann Li", "ann@example.com", "active") == (
        row["full_name"],
        row["email"],
        row["status"],
    )


async def test_a_user_who_was_deleted_keeps_the_name(crm: ZohoState, shelf: Shelf) -> None:
    """Deals of years ago have an owner; 400 users take more than a page."""
    users = [crm.has_user(f"User {number}") for number in range(400)]
    users[7]["status"] = "deleted"
    await shelf.sync("users")
    users[9]["status"] = "deleted"

    await shelf.sync("users")

    assert ["archived"] == shelf.changes("users", users[7]["id"])
    assert ["upsert", "archived"] == shelf.changes("users", users[9]["id"])
    assert "User 9" == shelf.payload("users", users[9]["id"])["full_name"]
    assert 401 == len(shelf.versions["users"])


async def test_a_user_who_is_in_no_list_any_more_is_archived(crm: ZohoState, shelf: Shelf) -> None:
    """The vendor forgets, the deals of then do not."""
    gone = crm.has_user("Gone Away")
    await shelf.sync("users")
    crm.users.remove(gone)

    await shelf.sync("users")

    assert ["upsert", "archived"] == shelf.changes("users", gone["id"])


async def test_pipelines_come_with_their_stages_and_layout(crm: ZohoState, shelf: Shelf) -> None:
    """What a deal's stage means depends on its pipeline."""
    crm.has_pipeline("Renewals", [("Renewed", "Renewed", 100, "Closed Won")], is_default=False)
    await shelf.sync("pipelines")
    gone = crm.pipelines.pop()

    await shelf.sync("pipelines")

    row = shelf.payload("pipelines", crm.pipelines[0]["id"])
    assert {"id": crm.layout["id"], "name": "Standard"} == row["layout"]
    assert "Id. Decision Makers" == row["maps"][2]["actual_value"]
    assert ["upsert", "deleted"] == shelf.changes("pipelines", gone["id"])


async def test_currencies_keep_their_rate_as_text(crm: ZohoState, shelf: Shelf) -> None:
    """Nine decimals, as the vendor writes them; each change is a version."""
    crm.has_currency("EUR", "1.000000000", is_base=True)
    dollar = crm.has_currency("USD", "1.087000000")
    await shelf.sync("currencies")
    dollar["exchange_rate"] = "1.091000000"

    await shelf.sync("currencies")

    assert ["1.087000000", "1.091000000"] == [
        json.loads(version.payload or b"{}")["exchange_rate"]
        for version in shelf.versions["currencies"][dollar["id"]]
    ]


async def test_an_organisation_of_one_currency_is_no_fault(shelf: Shelf) -> None:
    """403 CURRENCIES_NOT_ENABLED is a setting and no missing right."""
    outcomes = await shelf.sync("currencies", "territories", "organization")

    assert [None] * 3 == [one.error for one in outcomes.values()]
    assert "CURRENCIES_NOT_ENABLED" in outcomes["currencies"].notes[0]
    organization = next(iter(shelf.versions["organization"]))
    assert "EUR" == shelf.payload("organization", organization)["iso_code"]
    assert "license_details" not in shelf.payload("organization", organization)


async def test_fields_are_one_record_each(crm: ZohoState, shelf: Shelf) -> None:
    """A label and a type for every column, and deletes of own fields are seen."""
    crm.own_fields["Deals"] = {"Region": "picklist"}
    await shelf.sync("fields")
    crm.own_fields.clear()

    await shelf.sync("fields")

    assert ["upsert", "deleted"] == shelf.changes("fields", "Deals:Region")
    assert "currency" == shelf.payload("fields", "Deals:Amount")["data_type"]


async def test_a_module_without_fields_to_see_fails_the_fields_loudly(
    crm: ZohoState, shelf: Shelf
) -> None:
    """The others are landed first."""
    crm.closed_modules = {"Contacts"}

    outcome = (await shelf.sync("fields"))["fields"]

    assert isinstance(outcome.error, AccessDenied)
    assert "Deals:Amount" in outcome.ids
    assert "Quotes:Grand_Total" in outcome.ids

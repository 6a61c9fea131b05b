"""Zoho CRM: sign-in, scopes, credits and garbled answers end as they should."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base.errors import (
    AccessDenied,
    BudgetSpent,
    OriginRefused,
    ProtocolError,
    VendorError,
)
from connectors.base.stream import ScopeReport
from connectors.base.transport import Origin
from connectors.zoho import CONNECTOR, ZohoSettings
from connectors.zoho.centres import checked_domain
from sandbox.exchange import Reply, Request, reply_html, reply_json
from sandbox.zoho import CLIENT, ZohoServer, ZohoState
from tests.connectors.zoho.shelf import Shelf

Answer = Callable[[Request, Reply], Reply]


async def check(shelf: Shelf) -> ScopeReport:
    async with CONNECTOR.open(shelf.configured(), shelf.resources()) as session:
        report = await CONNECTOR.check(session)
    assert isinstance(report, ScopeReport)
    return report


def refused(code: str, status: int, headers: dict[str, str] | None = None) -> Answer:
    body = {"code": code, "details": {}, "message": "no", "status": "error"}
    return lambda _request, _reply: reply_json(body, status, headers)


# Signing in.


async def test_all_readers_of_all_processes_share_one_token(
    server: ZohoServer, shelf: Shelf
) -> None:
    """Ten in ten minutes is all there is, and each run of each stream would take one."""

    async def another_process() -> None:
        await Shelf(server, shelf.state_dir).sync("contacts", "users")

    await asyncio.gather(*(another_process() for _ in range(5)), shelf.deals())
    await shelf.deals()

    assert 1 == server.tokens_given
    assert 0o600 == (shelf.state_dir / "token.json").stat().st_mode & 0o777


async def test_the_secrets_travel_in_the_body(server: ZohoServer, shelf: Shelf) -> None:
    """Addresses are logged by every proxy."""
    await shelf.deals()

    asked = next(one for one in server.requests if one.path == "/oauth/v2/token")
    assert "/oauth/v2/token" == asked.target
    assert {"grant_type", "client_id", "client_secret", "refresh_token"} == set(asked.form())


async def test_a_token_that_ends_under_way_is_replaced_once(
    server: ZohoServer, shelf: Shelf
) -> None:
    """H-11: All readers meet the 401 at once; one of them gets a new token."""
    await shelf.deals()
    server.end_tokens()
    async with CONNECTOR.open(shelf.configured(), shelf.resources()) as session:
        await asyncio.gather(*(session.get("org", "org") for _ in range(4)))

    assert 2 == server.tokens_given


async def test_an_old_token_is_replaced_before_use(server: ZohoServer, shelf: Shelf) -> None:
    """A token lives an hour; nobody waits for its refusal."""
    await shelf.deals()
    store = shelf.state_dir / "token.json"
    stored = json.loads(store.read_text())
    stored["obtained_at"] -= 3_000
    store.write_text(json.dumps(stored))

    await shelf.deals()

    assert 2 == server.tokens_given
    assert "401" not in str(server.requests)


async def test_our_own_count_keeps_to_ten_tokens_in_ten_minutes(
    server: ZohoServer, shelf: Shelf
) -> None:
    """The eleventh is refused, and with it the organisation's other programs."""
    store = shelf.state_dir / "token.json"
    for _ in range(8):
        await shelf.deals()
        stored = json.loads(store.read_text())
        stored["obtained_at"] -= 3_600
        store.write_text(json.dumps(stored))

    with pytest.raises(BudgetSpent, match="no access token for") as caught:
        await shelf.deals()

    assert 8 == server.tokens_given
    assert time.time() + 540 < caught.value.resets_at.timestamp() <= time.time() + 600


async def test_the_vendors_own_refusal_of_tokens_is_waited_out(
    server: ZohoServer, shelf: Shelf
) -> None:
    """Somebody else has the same refresh token; asking on makes it worse."""
    told = "You have made too many requests continuously. Please try again after some time."
    body = {"error": "Access Denied", "error_description": told}
    server.fail("token", lambda *_: reply_json(body, 400), times=9)

    with pytest.raises(BudgetSpent, match="too many requests"):
        await shelf.deals()

    assert 1 == server.count("token")


@pytest.mark.parametrize("wrong", ["client_id", "client_secret", "refresh_token"])
async def test_a_refusal_under_200_is_a_refusal(
    server: ZohoServer, shelf: Shelf, wrong: str
) -> None:
    """The accounts server answers 200 whatever is wrong, here a grant of another centre."""
    shelf.settings = {wrong: "1000.wrong"}

    with pytest.raises(AccessDenied, match="data centre is 'eu'") as caught:
        await shelf.deals()

    assert caught.value.whole_source
    assert 1 == server.count("token")


async def test_a_200_without_a_token_is_an_error(server: ZohoServer, shelf: Shelf) -> None:
    """An empty word must not become a header."""
    server.fail("token", lambda *_: reply_json({"status": "ok"}))

    with pytest.raises(VendorError, match="without a token"):
        await shelf.deals()


async def test_no_token_goes_to_a_stranger(server: ZohoServer, shelf: Shelf) -> None:
    """H-15: The token answer names the API's host: believed blindly it could name anybody."""
    server.api_domain = "https://www.zohoapis.eu.evil.example"

    with pytest.raises(OriginRefused, match="no host of the data centre"):
        await shelf.deals()

    assert not (shelf.state_dir / "token.json").exists()
    assert 0 == server.count("crm")


async def test_no_stored_address_leads_a_token_away(server: ZohoServer, shelf: Shelf) -> None:
    """The file is private, and still only data."""
    await shelf.deals()
    store = shelf.state_dir / "token.json"
    stored = json.loads(store.read_text())
    store.write_text(json.dumps({**stored, "api_domain": "https://evil.example"}))

    with pytest.raises(OriginRefused, match=r"evil\.example"):
        await shelf.deals()

    assert 1 == server.tokens_given


@pytest.mark.parametrize(
    ("centre", "told", "right"),
    [
        ("eu", "https://www.zohoapis.eu", True),
        ("eu", "https://zohoapis.eu", True),
        ("us", "https://www.zohoapis.com", True),
        ("us", "https://sandbox.zohoapis.com", True),
        ("in", "https://developer.zohoapis.in", True),
        ("au", "https://www.zohoapis.com.au", True),
        ("ca", "https://www.zohoapis.ca", True),
        ("eu", "https://www.zohoapis.com", False),
        ("eu", "http://www.zohoapis.eu", False),
        ("eu", "https://www.zohoapis.eu:8443", False),
        ("eu", "https://evil.zohoapis.eu", False),
        ("eu", "https://www.zohoapis.eu@evil.example", False),
        ("eu", "https://wwwzohoapis.eu", False),
        ("eu", "http://127.0.0.1:1", False),
    ],
)
def test_each_data_centre_has_its_hosts(centre: Any, told: str, right: bool) -> None:
    """A grant of one centre is worth nothing in another, and a token nowhere else."""
    accounts = Origin.of("https://accounts.zoho.eu")
    if right:
        assert told == checked_domain(told, centre, accounts)
    else:
        with pytest.raises(OriginRefused):
            checked_domain(told, centre, accounts)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"base_url": "https://accounts.zoho.eu.evil.example"}, "this machine alone"),
        ({"data_center": "mars"}, "data_center"),
        ({"streams": ["deal"]}, "unknown stream deal"),
        ({"exclude_fields": {"users": ["email"]}}, "unknown stream of records users"),
        ({"concurrency": 26}, "concurrency"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(given: dict[str, Any], message: str) -> None:
    """Before any call."""
    whole = {
        "data_center": "eu",
        "client_id": CLIENT,
        "client_secret": "s",
        "refresh_token": "r",
    }
    with pytest.raises(ValidationError, match=message):
        ZohoSettings.model_validate({**whole, **given})


# Rights.


async def test_a_missing_scope_fails_its_stream_alone_and_takes_no_token(
    server: ZohoServer, shelf: Shelf
) -> None:
    """Zoho says 401 to a missing scope; another token would have the same scopes."""
    server.scopes.remove("ZohoCRM.users.READ")

    outcomes = await shelf.sync("users", "deals")

    error = outcomes["users"].error
    assert isinstance(error, AccessDenied)
    assert "OAUTH_SCOPE_MISMATCH" in str(error)
    assert not error.whole_source
    assert outcomes["deals"].error is None
    assert (1, 1) == (server.tokens_given, server.count("users"))


async def test_a_refused_token_stops_the_source(server: ZohoServer, shelf: Shelf) -> None:
    """A second token is tried once, not for ever."""
    server.fail("org$", refused("INVALID_TOKEN", 401), times=99)

    outcome = (await shelf.sync("organization"))["organization"]

    assert isinstance(outcome.error, AccessDenied)
    assert outcome.error.whole_source
    assert (2, 2) == (server.tokens_given, server.count("org"))


@pytest.mark.parametrize("status", [400, 403])
async def test_a_module_that_may_not_be_read_fails_its_stream(
    server: ZohoServer, shelf: Shelf, status: int
) -> None:
    """Rows that vanish for lack of a right read as missing money."""
    server.fail("coql", refused("NO_PERMISSION", status), times=9)

    outcome = (await shelf.sync("deals"))["deals"]

    assert isinstance(outcome.error, AccessDenied)
    assert "profile" in str(outcome.error)
    assert 1 == server.count("coql")


async def test_a_hidden_module_fails_its_stream(crm: ZohoState, shelf: Shelf) -> None:
    """The settings tell that the profile hides it."""
    crm.not_viewable = {"Quotes"}
    crm.closed_modules = {"Invoices"}

    outcomes = await shelf.sync("quotes", "invoices", "deals")

    assert isinstance(outcomes["quotes"].error, AccessDenied)
    assert isinstance(outcomes["invoices"].error, AccessDenied)
    assert outcomes["deals"].error is None


async def test_a_module_that_the_plan_lacks_is_skipped_with_a_note(
    crm: ZohoState, shelf: Shelf
) -> None:
    """Not every plan has quotes and invoices; but deals have to be there."""
    crm.modules = [name for name in crm.modules if name not in {"Quotes", "Deals"}]

    outcomes = await shelf.sync("quotes", "deals", "accounts")

    assert ["skipped: this organisation has no module Quotes"] == outcomes["quotes"].notes
    assert outcomes["quotes"].error is None
    assert isinstance(outcomes["deals"].error, AccessDenied)
    assert outcomes["accounts"].error is None


async def test_a_module_that_was_read_before_is_no_plan_that_lacks_it(
    crm: ZohoState, shelf: Shelf
) -> None:
    """Its records would stand still without a word."""
    crm.advance(hours=1)
    await shelf.sync("quotes")
    crm.modules.remove("Quotes")

    outcome = (await shelf.sync("quotes"))["quotes"]

    assert isinstance(outcome.error, AccessDenied)


# Credits and calls at once.


async def test_spent_credits_end_the_run_politely(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """H-14: A 429 with no credits left is not worth waiting: they return over a day."""
    crm.has("Deals")
    crm.advance(hours=1)
    server.credits_used = server.credits

    outcome = (await shelf.sync("deals"))["deals"]

    assert isinstance(outcome.error, BudgetSpent)
    assert "API credits of the last 24 hours" in str(outcome.error)
    assert 1 == server.count("crm")


async def test_too_many_calls_at_once_are_tried_again(server: ZohoServer, shelf: Shelf) -> None:
    """H-01: The same 429 without the header means calls under way, and passes."""
    server.fail("coql", refused("TOO_MANY_REQUESTS", 429), times=2)

    outcome = await shelf.deals()

    assert outcome.error is None
    assert 3 == server.count("coql")


async def test_the_vendors_count_of_credits_is_believed(server: ZohoServer, shelf: Shelf) -> None:
    """Other programs spend them too; the header tells once half are gone."""
    server.credits_used = server.credits - 10_030

    first = (await shelf.sync("users"))["users"]
    outcomes = await shelf.sync(*["organization"] * 40, "roles")

    assert first.error is None
    assert isinstance(outcomes["organization"].error, BudgetSpent)
    assert server.credits - server.credits_used >= 9_999


async def test_our_own_count_of_credits_ends_the_run(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """Half of the credits are spent without a word of the vendor's."""
    shelf.settings = {"daily_credits": 100, "daily_reserve": 0.5}
    for _ in range(60):
        crm.has("Quotes")
    crm.advance(hours=1)

    outcome = (await shelf.sync("quotes"))["quotes"]

    assert isinstance(outcome.error, BudgetSpent)
    assert 50 >= server.credits_used


# Garbled answers.


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "in data"])
async def test_an_error_under_a_success_is_an_error(
    server: ZohoServer, shelf: Shelf, status: int, wrapped: bool
) -> None:
    """Read as "no more" it would hide everything."""
    body: Any = {"code": "INTERNAL", "details": {}, "message": "broken", "status": "error"}
    if wrapped:
        body = {"data": [body]}
    server.fail("coql", lambda *_: reply_json(body, status))

    with pytest.raises(VendorError, match="broken"):
        await shelf.deals()


async def test_a_missing_scope_under_a_success_is_a_missing_scope(
    server: ZohoServer, shelf: Shelf
) -> None:
    """The code decides, whatever the status says."""
    server.fail("coql", refused("OAUTH_SCOPE_MISMATCH", 200))

    with pytest.raises(AccessDenied):
        await shelf.deals()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply_html("<html>maintenance</html>"), ProtocolError),
        (Reply(200, b""), ProtocolError),
        (reply_json({}), ProtocolError),
        (reply_json({"info": {"more_records": False}}), ProtocolError),
        (reply_json({"data": None}), ProtocolError),
        (reply_json([]), ProtocolError),
        (reply_html("<html>gateway</html>", 502), VendorError),
    ],
    ids=["page", "empty", "nothing", "no rows", "null", "list", "gateway"],
)
async def test_nonsense_is_never_no_more_records(
    crm: ZohoState, server: ZohoServer, shelf: Shelf, answer: Reply, error: type[Exception]
) -> None:
    """H-07: A page of a proxy, half an answer: the cursor stays."""
    crm.has("Deals")
    crm.advance(hours=1)
    server.fail("coql", lambda *_: answer, times=99)

    outcome = (await shelf.sync("deals"))["deals"]

    assert isinstance(outcome.error, error)
    assert "deals" not in shelf.cursors


async def test_a_passing_fault_is_tried_again(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """H-02, H-06: INTERNAL_ERROR, a broken connection, half a body."""
    deal = crm.has("Deals")
    crm.advance(hours=1)
    server.fail("coql", refused("INTERNAL_ERROR", 500))
    server.fail("coql", lambda *_: Reply(drop=True))
    server.fail("coql", lambda _request, reply: Reply(200, reply.body, cut_after=20))

    outcome = await shelf.deals()

    assert [deal.id] == outcome.ids


async def test_an_empty_organisation_is_no_error(shelf: Shelf) -> None:
    """Nothing found is 204 without a body, and nothing new 304."""
    first = await shelf.sync("deals", "leads", "quotes", "deal_stage_history")
    second = await shelf.sync("deals", "leads", "quotes", "deal_stage_history")

    assert [None] * 4 == [one.error for one in first.values()]
    assert [None] * 4 == [one.error for one in second.values()]


async def test_no_secret_is_in_an_error_or_in_landing(
    server: ZohoServer, shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    """A vendor that quotes the token back must not make us keep it."""
    token = "1000.access-token-0001"
    body = {"code": "X", "details": {}, "message": f"no {token}", "status": "error"}
    server.fail("coql", lambda *_: reply_json(body, 400))

    outcome = (await shelf.sync("deals"))["deals"]

    assert token not in str(outcome.error)
    assert token not in caplog.text


# The doctor.


async def test_the_doctor_names_who_we_are_and_what_is_missing(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """Before a sync fails at night."""
    server.scopes.remove("ZohoCRM.coql.READ")
    server.scopes.append("ZohoCRM.modules.ALL")
    crm.own_modules = ["Projects"]
    crm.modules.remove("Cases")
    crm.hidden_fields = {("Invoices", "Grand_Total")}

    report = await check(shelf)

    assert "Kontor" in report.account
    assert ("ZohoCRM.coql.READ",) == report.missing["deals"]
    assert "users" not in report.missing
    assert ("ZohoCRM.modules.ALL",) == report.needless
    assert any("Projects" in note for note in report.notes)
    assert any("no Cases" in note for note in report.notes)


async def test_a_doctor_with_nothing_to_say_says_nothing(shelf: Shelf) -> None:
    """All scopes, all modules."""
    report = await check(shelf)

    assert {} == dict(report.missing)
    assert () == report.needless
    assert ("home currency EUR",) == report.notes


async def test_the_doctor_sees_hidden_money(crm: ZohoState, shelf: Shelf) -> None:
    """A profile may hide Amount without hiding Deals."""
    crm.hidden_fields = {("Deals", "Amount")}
    crm.not_viewable = {"Leads"}

    report = await check(shelf)

    assert "Amount" in report.missing["deals"][0]
    assert ("Leads: view",) == report.missing["leads"]

"""HubSpot: what it refuses, limits or garbles ends as it should, and nothing is lost."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base.errors import (
    AccessDenied,
    BudgetSpent,
    PaginationLoop,
    ProtocolError,
    VendorError,
)
from connectors.base.stream import Resources, ScopeReport
from connectors.hubspot import CONNECTOR, HubspotSettings
from sandbox.exchange import Reply, Request, reply_html, reply_json
from sandbox.hubspot import (
    ALL_SCOPES,
    STATIC_TOKEN,
    Grant,
    HubspotServer,
    HubspotState,
    Limits,
    OAuthApp,
)
from tests.connectors.hubspot.shelf import Shelf

DEALS = r"objects/2026-09/deals$"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses are HubSpot's own; here they would only make the tests slow."""
    for name in ("ROLLING", "SEARCH", "LOCKED"):
        monkeypatch.setattr(f"connectors.hubspot.opening.{name}_PAUSE_SECONDS", 0.01)


async def check(shelf: Shelf) -> ScopeReport:
    resources = Resources("hs", str(shelf.state_dir), lambda: shelf.server.state.now)
    async with CONNECTOR.open(shelf.configured(), resources) as session:
        report = await CONNECTOR.check(session)
    assert isinstance(report, ScopeReport)
    return report


async def test_a_missing_scope_fails_its_stream_by_name_and_the_others_go_on(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """Deals that vanish for lack of a right read as missing money."""
    contact = account.has("contacts", {})
    server.gate.tokens[STATIC_TOKEN] = Grant(ALL_SCOPES - {"crm.objects.deals.read"})
    shelf.settings["streams"] = ["deals", "contacts"]

    outcomes = await shelf.sync("deals", "contacts")

    error = outcomes["deals"].error
    assert isinstance(error, AccessDenied)
    assert not error.whole_source
    assert "crm.objects.deals.read" in str(error)
    assert [contact] == list(shelf.live("contacts"))


async def test_missing_scopes_are_named_wherever_the_refusal_has_them(
    server: HubspotServer, shelf: Shelf
) -> None:
    """The specification puts them into the context of the refusal itself, live answers deeper."""
    body = {"category": "MISSING_SCOPES", "context": {"missingScopes": ["crm.objects.deals.read"]}}
    server.fail(DEALS, lambda *_: reply_json(body, 403), times=9)

    error = (await shelf.sync("deals"))["deals"].error

    assert isinstance(error, AccessDenied)
    assert "Grant the app crm.objects.deals.read" in str(error)


async def test_without_the_right_to_definitions_the_named_properties_are_read(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """Custom fields are lost then, and the stream of definitions says so."""
    deal = account.has("deals", {"dealname": "Acme", "region__custom": "EMEA"})
    server.gate.tokens[STATIC_TOKEN] = Grant(ALL_SCOPES - {"crm.schemas.deals.read"})

    outcomes = await shelf.sync("deals", "properties")

    assert shelf.payload("deals", deal)["properties"]["dealname"] == "Acme"
    assert isinstance(outcomes["properties"].error, AccessDenied)
    assert "contacts:email" in shelf.live("properties")


@pytest.mark.parametrize(
    ("token", "status"), [("unknown-token-of-good-form", 401), ("not a token", 530)]
)
async def test_a_refused_credential_closes_the_whole_source(
    shelf: Shelf, token: str, status: int
) -> None:
    """H-11: Trying it on every stream would look like an attack and help nobody."""
    shelf.settings["token"] = token

    error = (await shelf.sync("deals"))["deals"].error

    assert isinstance(error, AccessDenied)
    assert (status, True) == (error.status, error.whole_source)
    assert token not in str(error)


async def test_check_names_the_account_and_its_missing_and_needless_scopes(
    server: HubspotServer, shelf: Shelf
) -> None:
    """Doctor is where an administrator learns what to grant and what to take away."""
    granted = (ALL_SCOPES - {"crm.objects.goals.read"}) | {"crm.objects.deals.write", "oauth"}
    server.gate.tokens[STATIC_TOKEN] = Grant(granted)

    report = await check(shelf)

    assert "147000001" in report.account
    assert {"goal_targets", "properties"} == set(report.missing)
    assert ("crm.objects.goals.read",) == report.missing["goal_targets"]
    assert ("crm.objects.deals.write",) == report.needless


async def test_check_tries_each_object_where_the_vendor_does_not_list_scopes(
    server: HubspotServer, shelf: Shelf
) -> None:
    """Service keys are tokens too, but HubSpot tells no scopes of theirs."""
    server.gate.tokens[STATIC_TOKEN] = Grant(ALL_SCOPES - {"crm.objects.leads.read"})
    server.fail("access-token-info", lambda *_: reply_json({"message": "no such token"}, 404))

    report = await check(shelf)

    assert {"leads": ("crm.objects.leads.read",)} == report.missing
    assert report.granted == ()


async def test_check_of_an_oauth_app_reads_its_scopes(server: HubspotServer, shelf: Shelf) -> None:
    """The other kind of credential is asked about at another address."""
    use_oauth(server, shelf, scopes=ALL_SCOPES - {"multi-currency-read"})

    report = await check(shelf)

    assert {"exchange_rates", "company_currency"} == set(report.missing)


def use_oauth(
    server: HubspotServer, shelf: Shelf, *, scopes: frozenset[str] = ALL_SCOPES
) -> OAuthApp:
    app = OAuthApp("app-1", "app-secret", {"refresh-0": scopes}, rotates=True)
    server.gate.apps["app-1"] = app
    shelf.settings |= {
        "client_id": "app-1",
        "client_secret": "app-secret",
        "refresh_token": "refresh-0",
    }
    return app


async def test_a_token_that_expires_midway_is_refreshed_once_and_nothing_is_lost(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """H-11: A backfill of hours crosses the half hour that a token lives."""
    use_oauth(server, shelf)
    made = [account.has("contacts", {}) for _ in range(350)]

    def expire(_: Request, reply: Reply) -> Reply:
        server.gate.expire_tokens()
        return reply

    server.fail("objects/2026-09/contacts$", expire, skip=1)

    outcome = (await shelf.sync("contacts"))["contacts"]

    assert outcome.error is None
    assert sorted(made) == sorted(shelf.live("contacts"))
    assert server.gate.refreshes == 2


async def test_the_newest_refresh_token_is_used_by_the_next_run(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """The first one is void as soon as it was used: a run that forgets is locked out."""
    use_oauth(server, shelf)
    account.has("contacts", {})
    await shelf.sync("contacts")
    server.gate.expire_tokens()

    outcome = (await shelf.sync("contacts"))["contacts"]

    assert outcome.error is None
    assert server.gate.refreshes == 2


async def test_a_refused_refresh_token_is_a_credentials_error(
    server: HubspotServer, shelf: Shelf
) -> None:
    """Two 401 in a row end the source instead of a loop of refreshes."""
    use_oauth(server, shelf)
    shelf.settings["refresh_token"] = "revoked"

    error = (await shelf.sync("contacts"))["contacts"].error

    assert isinstance(error, AccessDenied)
    assert error.whole_source


async def test_the_rolling_limit_is_obeyed_and_everything_arrives(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """H-01: 429 in the middle of a list is a pause, not an end."""
    made = [account.has("deals", {}) for _ in range(160)]
    full = {
        "status": "error",
        "message": "You have reached your ten_secondly_rolling limit.",
        "policyName": "TEN_SECONDLY_ROLLING",
        "category": "RATE_LIMITS",
    }
    fault = server.fail(DEALS, lambda *_: reply_json(full, 429), times=2, skip=1)

    outcome = (await shelf.sync("deals"))["deals"]

    assert outcome.error is None
    assert fault.met == 2
    assert sorted(made) == sorted(shelf.live("deals"))


@pytest.mark.parametrize(
    ("told", "policy"),
    [
        ({"Retry-After": "0"}, "SECONDLY"),
        ({"Retry-After": "-3"}, "TEN_SECONDLY_ROLLING"),
        ({}, "SECONDLY"),
    ],
    ids=["at once", "negative", "nothing"],
)
async def test_a_refused_search_is_asked_again(
    account: HubspotState,
    server: HubspotServer,
    shelf: Shelf,
    told: dict[str, str],
    policy: str,
) -> None:
    """H-01: search has a limit of its own, and its answers do not say how much is left."""
    deal = account.has("deals", {})
    await shelf.sync("deals")
    account.advance(hours=2)
    account.set_property("deals", deal, "amount", "7")
    account.advance(minutes=10)
    body = {"status": "error", "message": "secondly limit", "policyName": policy}
    busy = reply_json(body | {"category": "RATE_LIMITS"}, 429)
    busy.headers = told
    fault = server.fail("deals/search", lambda *_: busy, times=2)

    outcome = (await shelf.sync("deals"))["deals"]

    assert (None, 2) == (outcome.error, fault.met)
    assert "7" == shelf.payload("deals", deal)["properties"]["amount"]


async def test_an_absurd_wait_ends_the_run_and_the_next_goes_on(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """H-01: nobody sleeps a day inside a run, and the pages before it are kept."""
    made = [account.has("deals", {}) for _ in range(160)]
    later = Reply(429, b'{"policyName":"TEN_SECONDLY_ROLLING"}', headers={"Retry-After": "86400"})
    server.fail(DEALS, lambda *_: later, skip=1)
    first = (await shelf.sync("deals"))["deals"]
    landed_first = len(shelf.live("deals"))

    second = (await shelf.sync("deals"))["deals"]

    assert isinstance(first.error, BudgetSpent)
    assert 0 < landed_first < len(made)
    assert second.error is None
    assert sorted(made) == sorted(shelf.live("deals"))


async def test_the_daily_limit_ends_partial_and_the_next_run_goes_on(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """H-14: A large first load takes days under the limit; each must add to the last."""
    made = [account.has("deals", {}) for _ in range(260)]
    # The vendor's own other programs have used the rest: headers and limit disagree.
    server.gate.limits = Limits(per_ten_seconds=100_000, per_day=12, search_per_second=100_000)
    shelf.settings["daily_reserve"] = 0.0
    first = (await shelf.sync("deals"))["deals"]
    landed_first = len(shelf.live("deals"))
    server.gate.limits = Limits(per_ten_seconds=100_000, search_per_second=100_000)
    server.gate.new_day()

    second = (await shelf.sync("deals"))["deals"]

    assert isinstance(first.error, BudgetSpent)
    assert 0 < landed_first < len(made)
    assert second.error is None
    assert sorted(made) == sorted(shelf.live("deals"))


async def test_a_reserve_of_the_daily_calls_is_left_to_others(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """H-14: The sales team's other programs must not stop because the warehouse ate the day."""
    for _ in range(400):
        account.has("contacts", {})
    server.gate.limits.per_day = 20
    server.gate.used_today = 14
    shelf.settings["daily_reserve"] = 0.1

    outcome = (await shelf.sync("contacts"))["contacts"]

    assert isinstance(outcome.error, BudgetSpent)
    assert server.gate.used_today <= 18


async def test_a_move_to_another_data_centre_is_waited_for_in_a_later_run(
    server: HubspotServer, shelf: Shelf
) -> None:
    """477 may ask for a day."""
    moving = Reply(477, b'{"message":"migrating"}', headers={"Retry-After": "7200"})
    server.fail(DEALS, lambda *_: moving)

    error = (await shelf.sync("deals"))["deals"].error

    assert isinstance(error, BudgetSpent)
    assert error.status == 477


@pytest.mark.parametrize("status", [423, 429, 500, 502, 503, 504, 522])
async def test_a_passing_fault_is_tried_again(
    account: HubspotState, server: HubspotServer, shelf: Shelf, status: int
) -> None:
    """None of these means that there is no such deal."""
    deal = account.has("deals", {})
    fault = server.fail(DEALS, lambda *_: reply_json({"message": "later"}, status))

    outcome = (await shelf.sync("deals"))["deals"]

    assert outcome.error is None
    assert fault.met == 1
    assert [deal] == list(shelf.live("deals"))


Garbled = Callable[[Request, Reply], Reply]


@pytest.mark.parametrize(
    "garbled",
    [
        lambda _, reply: Reply(body=reply.body, cut_after=40),
        lambda _, reply: Reply(body=reply.body, cut_after=40, chunked=True),
        lambda _, reply: Reply(body=reply.body[:40]),
        lambda *_: Reply(drop=True),
    ],
    ids=["cut", "cut in a chunk", "cut with a matching length", "dropped"],
)
async def test_half_an_answer_is_never_landed_and_is_asked_for_again(
    account: HubspotState, server: HubspotServer, shelf: Shelf, garbled: Garbled
) -> None:
    """H-06: Half a page taken for a page is a hole that no later run looks into."""
    made = [account.has("deals", {}) for _ in range(60)]
    fault = server.fail(DEALS, garbled)

    outcome = (await shelf.sync("deals"))["deals"]

    assert outcome.error is None
    assert fault.met == 1
    assert sorted(made) == sorted(shelf.live("deals"))


@pytest.mark.parametrize(
    "garbled",
    [
        lambda *_: reply_html("<html><title>Sign in</title></html>"),
        lambda *_: Reply(body=b""),
        lambda *_: reply_json({}),
        lambda *_: reply_json({"error": "internal", "message": "try later"}),
        lambda *_: reply_json([]),
    ],
    ids=["login page", "empty", "{}", "error envelope", "list"],
)
async def test_a_200_that_is_no_page_fails_and_is_never_the_end(
    account: HubspotState, server: HubspotServer, shelf: Shelf, garbled: Garbled
) -> None:
    """H-07: Read as "no more records", it would end the load and later delete the rest."""
    for _ in range(120):
        account.has("deals", {})
    server.fail(DEALS, garbled, skip=1, times=100)

    outcome = (await shelf.sync("deals"))["deals"]

    assert isinstance(outcome.error, (ProtocolError, VendorError))
    assert shelf.cursors["deals"]["listing"]
    assert len(shelf.live("deals")) == 50


async def test_the_same_page_for_ever_is_a_loop(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """H-18: A cursor that repeats would fill the disk with requests and never with records."""
    for _ in range(120):
        account.has("deals", {})
    first: list[bytes] = []

    def same(_: Request, reply: Reply) -> Reply:
        first.append(reply.body)
        return Reply(body=first[0])

    server.fail(DEALS, same, times=1_000)

    error = (await shelf.sync("deals"))["deals"].error

    assert isinstance(error, PaginationLoop)
    assert len(first) <= 3


@pytest.mark.parametrize(
    "answer",
    [
        {"total": 5, "results": [], "paging": {"next": {"after": "200"}}},
        {"total": 5, "results": []},
    ],
    ids=["more but empty", "counted but not shown"],
)
async def test_an_empty_page_of_search_that_is_not_the_end_is_a_loop(
    account: HubspotState, server: HubspotServer, shelf: Shelf, answer: Any
) -> None:
    """H-18: Taken for the end, the cursor would pass over what was not shown."""
    account.has("deals", {})
    await shelf.sync("deals")
    before = shelf.cursors["deals"]["since"]
    account.advance(hours=5)
    server.fail("deals/search", lambda *_: reply_json(answer), times=100)

    outcome = (await shelf.sync("deals"))["deals"]

    assert isinstance(outcome.error, PaginationLoop)
    assert before == shelf.cursors["deals"]["since"]


async def test_a_search_that_ignores_its_filter_is_a_loop(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """H-18: It shows the oldest records again and again, each time with more to come."""
    deal = account.has("deals", {})
    await shelf.sync("deals")
    account.advance(hours=5)
    row = {"id": deal, "properties": {"hs_lastmodifieddate": "2020-01-01T00:00:00.000Z"}}
    page = {"total": 999, "results": [row], "paging": {"next": {"after": "200"}}}
    fault = server.fail("deals/search", lambda *_: reply_json(page), times=1_000)

    outcome = (await shelf.sync("deals"))["deals"]

    assert isinstance(outcome.error, PaginationLoop)
    assert fault.met < 5


async def test_a_batch_that_silently_lacks_records_is_refused(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """200 with fewer records than asked, and no word of the others."""
    deal = account.has("deals", {})
    await shelf.sync("deals")
    account.advance(hours=2)
    account.set_property("deals", deal, "amount", "1")
    account.advance(minutes=6)
    server.fail("deals/batch/read", lambda *_: reply_json({"status": "COMPLETE", "results": []}))

    outcome = (await shelf.sync("deals"))["deals"]

    assert isinstance(outcome.error, ProtocolError)


async def test_a_record_of_the_wrong_shape_is_set_aside_and_the_others_go_on(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """One poisoned record must cost itself, not the stream."""
    made = [account.has("products", {}) for _ in range(3)]

    def poison(_: Request, reply: Reply) -> Reply:
        reply.body = reply.body.replace(f'"id":"{made[1]}"'.encode(), b'"id":["?"]', 1)
        return reply

    server.fail("objects/2026-09/products$", poison)

    outcome = (await shelf.sync("products"))["products"]

    assert outcome.error is None
    assert [made[0], made[2]] == sorted(shelf.live("products"))
    assert len(shelf.rejected) == 1


async def test_a_next_link_to_another_host_is_not_followed(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """H-15: The link is never used, only the cursor beside it: the token stays at home."""
    made = [account.has("deals", {}) for _ in range(120)]
    with HubspotServer() as foreign:

        def lure(_: Request, reply: Reply) -> Reply:
            reply.body = reply.body.replace(server.url.encode(), foreign.url.encode())
            return reply

        server.fail(DEALS, lure, times=100)
        outcome = (await shelf.sync("deals"))["deals"]
        visited = len(foreign.requests)

    assert outcome.error is None
    assert visited == 0
    assert sorted(made) == sorted(shelf.live("deals"))


async def test_no_secret_is_in_what_is_landed_or_said(
    account: HubspotState, server: HubspotServer, shelf: Shelf
) -> None:
    """The vendor may echo a credential in a message; ours must not."""
    account.has("deals", {})
    echo = {"message": f"bad token {STATIC_TOKEN}", "category": "X"}
    server.fail("deals/search", lambda *_: reply_json(echo, 400))

    outcome = (await shelf.sync("deals"))["deals"]

    assert outcome.error is not None
    assert STATIC_TOKEN not in str(outcome.error)
    landed = [one.payload or b"" for past in shelf.versions["deals"].values() for one in past]
    assert not any(STATIC_TOKEN.encode() in payload for payload in landed)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "token"),
        ({"token": "x", "client_id": "y"}, "not both"),
        ({"client_id": "y"}, "refresh_token"),
        ({"token": "x", "streams": ["dealz"]}, "dealz"),
        ({"token": "x", "properties": {"deal": ["a"]}}, "deal"),
        ({"token": "x", "tokn": "y"}, "tokn"),
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, Any], named: str) -> None:
    """Before any request, and by the name of what is wrong."""
    with pytest.raises(ValidationError, match=named):
        HubspotSettings.model_validate(given)

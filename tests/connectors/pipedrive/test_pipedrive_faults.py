"""Pipedrive: waits, half answers, expired tokens, foreign hosts, circles and shifting pages."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.base.client import Response
from connectors.base.errors import (
    AccessDenied,
    BudgetSpent,
    OriginRefused,
    PaginationLoop,
    PipeledgerError,
    ProtocolError,
)
from connectors.pipedrive.opening import pause
from sandbox.exchange import Reply, Request, reply_json
from sandbox.pipedrive import API_TOKEN, PipedriveServer, PipedriveState
from tests.connectors.pipedrive.shelf import Shelf

PAST = "Wed, 14 Oct 2026 06:00:00 GMT"


async def failure(shelf: Shelf, stream: str) -> PipeledgerError | None:
    return (await shelf.sync(stream))[stream].error


def limited(headers: dict[str, str]) -> Reply:
    body = {"success": False, "error": "request over limit", "errorCode": 429}
    return reply_json(body, 429, headers)


# Waiting.


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "0"},
        {"retry-after": "-5"},
        {"retry-after": PAST},
        {"x-ratelimit-reset": "0"},
        {"x-ratelimit-reset": "-1"},
    ],
    ids=["seconds", "negative", "date", "reset", "negative_reset"],
)
async def test_a_short_wait_is_waited_and_the_request_repeated(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf, headers: dict[str, str]
) -> None:
    """H-01: in whatever words, a full burst window is no fault of the run."""
    deal = crm.add("deals")
    server.fail("/deals$", lambda _, __: limited(headers))

    await shelf.deals()

    assert [deal] == shelf.live("deals")
    assert 2 == server.count("/deals$")


@pytest.mark.parametrize(
    "headers",
    [{"retry-after": "86400"}, {"x-ratelimit-reset": "86400"}],
    ids=["retry_after", "reset"],
)
async def test_a_wait_of_a_day_ends_the_run_and_keeps_the_cursor(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf, headers: dict[str, str]
) -> None:
    """H-01: nobody waits until tomorrow inside a run, and nothing is read twice then."""
    for _ in range(150):
        crm.add("deals")
        crm.advance(seconds=1)
    server.fail("/deals$", lambda _, __: limited(headers), skip=1)

    error = await failure(shelf, "deals")
    landed = len(shelf.live("deals"))
    await shelf.deals()

    assert isinstance(error, BudgetSpent)
    assert 100 == landed
    assert 150 == len(shelf.live("deals"))


def test_a_wait_that_nobody_names_grows() -> None:
    """H-01: the burst window lasts two seconds; going on meanwhile gets the address blocked."""
    silent = Response(429, {}, b"", datetime(2026, 10, 15, tzinfo=UTC))

    assert [2.0, 4.0] == [pause(silent, attempt) for attempt in (1, 2)]


async def test_the_reserve_of_the_day_is_left_to_others(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf
) -> None:
    """H-14: the limit is the company's; the next day goes on where this one ended."""
    for _ in range(900):
        crm.add("deals")
        crm.advance(seconds=1)
    crm.tokens_per_day = 100
    shelf.settings["daily_reserve"] = 0.3

    error = await failure(shelf, "deals")
    landed = len(shelf.live("deals"))
    used, crm.tokens_used = crm.tokens_used, 0
    crm.tokens_per_day = 1_000_000
    shelf.state_dir /= "next_day"
    server.requests.clear()
    await shelf.deals()

    assert isinstance(error, BudgetSpent)
    assert 70 >= used
    assert 500 <= landed < 900
    assert 900 == len(shelf.live("deals"))
    assert "updated_since" in server.requests[0].query


# Answers that are none.


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_half_an_answer_is_asked_for_again_and_never_landed(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf, is_chunked: bool
) -> None:
    """H-06: with a length or without, half a page is not the last page."""
    deals = [crm.add("deals") for _ in range(5)]

    def halved(_: Request, reply: Reply) -> Reply:
        reply.cut_after, reply.chunked = len(reply.body) // 2, is_chunked
        return reply

    server.fail("/deals$", halved)

    outcome = await shelf.deals()

    assert deals == shelf.live("deals")
    assert 5 == len(outcome.added)
    assert [] == shelf.rejected


async def test_whole_json_cut_at_a_proxy_is_asked_for_again(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf
) -> None:
    """H-06: the length may be right and the document still half."""
    deal = crm.add("deals")

    def halved(_: Request, reply: Reply) -> Reply:
        return Reply(200, reply.body[: len(reply.body) // 2])

    server.fail("/deals$", halved)

    await shelf.deals()

    assert [deal] == shelf.live("deals")
    assert [] == shelf.rejected


NULL = {"success": True, "data": None}
REFUSED = {"success": False, "error": "odd", "data": None, "additional_data": None}
EMPTY = {"success": False, "error": "odd", "data": [], "additional_data": {}}


@pytest.mark.parametrize("body", [NULL, REFUSED, EMPTY], ids=["null", "refused", "empty"])
@pytest.mark.parametrize("stream", ["deals", "leads", "goals", "users", "stages", "deal_products"])
async def test_no_list_of_either_version_ends_in_a_200_without_data(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf, stream: str, body: dict[str, Any]
) -> None:
    """H-07: as an empty list it would end the walk, and a comparison would delete everything."""
    crm.add("deals", products_count=1)
    server.fail("/api/", lambda _, __: reply_json(body), times=99)

    assert isinstance(await failure(shelf, stream), ProtocolError)
    assert not any(page.complete_ids for page in (await shelf.sync(stream))[stream].pages)


@pytest.mark.parametrize("body", [NULL, REFUSED], ids=["null", "refused"])
@pytest.mark.parametrize("kind", ["persons", "leads"])
async def test_a_record_whose_answer_says_nothing_is_not_deleted(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf, kind: str, body: dict[str, Any]
) -> None:
    """H-07: only a 404 tells that a record is gone."""
    lost = str(crm.add("persons")) if kind == "persons" else crm.add_lead()
    crm.add("persons")
    crm.add_lead()
    await shelf.sync(kind)
    crm.leads.pop(lost, None)
    crm.rows["persons"].pop(int(lost) if lost.isdigit() else 0, None)
    crm.advance(days=8)
    server.fail(f"/{lost}$", lambda _, __: reply_json(body), times=9)

    error = await failure(shelf, kind)

    assert isinstance(error, ProtocolError)
    assert ["upsert"] == shelf.changes(kind, lost)


async def test_an_empty_v1_page_is_null_and_an_end(shelf: Shelf) -> None:
    """The counterpart: v1 says null for an empty list, beside its paging."""
    assert await failure(shelf, "leads") is None


# Credentials.


async def test_a_token_that_expires_between_pages_is_renewed_once(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf
) -> None:
    """H-11: a first load takes longer than the hour that an access token lives."""
    deals = [crm.add("deals") for _ in range(250)]
    shelf.settings = {
        "api_token": None,
        "client_id": "app",
        "client_secret": "app-secret",
        "refresh_token": server.refresh_token,
        "token_url": f"{server.url}/oauth/token",
    }

    def expire(_: Request, reply: Reply) -> Reply:
        server.access_tokens.clear()
        return reply

    server.fail("/deals$", expire)

    await shelf.deals()

    assert deals == shelf.live("deals")
    assert 2 == server.count("/oauth/token")
    assert 4 == server.count("/deals$")


async def test_a_token_that_is_refused_anew_stops_the_source(
    server: PipedriveServer, shelf: Shelf
) -> None:
    """H-11: asking on with a dead token gets the address blocked."""
    shelf.settings = {"api_token": "f" * 40}

    error = await failure(shelf, "deals")

    assert isinstance(error, AccessDenied)
    assert error.whole_source
    assert 1 == len(server.requests)
    assert "f" * 40 not in str(error)


async def test_a_redirect_to_another_host_gets_no_token(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf
) -> None:
    """H-15: a company that was renamed or a hijacked name must not collect tokens."""
    crm.add("deals")
    with PipedriveServer() as foreign:
        place = {"location": f"{foreign.url}/api/v2/deals"}
        server.fail("/deals$", lambda _, __: Reply(302, headers=place), times=9)

        error = await failure(shelf, "deals")

        assert isinstance(error, OriginRefused)
        assert [] == list(foreign.requests)


async def test_an_address_as_cursor_stays_a_parameter(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf
) -> None:
    """H-15: whatever the vendor hands out as the next page, it is asked of the vendor."""
    crm.add("deals")
    with PipedriveServer() as foreign:

        def elsewhere(request: Request, _: Reply) -> Reply:
            following = None if request.param("cursor") else f"{foreign.url}/api/v2/deals"
            more = {"next_cursor": following}
            return reply_json({"success": True, "data": [{"id": 1}], "additional_data": more})

        server.fail("/deals$", elsewhere, times=2)

        await shelf.deals()

        assert [] == list(foreign.requests)
    assert all(one.headers["x-api-token"] == API_TOKEN for one in server.requests)
    assert all(API_TOKEN not in one.target for one in server.requests)


# Circles.


@pytest.mark.parametrize("stream", ["deals", "products", "deal_fields"])
async def test_a_page_that_comes_again_is_a_circle(
    server: PipedriveServer, shelf: Shelf, stream: str
) -> None:
    """H-18: with a cursor that repeats, or a new one before the same rows."""
    body = {"success": True, "data": [{"id": 1, "field_code": "a"}]}
    tokens = iter(range(1_000))
    name = stream.replace("deal_fields", "dealFields")

    def again(_: Request, __: Reply) -> Reply:
        following = "same" if stream == "deals" else str(next(tokens))
        return reply_json({**body, "additional_data": {"next_cursor": following}})

    server.fail(f"/{name}$", again, times=1_000)

    error = await failure(shelf, stream.replace("deal_fields", "fields"))

    assert isinstance(error, PaginationLoop)
    assert 3 >= server.count(f"/{name}$")


@pytest.mark.parametrize("rows", [[], [{"id": 3, "update_time": "2026-10-14T08:00:00.000Z"}]])
@pytest.mark.parametrize("stream", ["leads", "mail_threads"])
async def test_an_offset_that_promises_more_for_ever_is_a_circle(
    server: PipedriveServer, shelf: Shelf, stream: str, rows: list[Any]
) -> None:
    """H-18: the same rows at every offset, or none at all."""

    def more(request: Request, _: Reply) -> Reply:
        start = int(request.param("start") or 0)
        place = {"start": start, "limit": 100, "more_items_in_collection": True,
                 "next_start": start + 100}  # fmt: skip
        body = {"success": True, "data": rows or None, "additional_data": {"pagination": place}}
        return reply_json(body)

    server.fail("/leads$|/mailThreads$", more, times=1_000)

    error = await failure(shelf, stream)

    assert isinstance(error, PaginationLoop)
    assert 15 >= server.count("/leads$|/mailThreads$")


# Data under way.


@pytest.mark.parametrize("after", [1, 150])
async def test_a_lead_that_slips_to_an_earlier_page_is_landed(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf, after: int
) -> None:
    """D-01: in a second that fills pages v1 has only offsets, and an edit shifts them."""
    leads = sorted(crm.add_lead() for _ in range(250))
    crm.advance(minutes=30)
    later = [crm.add_lead() for _ in range(after)]

    def edit(_: Request, reply: Reply) -> Reply:
        crm.leads[leads[0]]["update_time"] = crm.leads[later[0]]["update_time"]
        return reply

    server.fail("/leads$", edit, skip=1)

    await shelf.sync("leads")

    assert {*leads, *later} == set(shelf.versions["leads"])


async def test_a_deal_that_is_edited_under_way_shifts_no_other(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf
) -> None:
    """D-01, D-02: it moves to the end of the walk, and its newest state is the one that counts."""
    deals = [crm.add("deals") for _ in range(250)]
    crm.advance(seconds=5)

    def edit(_: Request, reply: Reply) -> Reply:
        crm.change("deals", deals[3], value=7.5)
        crm.rows["deals"].pop(deals[4])
        return reply

    server.fail("/deals$", edit)

    await shelf.deals()

    assert deals == shelf.live("deals")
    assert 7.5 == shelf.payload("deals", str(deals[3]))["value"]


@pytest.mark.parametrize("stream", ["deals", "persons", "leads", "deal_changelog"])
async def test_every_version_bears_the_vendors_own_clock(
    crm: PipedriveState, shelf: Shelf, stream: str
) -> None:
    """D-05: by it the landing tells a version that arrives late from a newer one."""
    crm.add("persons")
    crm.add_lead()
    crm.change("deals", crm.add("deals"), stage_id=2)
    stamped = crm.now
    crm.advance(hours=3)

    added = (await shelf.sync(stream))[stream].added

    assert [stamped] == [one.source_updated_at for one in added]


async def test_a_comparison_hands_over_every_id_for_the_guard(
    crm: PipedriveState, shelf: Shelf
) -> None:
    """D-07: a mass vanish is refused by the landing, which has to see it whole."""
    people = [crm.add("persons") for _ in range(20)]
    await shelf.sync("persons")
    for person in people[:15]:
        del crm.rows["persons"][person]
    crm.advance(days=8)

    pages = (await shelf.sync("persons"))["persons"].pages

    told = [page.complete_ids for page in pages if page.complete_ids is not None]
    assert [sorted(map(str, people[15:]))] == [sorted(one) for one in told]
    assert not [one for page in pages for one in page.records if one.change == "deleted"]
    json.dumps(shelf.cursors)

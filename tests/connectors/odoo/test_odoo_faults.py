"""Odoo: limits, half answers, foreign addresses and circles on the way."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.base.errors import (
    AccessDenied,
    BudgetSpent,
    OriginRefused,
    PaginationLoop,
    ProtocolError,
    SourceError,
    VendorError,
)
from connectors.odoo import CONNECTOR, OdooSettings
from connectors.odoo.opening import budgets
from sandbox.exchange import Reply, Request, reply_html, reply_json
from sandbox.odoo import OdooServer, OdooState
from tests.connectors.odoo.shelf import Shelf

Answer = Callable[[Request, Reply], Reply]


def asks_for(request: Request, method: str, model: str = "crm.lead") -> bool:
    """Whether a request calls the method, in either dialect."""
    if request.path.startswith("/json/2/"):
        return request.path == f"/json/2/{model}/{method}"
    args: list[object] = request.json()["params"]["args"]
    return [model, method] == args[3:5]


def on(method: str, answer: Answer, *, skip: int = 0, times: int = 999) -> Answer:
    """A fault of one method of the deals, after so many good answers."""
    seen = 0

    def struck(request: Request, reply: Reply) -> Reply:
        nonlocal seen
        if not asks_for(request, method):
            return reply
        seen += 1
        return answer(request, reply) if skip < seen <= skip + times else reply

    return struck


def result(request: Request, value: object) -> Reply:
    """A result in the dialect of the request."""
    is_json_2 = request.path.startswith("/json/2/")
    return reply_json(value if is_json_2 else {"jsonrpc": "2.0", "id": 1, "result": value})


def fill(crm: OdooState, count: int = 250) -> list[int]:
    return [crm.add("crm.lead", type="opportunity") for _ in range(count)]


# H-01, H-14: limits.


@pytest.mark.parametrize("told", ["0", "-5", None], ids=["at once", "negative", "nothing"])
async def test_a_throttled_call_is_repeated(
    crm: OdooState, server: OdooServer, shelf: Shelf, told: str | None
) -> None:
    """H-01: the proxy of Odoo Online answers 429 with a page; nothing is missed for it."""
    fill(crm)
    headers = {} if told is None else {"Retry-After": told}
    page = Reply(429, b"<html>slow down", "text/html", headers)
    server.fail("json", on("search_read", lambda _q, _r: page, skip=1, times=1), times=999)

    await shelf.deals()

    assert crm.ids("crm.lead") == shelf.live("deals")


async def test_a_day_of_waiting_ends_the_run_and_the_next_goes_on_from_its_page(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """H-14: there is no quota to count, so the refusal itself is what stops us."""
    deals = fill(crm)
    late = Reply(429, b"", "text/html", {"Retry-After": "86400"})
    fault = server.fail("json", on("search_read", lambda _q, _r: late, skip=1), times=999)

    with pytest.raises(BudgetSpent):
        await shelf.deals()
    fault.times = 0
    first = shelf.live("deals")
    outcome = await shelf.deals()

    assert deals[:100] == first
    assert str(deals[100]) == outcome.ids[0]
    assert deals == shelf.live("deals")


def test_odoo_online_is_asked_once_a_second_and_never_side_by_side() -> None:
    """H-14: its terms ask for that; an own server is not slowed down."""
    place = {"database": "d", "username": "u", "api_key": "k"}

    online = budgets(OdooSettings.model_validate({"base_url": "https://x.odoo.com", **place}))[0]
    own = budgets(OdooSettings.model_validate({"base_url": "https://odoo.x.com", **place}))[0]

    assert 1 == online.concurrency
    assert [(1, timedelta(seconds=1))] == [(one.amount, one.per) for one in online.limits]
    assert (2, ()) == (own.concurrency, own.limits)


# H-06, H-07: answers that are none.


@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "without length"])
async def test_half_an_answer_is_asked_for_again_and_never_landed(
    crm: OdooState, server: OdooServer, shelf: Shelf, chunked: bool
) -> None:
    """H-06: a worker that is killed at its time limit leaves half a list."""
    deals = fill(crm)

    def cut(_request: Request, reply: Reply) -> Reply:
        reply.cut_after, reply.chunked = len(reply.body) // 2, chunked
        return reply

    fault = server.fail("json", on("search_read", cut, skip=1, times=1), times=999)
    await shelf.deals()
    fault.times = 0
    assert deals == shelf.live("deals")
    crm.advance(hours=1)
    crm.write("crm.lead", deals[0], name="b")
    kept = dict(shelf.cursors["deals"])
    server.fail("json", on("search_read", cut), times=999)

    with pytest.raises(SourceError):
        await shelf.deals()

    assert kept == shelf.cursors["deals"]


@pytest.mark.parametrize(
    "answer",
    [
        reply_html("<html>Sign in</html>"),
        Reply(200, b""),
        reply_json({}),
        reply_json({"jsonrpc": "2.0", "id": 1}),
        reply_json({"jsonrpc": "2.0", "id": 1, "result": None}),
        reply_json({"jsonrpc": "2.0", "id": 1, "result": False}),
        reply_json({"jsonrpc": "2.0", "id": 1, "result": {"length": 0, "records": []}}),
        reply_json({"name": "builtins.MemoryError", "message": "out of memory"}),
        reply_json({"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "Odoo"}}),
        reply_json([1, 2, 3]),
    ],
    ids=["html", "empty", "{}", "no result", "null", "false", "wrapped", "exception", "error",
         "ids"],
)  # fmt: skip
async def test_nonsense_under_a_200_is_never_the_end_of_the_records(
    crm: OdooState, server: OdooServer, shelf: Shelf, answer: Reply
) -> None:
    """H-07: an empty list is an end, and nothing else is."""
    fill(crm)
    server.fail("json", on("search_read", lambda _q, _r: answer, skip=1), times=999)

    with pytest.raises((ProtocolError, VendorError)):
        await shelf.deals()

    assert "since" not in shelf.cursors["deals"]


async def test_a_proxys_page_of_404_is_no_absent_app(server: OdooServer, shelf: Shelf) -> None:
    """H-07: a skipped stream is a promise that there is nothing to read."""

    def lost(request: Request, reply: Reply) -> Reply:
        is_ours = asks_for(request, "fields_get", "project.task")
        return reply_html("<html>Not Found</html>", 404) if is_ours else reply

    server.fail("/json/2/|jsonrpc", _after_sign_in(lost), times=999)

    outcome = (await shelf.sync("project_tasks"))["project_tasks"]

    assert isinstance(outcome.error, VendorError)
    assert "check `base_url`" in str(outcome.error)


async def test_a_fault_inside_an_app_is_no_absent_app(server: OdooServer, shelf: Shelf) -> None:
    """A KeyError of any code that runs there looks alike, but names another thing."""

    def broken(request: Request, reply: Reply) -> Reply:
        if not asks_for(request, "fields_get", "project.task"):
            return reply
        data = {"name": "builtins.KeyError", "message": "'uom'"}
        if request.path.startswith("/json/2/"):
            return reply_json(data, 500)
        return reply_json({"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "data": data}})

    server.fail("/json/2/|jsonrpc", _after_sign_in(broken), times=999)

    outcome = (await shelf.sync("project_tasks"))["project_tasks"]

    assert isinstance(outcome.error, VendorError)
    assert "uom" in str(outcome.error)


def _after_sign_in(answer: Answer) -> Answer:
    """Leave the calls alone that are about no model."""

    def struck(request: Request, reply: Reply) -> Reply:
        is_model = "/json/2/" in request.path or request.json()["params"]["service"] == "object"
        return answer(request, reply) if is_model else reply

    return struck


# H-11, H-15, H-18: keys, addresses, circles.


async def test_a_key_that_expires_under_way_stops_the_source_and_keeps_its_page(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """H-11: a key cannot be renewed by itself; asking on could lock the user out."""
    deals = fill(crm)

    def expire(_request: Request, reply: Reply) -> Reply:
        crm.api_key = "the next one"
        return reply

    server.fail("json", on("search_read", expire, times=1), times=999)

    with pytest.raises(AccessDenied, match="three months") as caught:
        await shelf.deals()
    asked = len(server.requests)
    shelf.settings = {"api_key": "the next one"}
    outcome = await shelf.deals()

    assert caught.value.whole_source
    assert 8 >= asked
    assert "the next one" not in str(caught.value)
    assert str(deals[100]) == outcome.ids[0]
    assert deals == shelf.live("deals")


async def test_the_plain_words_of_an_early_19_are_a_refused_key_too(
    server: OdooServer, shelf: Shelf
) -> None:
    """H-11: it answers a bare JSON string in place of the envelope."""
    bare = reply_json("Invalid apikey", 401)
    server.fail("json", lambda _q, _r: bare, times=999)

    with pytest.raises(AccessDenied) as caught:
        await shelf.deals()

    assert caught.value.whole_source


@pytest.mark.parametrize("status", [302, 307, 308])
async def test_a_redirect_to_another_host_gets_no_key(
    crm: OdooState, server: OdooServer, shelf: Shelf, status: int
) -> None:
    """H-15: JSON-RPC carries the key in the body, which a 307 would send along."""
    fill(crm, 3)
    with OdooServer(OdooState(), major=server.major) as foreign:
        place = {"Location": f"{foreign.url}/jsonrpc"}
        away = Reply(status, headers=place)
        server.fail("json", on("search_read", lambda _q, _r: away), times=999)

        with pytest.raises((OriginRefused, ProtocolError)):
            await shelf.deals()

        assert 0 == len(foreign.requests)


@pytest.mark.parametrize("method", ["search_read", "search"])
async def test_a_server_that_ignores_our_conditions_is_a_loop(
    crm: OdooState, server: OdooServer, shelf: Shelf, method: str
) -> None:
    """H-18: the same page for ever must not fill the disk, nor a comparison the memory."""
    fill(crm)
    await shelf.deals()
    crm.advance(hours=25)
    for deal in crm.ids("crm.lead"):
        crm.write("crm.lead", deal, name="b")
    pages: list[Reply] = []

    def first_page(_request: Request, reply: Reply) -> Reply:
        pages.append(pages[0] if pages else reply)
        return pages[0]

    server.fail("json", on(method, first_page), times=999)

    with pytest.raises(PaginationLoop):
        await shelf.deals()

    assert 2 == len(pages)


async def test_a_thinned_search_that_shows_what_no_page_has_is_a_loop(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """H-18: a page that stays empty where a search finds records must end."""
    values = {"model": "crm.lead"}
    for _ in range(3):
        crm.add("mail.message", values=values)

    def nothing(request: Request, reply: Reply) -> Reply:
        is_page = asks_for(request, "search_read", "mail.message")
        return result(request, []) if is_page else reply

    server.fail("/json/2/|jsonrpc", _after_sign_in(nothing), times=999)

    outcome = (await shelf.sync("messages"))["messages"]

    assert isinstance(outcome.error, PaginationLoop)


# D-07: what seems gone.


async def test_an_empty_listing_tombstones_nothing_that_is_still_there(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """D-07: each missing record is asked for by its id, and answers."""
    deals = fill(crm)
    await shelf.deals()
    crm.advance(hours=25)
    server.fail("json", on("search", lambda request, _r: result(request, []), times=1), times=999)

    outcome = await shelf.deals()

    assert deals == shelf.live("deals")
    assert [] == outcome.ids


async def test_deletes_of_a_third_are_handed_to_the_guard_whole(
    crm: OdooState, shelf: Shelf
) -> None:
    """D-07: the runner compares the ids and refuses; no page may delete beside it."""
    deals = fill(crm, 90)
    await shelf.deals()
    crm.advance(hours=25)
    for deal in deals[:30]:
        crm.unlink("crm.lead", deal)

    outcome = await shelf.deals()

    told = [record for page in outcome.pages for record in page.records if not record.payload]
    assert [] == told
    ids = [page.complete_ids for page in outcome.pages if page.complete_ids is not None]
    assert [[str(one) for one in deals[30:]]] == ids


async def test_a_right_that_went_is_not_told_record_by_record(crm: OdooState, shelf: Shelf) -> None:
    """D-07: a changed record rule must not empty the pipeline; the guard has to see it."""
    deals = fill(crm, 90)
    await shelf.deals()
    crm.advance(hours=25)
    crm.closed |= {("crm.lead", one) for one in deals[:30]}

    outcome = await shelf.deals()

    assert ["30 of 90 records are closed to this user now"] == outcome.notes
    ids = [page.complete_ids for page in outcome.pages if page.complete_ids is not None]
    assert [[str(one) for one in deals[30:]]] == ids
    assert "access_lost" not in {past[-1].change for past in shelf.versions["deals"].values()}


# Who we are.


async def test_a_login_that_nobody_has_is_refused_and_not_read_by_one_company(
    shelf: Shelf,
) -> None:
    """JSON-2 knows us by the key alone: a misspelt login would hide all other companies."""
    shelf.settings = {"username": "nobody@example.com"}

    with pytest.raises(AccessDenied, match="username") as caught:
        await shelf.deals()

    assert caught.value.whole_source


async def test_a_wrong_database_is_said_at_once(server: OdooServer, shelf: Shelf) -> None:
    """Its OperationalError reads like a fault that passes."""
    shelf.settings = {"database": "other"}

    with pytest.raises(AccessDenied):
        await shelf.deals()

    assert 3 >= len(server.requests)


async def test_no_key_is_in_any_address_note_or_record(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """Addresses end up in the logs of proxies."""
    fill(crm, 3)

    async with CONNECTOR.open(shelf.configured(), shelf.resources()) as session:
        report = await CONNECTOR.check(session)
    await shelf.sync("deals", "users", "fields")

    landed = json.dumps([str(past[-1].payload) for one in shelf.versions.values()
                         for past in one.values()])  # fmt: skip
    assert crm.api_key not in f"{report} {landed}"
    assert all(crm.api_key not in one.target for one in server.requests)

"""Vtiger: sign-in, sessions, limits and garbled answers end as they should."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base.errors import (
    AccessDenied,
    BudgetSpent,
    OriginRefused,
    PaginationLoop,
    ProtocolError,
    VendorError,
)
from connectors.base.stream import ScopeReport
from connectors.vtiger import CONNECTOR, VtigerSettings
from sandbox.exchange import Reply, Request, reply_html, reply_json
from sandbox.vtiger import ACCESS_KEY, ADMIN, Login, VtigerServer, VtigerState
from tests.connectors.vtiger.shelf import Shelf


async def check(shelf: Shelf) -> ScopeReport:
    async with CONNECTOR.open(shelf.configured(), shelf.resources()) as session:
        report = await CONNECTOR.check(session)
    assert isinstance(report, ScopeReport)
    return report


def refused(code: str, message: str = "no") -> Callable[[Request, Reply], Reply]:
    body = {"success": False, "error": {"code": code, "message": message}}
    return lambda _request, _reply: reply_json(body)


# Signing in.


async def test_all_readers_of_all_processes_share_one_session(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """A challenge voids the one before: sign-ins side by side would fail each other."""
    crm.has("Potentials")

    async def another_process() -> None:
        await Shelf(server, shelf.state_dir).sync("contacts", "companies")

    await asyncio.gather(*(another_process() for _ in range(5)), shelf.deals())
    await shelf.deals()

    assert 1 == server.logins
    assert 0o600 == (shelf.state_dir / "session.json").stat().st_mode & 0o777


@pytest.mark.parametrize(
    "code",
    ["INVALID_SESSIONID", "SESSION_EXPIRED", "SESSION_LEFT_IDLE", "AUTHENTICATION_REQUIRED"],
)
async def test_a_session_that_ends_under_way_is_replaced_once(
    crm: VtigerState, server: VtigerServer, shelf: Shelf, code: str
) -> None:
    """H-11: half an hour of a slow backfill is longer than a session's life."""
    for _ in range(250):
        crm.has("Potentials")
        crm.advance(seconds=1)

    def over(_request: Request, _reply: Reply) -> Reply:
        server.end_sessions()
        return refused(code)(_request, _reply)

    server.fail("webservice", over, skip=5)

    await shelf.deals()

    assert crm.ids("Potentials") == shelf.live("deals")
    assert 2 == server.logins


async def test_a_new_session_that_is_unknown_too_fails_the_source(
    server: VtigerServer, shelf: Shelf
) -> None:
    """Web servers without shared sessions; asking on could lock the user out."""
    server.fail("webservice", refused("INVALID_SESSIONID"), skip=2, times=99)

    outcome = (await shelf.sync("deals"))["deals"]

    assert isinstance(outcome.error, AccessDenied)
    assert "INVALID_SESSIONID" in str(outcome.error)
    assert 2 >= server.logins


async def test_a_stranger_who_voids_our_challenge_costs_a_second_try(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """Another program may sign in as the same user between our two calls."""
    deal = crm.has("Potentials")

    def stranger(_request: Request, reply: Reply) -> Reply:
        server._challenge(ADMIN)
        return reply

    server.fail("webservice", stranger, times=2)

    await shelf.deals()

    assert [deal] == shelf.live("deals")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"access_key": "wrong-key"}, "Copy the Access Key"),
        ({"username": "nobody"}, "no such user"),
    ],
)
async def test_a_wrong_credential_is_tried_a_few_times_and_said_plainly(
    server: VtigerServer, shelf: Shelf, change: dict[str, str], said: str
) -> None:
    """A stranger's sign-in looks the same; the key itself is never shown."""
    shelf.settings = change

    with pytest.raises(AccessDenied, match=said) as caught:
        await shelf.deals()

    assert caught.value.whole_source
    assert 6 >= server.count("webservice")
    assert "wrong-key" not in str(caught.value)


async def test_the_access_key_never_travels(server: VtigerServer, shelf: Shelf) -> None:
    """Only its hash with the challenge does, and that in the body."""
    await shelf.deals()

    sent = "".join(f"{one.target} {one.body!r} {one.headers}" for one in server.requests)
    assert ACCESS_KEY not in sent


# Modules and rights.


async def test_a_module_that_is_not_installed_is_skipped_with_a_note(
    crm: VtigerState, shelf: Shelf
) -> None:
    """Half of all installations switch modules off."""
    crm.modules.remove("Services")

    outcome = (await shelf.sync("services"))["services"]

    assert outcome.error is None
    assert ["skipped: there is no module Services here"] == [
        note.split(",")[0] for note in outcome.notes
    ]
    assert "services" not in shelf.cursors


@pytest.mark.parametrize("stream", ["deals", "quotes"])
async def test_a_module_that_was_there_yesterday_fails_its_stream(
    crm: VtigerState, shelf: Shelf, stream: str
) -> None:
    """H-13: records that vanish for lack of a right read as missing money."""
    crm.has("Quotes")
    await shelf.sync(stream)
    crm.logins[ADMIN].modules_hidden = {"Potentials", "Quotes"}

    outcome = (await shelf.sync(stream))[stream]

    assert isinstance(outcome.error, AccessDenied)
    assert not outcome.error.whole_source


async def test_doctor_tells_who_we_are_and_what_is_weak(crm: VtigerState, shelf: Shelf) -> None:
    """A user who sees half of the deals must not go unnoticed."""
    crm.modules.remove("HelpDesk")
    crm.logins["rep"] = Login("rep", "key-of-a-rep", "19x1", is_admin=False)
    crm.has("Potentials", at=datetime(2026, 10, 15, 8, tzinfo=UTC))
    shelf.settings = {"username": "rep", "access_key": "key-of-a-rep"}

    report = await check(shelf)

    assert "Vtiger 8.0.0 (open source), user rep 19x1" == report.account
    assert {} == report.missing
    told = " / ".join(report.notes)
    assert "tickets will be skipped" in told
    assert "no administrator" in told
    assert "time_zone" in told
    assert "sync does not work here" in told


async def test_doctor_finds_nothing_to_say_of_a_good_connection(shelf: Shelf) -> None:
    """A warning that is always there is read by nobody."""
    report = await check(shelf)

    assert () == report.notes
    assert {} == report.missing


# Faults.


@pytest.mark.parametrize(
    "answer",
    [
        reply_html("<b>Fatal error</b>: Uncaught Error"),
        Reply(200, b""),
        reply_json({}),
        reply_json([]),
        reply_json({"success": True}),
        reply_json({"success": True, "result": None}),
        reply_html('<p>Sign in</p><script>{"success":true,"result":[]}</script>'),
        Reply(200, b'<br />\n<b>Warning</b>: x\n{"success":true,"res'),
    ],
    ids=["html", "empty", "{}", "[]", "no result", "null", "a page with JSON", "half behind"],
)
async def test_nonsense_under_a_200_is_never_the_end_of_the_records(
    crm: VtigerState, server: VtigerServer, shelf: Shelf, answer: Reply
) -> None:
    """H-07: proxies print pages, PHP its fatal errors."""
    for _ in range(120):
        crm.has("Potentials")
        crm.advance(seconds=1)

    def on_query(request: Request, reply: Reply) -> Reply:
        return answer if "SELECT *" in (request.param("query") or "") else reply

    server.fail("webservice", on_query, times=99)

    with pytest.raises(ProtocolError):
        await shelf.deals()


@pytest.mark.parametrize(
    "warning",
    [
        b'<br />\n<b>Warning</b>:  Undefined array key "x" in <b>/var/a.php</b><br />\n',
        b"<br />\n<b>Deprecated</b>:  strlen(): Passing null in <b>/var/a.php</b><br />\n",
        b"\nWarning: Undefined variable $x in /var/a.php on line 7\n",
    ],
    ids=["warning", "deprecated", "text"],
)
async def test_an_answer_behind_the_warnings_of_php_is_an_answer(
    crm: VtigerState, server: VtigerServer, shelf: Shelf, warning: bytes
) -> None:
    """H-07: PHP 8 without a php.ini shows its warnings, and then the page is sent as HTML."""
    for _ in range(120):
        crm.has("Potentials")
        crm.advance(seconds=1)

    def warned(_request: Request, reply: Reply) -> Reply:
        return Reply(reply.status, warning + reply.body, "text/html; charset=UTF-8")

    server.fail("webservice", warned, times=999)

    await shelf.deals()

    assert crm.ids("Potentials") == shelf.live("deals")


async def test_an_empty_answer_is_asked_for_again(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """H-07: a worker that was killed leaves a 200 with nothing in it."""
    deal = crm.has("Potentials")
    server.fail("webservice", lambda _q, _r: Reply(200, b"", "text/html"), skip=3, times=2)

    await shelf.deals()

    assert [deal] == shelf.live("deals")


async def test_half_an_answer_is_asked_for_again(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """H-06: what was cut short is stored neither in part nor as the end."""
    deals = [crm.has("Potentials") for _ in range(3)]
    cut: list[Request] = []

    def half(request: Request, reply: Reply) -> Reply:
        if not cut and "SELECT *" in (request.param("query") or ""):
            cut.append(request)
            return Reply(200, reply.body, cut_after=len(reply.body) // 2)
        return reply

    server.fail("webservice", half, times=99)
    await shelf.deals()

    assert 1 == len(cut)
    assert sorted(deals) == sorted(shelf.live("deals"))


@pytest.mark.parametrize("code", ["DATABASE_QUERY_ERROR", "INTERNAL_SERVER_ERROR"])
async def test_a_passing_database_fault_is_tried_again_and_a_lasting_one_fails(
    crm: VtigerState, server: VtigerServer, shelf: Shelf, code: str
) -> None:
    """H-02 in this vendor's words: the status says 200 all the same."""
    deal = crm.has("Potentials")
    server.fail("webservice", refused(code), skip=4, times=2)

    await shelf.deals()
    assert [deal] == shelf.live("deals")
    server.fail("webservice", refused(code), times=99)

    with pytest.raises(VendorError, match=code):
        await shelf.deals()


async def test_a_refused_field_names_the_module_and_the_way_out(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """The server's own words alone do not say where to look."""
    crm.has("Potentials")

    def on_query(request: Request, reply: Reply) -> Reply:
        is_query = "SELECT *" in (request.param("query") or "")
        return (
            refused("ACCESS_DENIED", "Permission to access")(request, reply) if is_query else reply
        )

    server.fail("webservice", on_query, times=99)

    with pytest.raises(AccessDenied, match="profile read Potentials"):
        await shelf.deals()


@pytest.mark.parametrize("ties", [False, True])
async def test_a_server_that_ignores_our_conditions_is_a_loop(
    crm: VtigerState, server: VtigerServer, shelf: Shelf, ties: bool
) -> None:
    """H-18: the same page for ever must not fill the disk."""
    for _ in range(150):
        crm.has("Potentials")
        crm.advance(seconds=0 if ties else 1)
    page: list[Reply] = []

    def first_page(request: Request, reply: Reply) -> Reply:
        if "SELECT *" not in (request.param("query") or ""):
            return reply
        page.append(page[0] if page else reply)
        return page[0]

    server.fail("webservice", first_page, times=999)

    with pytest.raises(PaginationLoop):
        await shelf.deals()
    assert 4 >= len(page) - 1


async def test_a_sync_that_promises_more_and_does_not_move_is_a_loop(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """Deletes page by a clock, and a clock that stands still never ends."""
    crm.has("Potentials")
    await shelf.deals()

    def stuck(request: Request, reply: Reply) -> Reply:
        if request.param("operation") != "sync":
            return reply
        result = json.loads(reply.body)["result"] | {"more": True, "lastModifiedTime": 5}
        return reply_json({"success": True, "result": result})

    server.fail("webservice", stuck, times=999)

    with pytest.raises(PaginationLoop):
        await shelf.deals()


async def test_a_redirect_to_another_host_gets_no_session(
    server: VtigerServer, shelf: Shelf
) -> None:
    """H-15: an expired domain of a hoster is all it takes."""
    place = {"Location": "http://127.0.0.1:9/webservice.php"}
    server.fail("webservice", lambda _q, _r: Reply(302, headers=place), skip=3, times=99)

    with pytest.raises(OriginRefused):
        await shelf.deals()


# The cloud.


@pytest.fixture
def cloud(shelf: Shelf) -> Shelf:
    shelf.settings = {"dialect": "cloud", "requests_per_second": 900}
    return shelf


async def test_the_cloud_is_read_alike_without_a_session(
    crm: VtigerState, server: VtigerServer, cloud: Shelf
) -> None:
    """One connector, two addresses."""
    deals = []
    for _ in range(230):
        deals.append(crm.has("Potentials"))
        crm.advance(seconds=1)
    lead = crm.has("Leads")
    await cloud.sync("deals", "leads")
    crm.advance(hours=1)
    crm.delete(deals[3])
    crm.convert(lead)

    await cloud.sync("deals", "leads")

    assert crm.ids("Potentials") == cloud.live("deals")
    assert ["upsert", "converted"] == cloud.changes("leads", lead)
    assert 0 == server.logins
    assert 0 == server.count("webservice")


async def test_a_wrong_key_of_the_cloud_fails_the_source(cloud: Shelf) -> None:
    """It answers 401, not an envelope."""
    cloud.settings["access_key"] = "wrong-key"

    with pytest.raises(AccessDenied) as caught:
        await cloud.deals()

    assert caught.value.whole_source


async def test_a_full_minute_is_waited_out_by_the_servers_own_clock(
    crm: VtigerState, server: VtigerServer, cloud: Shelf
) -> None:
    """H-01: the reset is an instant of theirs; our clock may be off by an hour."""
    deal = crm.has("Potentials")
    headers = {"X-FloodControl-Reset": str(int(crm.now.timestamp()))}
    server.fail("restapi", lambda _q, _r: Reply(429, b"", "text/plain", headers), skip=1)

    await cloud.deals()

    assert [deal] == cloud.live("deals")


async def test_the_days_reserve_is_left_to_others_and_the_cursor_kept(
    crm: VtigerState, server: VtigerServer, cloud: Shelf
) -> None:
    """H-14: the instance's other programs need calls, too; the next run goes on."""
    for _ in range(900):
        crm.has("Potentials")
        crm.advance(seconds=1)
    server.per_day = 10
    cloud.settings["daily_reserve"] = 0.3

    with pytest.raises(BudgetSpent):
        await cloud.deals()
    used = server.used_today

    assert 7 >= used
    assert cloud.live("deals")
    assert cloud.cursors["deals"]["since"]


async def test_a_day_that_others_used_up_ends_the_run_at_once(
    server: VtigerServer, cloud: Shelf
) -> None:
    """Nobody waits until tomorrow inside a run."""
    server.used_today = server.per_day

    with pytest.raises(BudgetSpent):
        await cloud.deals()

    assert 1 == len(server.requests)


# Settings.


@pytest.mark.parametrize(
    ("base_url", "is_cloud"),
    [
        ("https://acme.odx.vtiger.com", True),
        ("https://acme.odx.vtiger.com/restapi/v1/vtiger/default/", True),
        ("https://crm.example.com/vtigercrm/webservice.php", False),
        ("https://notvtiger.com", False),
    ],
)
def test_the_address_tells_the_dialect(base_url: str, is_cloud: bool) -> None:
    """Whoever copies the web service's own address means the same CRM."""
    settings = VtigerSettings.model_validate(
        {"base_url": base_url, "username": "a", "access_key": "k"}
    )

    assert is_cloud == settings.is_cloud
    assert not settings.base_url.endswith(("default", ".php", "/"))


@pytest.mark.parametrize(
    "change", [{"time_zone": "Berlin"}, {"streams": ["opportunities"]}, {"token": "x"}]
)
def test_a_setting_that_means_nothing_is_refused(change: dict[str, Any]) -> None:
    """C-01, C-08: before any call."""
    given = {"base_url": "https://crm.example.com", "username": "a", "access_key": "k"}

    with pytest.raises(ValidationError):
        VtigerSettings.model_validate({**given, **change})

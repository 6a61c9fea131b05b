"""Salesforce: signing in, refusals, and faults on the way."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import ValidationError

from connectors.base.errors import (
    AccessDenied,
    BudgetSpent,
    ConfigError,
    CursorExpired,
    OriginRefused,
    PaginationLoop,
    ProtocolError,
    VendorError,
)
from connectors.base.redact import redact
from connectors.base.stream import ScopeReport
from connectors.salesforce import CONNECTOR, SalesforceSettings
from sandbox.exchange import Reply, Request, reply_html, reply_json
from sandbox.http import SandboxServer
from sandbox.salesforce import CLIENT_ID, CLIENT_SECRET, SalesforceServer, SalesforceState
from tests.connectors.salesforce.shelf import Shelf


def refusal(status: int, code: str, message: str = "no") -> Reply:
    """A refusal as Salesforce gives it: a list."""
    return reply_json([{"message": message, "errorCode": code, "fields": []}], status)


def always(reply: Reply) -> Callable[[Request, Reply], Reply]:
    """A fault that answers so."""
    return lambda _request, _reply: reply


# Signing in.


async def test_a_wrong_secret_stops_the_source_and_is_not_shown(shelf: Shelf) -> None:
    """The token endpoint says 400 to everything."""
    shelf.settings["client_secret"] = "wrong-secret-of-a-test"

    with pytest.raises(AccessDenied, match="client credentials flow") as caught:
        await shelf.deals()

    assert caught.value.whole_source
    assert "wrong-secret" not in str(caught.value)


async def test_too_many_sign_ins_are_no_wrong_credential(
    shelf: Shelf, server: SalesforceServer
) -> None:
    """It passes by itself; told as a refused credential, somebody would roll the secret."""
    limit = {"error": "invalid_request", "error_description": "login rate exceeded"}
    server.fail("oauth2/token", always(reply_json(limit, 400)), times=9)

    with pytest.raises(VendorError, match="login rate exceeded"):
        await shelf.deals()


async def test_a_signed_assertion_opens_the_org_and_is_masked(
    shelf: Shelf, server: SalesforceServer
) -> None:
    """JWT bearer: signed by our key, checked by its certificate; logs must not hold it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    server.certificate = key.public_key()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    seen: list[str] = []

    def look(request: Request, reply: Reply) -> Reply:
        seen.append(request.form()["assertion"])
        return reply

    server.fail("oauth2/token", look, times=1)
    shelf.settings |= {"client_secret": None, "username": "bot@example.com", "private_key": pem}

    await shelf.sync("stages")

    assert shelf.versions["stages"]
    assert seen[0] not in redact(f"sent {seen[0]}")


async def test_a_text_that_is_no_key_is_a_mistake_of_the_settings(shelf: Shelf) -> None:
    """And is not shown."""
    shelf.settings |= {"client_secret": None, "username": "bot", "private_key": "nothing-like-it"}

    with pytest.raises(ConfigError, match="private_key") as caught:
        await shelf.deals()

    assert "nothing-like-it" not in str(caught.value)


async def test_a_rotated_refresh_token_is_kept_before_it_is_used(
    shelf: Shelf, server: SalesforceServer
) -> None:
    """K-08: the old one is dead with the answer; lost, somebody would have to sign in again."""
    server.rotates = True
    shelf.settings |= {"refresh_token": server.refresh_token}
    await shelf.sync("stages")
    server.sessions.clear()

    await shelf.sync("stages")

    assert server.refresh_token in (Path(shelf.state_dir) / "oauth.json").read_text()
    assert 2 == server.tokens


async def test_a_session_that_ends_on_the_way_is_renewed_once(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer
) -> None:
    """H-11: no answer says how long a session lasts."""
    org.add("Opportunity", Name="x")
    org.advance(minutes=10)

    def end(_request: Request, _reply: Reply) -> Reply:
        server.sessions.clear()
        return refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")

    server.fail("queryAll", end, times=1)
    await shelf.deals()

    assert shelf.versions["deals"]
    assert 2 == server.tokens


async def test_a_session_refused_twice_stops_the_source(
    shelf: Shelf, server: SalesforceServer
) -> None:
    """H-11: a second new token would be refused, too."""
    server.fail("describe", always(refusal(401, "INVALID_SESSION_ID")), times=9)

    with pytest.raises(AccessDenied) as caught:
        await shelf.deals()

    assert caught.value.whole_source


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"base_url": "https://login.salesforce.com"}, "My Domain"),
        ({"base_url": "https://acme.my.salesforce.com/services"}, "has a path"),
        ({"client_secret": None}, "client credentials"),
        ({"client_secret": None, "username": "x"}, "both `username` and `private_key`"),
        ({"streams": ["deal"]}, "unknown stream deal"),
    ],
)
def test_settings_that_cannot_work_say_why(given: dict[str, object], words: str) -> None:
    """Before any call."""
    sound = {
        "base_url": "https://acme.my.salesforce.com",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }

    with pytest.raises(ValidationError, match=words):
        SalesforceSettings.model_validate(sound | given)


# Rights.


async def test_an_object_that_may_not_be_read_fails_its_stream_alone(
    org: SalesforceState, shelf: Shelf
) -> None:
    """H-13: rows that vanish for lack of access read as missing money."""
    org.refused.add("Opportunity")

    outcomes = await shelf.sync("deals", "stages")

    assert isinstance(outcomes["deals"].error, AccessDenied)
    assert outcomes["stages"].error is None


async def test_a_feature_that_is_off_is_skipped_with_a_note(
    org: SalesforceState, shelf: Shelf
) -> None:
    """Many orgs have no quotes."""
    org.refused.add("Quote")

    outcome = (await shelf.sync("quotes"))["quotes"]

    assert outcome.error is None
    assert "no Quote here" in outcome.notes[0]


async def test_an_object_that_was_read_and_is_closed_now_fails(
    org: SalesforceState, shelf: Shelf
) -> None:
    """A right that was taken away is no empty table."""
    org.add("Quote", Name="x")
    org.advance(minutes=10)
    await shelf.sync("quotes")
    org.refused.add("Quote")

    outcome = (await shelf.sync("quotes"))["quotes"]

    assert isinstance(outcome.error, AccessDenied)


async def test_doctor_names_what_is_missing(org: SalesforceState, shelf: Shelf) -> None:
    """Before the first run, and not one stream after the other."""
    org.refused |= {"Opportunity", "Quote"}
    async with CONNECTOR.open(shelf.configured(), shelf.resources()) as session:
        report: ScopeReport = await CONNECTOR.check(session)

    assert {"deals": ("Opportunity: read",)} == dict(report.missing)
    assert any("quotes will be skipped" in note for note in report.notes)
    assert any("requests are left" in note for note in report.notes)


# Limits.


async def test_the_orgs_requests_are_not_spent_to_the_last(
    org: SalesforceState, shelf: Shelf
) -> None:
    """H-14: others need theirs; the run ends politely and goes on later."""
    org.daily_limit, org.used = 1_000, 799

    outcomes = await shelf.sync("companies", "contacts", "deals")

    assert isinstance(outcomes["deals"].error, BudgetSpent)
    assert org.used <= 803


async def test_spent_requests_end_the_run_and_concurrent_ones_are_waited_for(
    shelf: Shelf, server: SalesforceServer
) -> None:
    """H-01, H-14: one code means both."""
    busy = refusal(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API) exceeded")
    server.fail("describe", always(busy), times=1)
    await shelf.sync("stages")
    spent = refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    server.fail("describe", always(spent), times=1)

    with pytest.raises(BudgetSpent, match="24 hours"):
        await shelf.deals()

    assert shelf.versions["stages"]


async def test_a_wait_longer_than_ours_ends_the_run(shelf: Shelf, server: SalesforceServer) -> None:
    """H-01: an absurd Retry-After is not slept through."""
    later = Reply(429, b"[]", headers={"Retry-After": "86400"})
    server.fail("describe", always(later), times=1)

    with pytest.raises(BudgetSpent):
        await shelf.deals()


# Faults on the way.


@pytest.mark.parametrize(
    "answer",
    [
        reply_html("<html>maintenance</html>"),
        reply_json({}),
        Reply(200, b""),
        reply_json({"error": "x"}),
    ],
    ids=["a page", "nothing", "empty", "an envelope"],
)
async def test_an_answer_that_is_none_is_an_error_and_no_end(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer, answer: Reply
) -> None:
    """H-07: read as "no more records", everything would be deleted by the next comparison."""
    org.add("Opportunity", Name="x")
    org.advance(minutes=10)
    server.fail("queryAll", always(answer), times=9)

    with pytest.raises(ProtocolError):
        await shelf.deals()

    assert "deals" not in shelf.versions or not shelf.versions["deals"]


async def test_a_body_cut_short_is_asked_for_again(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer
) -> None:
    """H-06: half a page is none."""
    org.add("Opportunity", Name="x")
    org.advance(minutes=10)

    def cut(_request: Request, reply: Reply) -> Reply:
        reply.cut_after = 60
        return reply

    server.fail("queryAll", cut, times=1)
    await shelf.deals()

    assert 1 == len(shelf.versions["deals"])


async def test_a_table_that_lacks_rows_is_refused(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer
) -> None:
    """H-06: a table has no closing bracket that would be missed."""
    for _ in range(3):
        org.add("Opportunity", Name="x")
    org.advance(minutes=10)
    shelf.settings["bulk_rows"] = 1

    def lose(_request: Request, reply: Reply) -> Reply:
        reply.body = b"\n".join(reply.body.split(b"\n")[:-2]) + b"\n"
        return reply

    server.fail("results", lose, times=1)

    with pytest.raises(ProtocolError, match="says 3 rows and shows 2"):
        await shelf.deals()


async def test_pages_that_do_not_end_are_a_loop(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer
) -> None:
    """H-18: the same locator again."""
    server.page_size = 1
    for _ in range(3):
        org.add("Opportunity", Name="x")
    org.advance(minutes=10)

    def circle(_request: Request, reply: Reply) -> Reply:
        body = (
            b'{"totalSize":3,"done":false,"records":[],'
            b'"nextRecordsUrl":"/services/data/v66.0/query/0r8-1"}'
        )
        reply.status, reply.body = 200, body
        return reply

    server.fail("query", circle, times=50)

    with pytest.raises(PaginationLoop):
        await shelf.deals()


@pytest.mark.parametrize("is_first", [True, False], ids=["past", "window"])
async def test_behind_a_locator_that_was_dropped_the_last_record_says_where_to_go_on(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer, is_first: bool
) -> None:
    """The stream is not read anew: what was shown is shown once."""
    made = []
    if not is_first:
        made.append(org.add("Opportunity", Name="old"))
        org.advance(days=1)
        await shelf.deals()
    org.advance(days=1)
    server.page_size = 2
    made += [org.add("Opportunity", Name="x") for _ in range(6)]
    org.advance(minutes=10)
    server.fail("query/0r8", always(refusal(400, "INVALID_QUERY_LOCATOR")), times=1)
    await shelf.deals()

    assert made == sorted(shelf.versions["deals"])
    assert {1} == {len(versions) for versions in shelf.versions["deals"].values()}


async def test_a_locator_that_never_holds_ends_the_stream(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer
) -> None:
    """Nothing shown and nowhere to go on."""
    org.add("Opportunity", Name="x")
    org.advance(minutes=10)
    server.fail("queryAll", always(refusal(400, "INVALID_QUERY_LOCATOR")), times=9)

    with pytest.raises(CursorExpired):
        await shelf.deals()


@pytest.mark.parametrize("header", ["Sforce-Locator", "Sforce-NumberOfRecords"])
async def test_a_table_without_its_headers_is_not_the_last_one(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer, header: str
) -> None:
    """H-06: a proxy dropped what says how far the results go."""
    org.add("Opportunity", Name="x")
    org.advance(minutes=10)
    shelf.settings["bulk_rows"] = 1

    def drop(_request: Request, reply: Reply) -> Reply:
        reply.headers = {key: value for key, value in reply.headers.items() if key != header}
        return reply

    server.fail("results", drop, times=1)

    with pytest.raises(ProtocolError, match="job"):
        await shelf.deals()


async def test_a_job_must_show_as_many_records_as_it_has(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer
) -> None:
    """H-06: pages that end early."""
    for _ in range(6):
        org.add("Opportunity", Name="x")
    org.advance(minutes=10)
    shelf.settings["bulk_rows"] = 1
    server.bulk_page = 2

    def end(_request: Request, reply: Reply) -> Reply:
        reply.headers = {**reply.headers, "Sforce-Locator": "null"}
        return reply

    server.fail("results", end, times=1)

    with pytest.raises(ProtocolError, match="has 6 records and showed 2"):
        await shelf.deals()
    await shelf.deals()

    assert 6 == len(shelf.versions["deals"])


async def test_an_unreadable_last_row_of_a_window_is_set_aside(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer
) -> None:
    """D-17: the walk goes on behind the last row that can be read."""
    await shelf.deals()
    org.advance(days=1)
    good = org.add("Opportunity", Name="good")
    org.advance(seconds=1)
    org.add("Opportunity", Name="bad")
    org.advance(minutes=10)

    def spoil(_request: Request, reply: Reply) -> Reply:
        head, _, tail = reply.body.rpartition(b'"Id":"')
        reply.body = head + b'"Id":7,"Was":"' + tail
        return reply

    server.fail("queryAll", spoil, times=1)
    await shelf.deals()

    assert [good] == list(shelf.versions["deals"])
    assert 1 == len(shelf.rejected)


async def test_a_small_list_with_an_unreadable_row_tells_no_deletes(
    shelf: Shelf, server: SalesforceServer
) -> None:
    """D-07, D-17: the row may be any of those that are missing."""
    await shelf.sync("stages")

    def spoil(_request: Request, reply: Reply) -> Reply:
        reply.body = reply.body.replace(b'"Id":"', b'"Id":7,"Was":"', 1)
        return reply

    server.fail("query", spoil, times=1)
    again = (await shelf.sync("stages"))["stages"]

    assert 1 == len(shelf.rejected)
    assert [None] * len(again.pages) == [page.complete_ids for page in again.pages]


async def test_a_link_to_another_host_is_not_followed(
    org: SalesforceState, shelf: Shelf, server: SalesforceServer
) -> None:
    """H-15: the other host must see no token."""
    org.add("Opportunity", Name="x")
    org.advance(minutes=10)
    met: list[Request] = []

    def other(request: Request) -> Reply:
        met.append(request)
        return reply_json({})

    with SandboxServer(other) as foreign:

        def away(_request: Request, reply: Reply) -> Reply:
            link = f"{foreign.url}/services/data/v66.0/query/0r8-1"
            body = f'{{"totalSize":3,"done":false,"records":[],"nextRecordsUrl":"{link}"}}'
            reply.body = body.encode()
            return reply

        server.fail("queryAll", away, skip=1, times=1)
        with pytest.raises((OriginRefused, VendorError)):
            await shelf.deals()

    assert [] == met


async def test_a_fault_that_passes_is_tried_again_and_one_that_stays_is_named(
    shelf: Shelf, server: SalesforceServer
) -> None:
    """H-02: with the vendor's own code and words."""
    server.fail("describe", always(refusal(500, "UNKNOWN_EXCEPTION")), times=1)
    await shelf.sync("stages")
    server.fail("describe", always(refusal(400, "MALFORMED_QUERY", "unexpected token")), times=1)

    with pytest.raises(VendorError, match="unexpected token"):
        await shelf.deals()

    assert shelf.versions["stages"]

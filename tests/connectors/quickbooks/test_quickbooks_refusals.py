"""QuickBooks: tokens that rotate, limits, and faults in three shapes."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from connectors.base.errors import AccessDenied, BudgetSpent, ProtocolError, VendorError
from connectors.quickbooks import CONNECTOR
from sandbox.exchange import Reply, Request, reply_html
from sandbox.quickbooks import REALM, QuickbooksServer, QuickbooksState
from sandbox.quickbooks.server import answer, fault, throttled
from tests.connectors.quickbooks.shelf import Shelf
from tests.connectors.quickbooks.test_quickbooks_reading import invoices


async def test_the_newest_refresh_token_is_kept(books: QuickbooksState, shelf: Shelf) -> None:
    """A stale one would end the grant, and a person must sign in again."""
    await shelf.read()
    books.advance(hours=3)

    await shelf.read()

    assert books.refresh_token == f"refresh-{books.refreshes}"
    assert 2 == books.refreshes
    assert b"refresh-2" in (shelf.state_dir / "oauth.json").read_bytes()
    assert 0o600 == (shelf.state_dir / "oauth.json").stat().st_mode & 0o777


async def test_many_streams_refresh_once(books: QuickbooksState, shelf: Shelf) -> None:
    """Two refreshes at once would each void the other's token."""
    async with (
        CONNECTOR.open(shelf.configured(), shelf.resources()) as one,
        CONNECTOR.open(shelf.configured(), shelf.resources()) as other,
    ):
        await asyncio.gather(
            *(session.count("Invoice", "") for session in (one, other) for _ in range(4))
        )

    assert 1 == books.refreshes


PROGRAM = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from connectors.base import shared
from connectors.base.stream import Resources
from connectors.quickbooks import CONNECTOR, QuickbooksSettings

real = shared.write_durably
def write(path, content):
    if sys.argv[3] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    real(path, content)
    if sys.argv[3] == "after":
        os.kill(os.getpid(), signal.SIGKILL)
shared.write_durably = write

async def main():
    settings = QuickbooksSettings.model_validate_json(sys.argv[1])
    resources = Resources("books", sys.argv[2], lambda: datetime.now(UTC))
    async with CONNECTOR.open(settings, resources) as session:
        print(await session.count("Invoice", ""))

asyncio.run(main())
"""


def run_apart(shelf: Shelf, kill: str) -> "subprocess.Popen[str]":
    """A process of its own that asks once, and dies at the token's storing if told so."""
    settings = shelf.configured()
    text = settings.model_dump(mode="json")
    text.update(shelf.reach())
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), json.dumps(text),
         str(shelf.state_dir), kill],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip


async def test_processes_refresh_once_between_them(books: QuickbooksState, shelf: Shelf) -> None:
    """A schedule and a person at the command line share one grant."""
    both = [run_apart(shelf, "never") for _ in range(2)]
    told = [await asyncio.to_thread(one.communicate) for one in both]

    assert [("0\n", "")] * 2 == told
    assert 1 == books.refreshes


async def test_a_kill_after_storing_leaves_a_usable_token(
    books: QuickbooksState, shelf: Shelf
) -> None:
    """The new token is durable before it is used."""
    killed = run_apart(shelf, "after")
    await asyncio.to_thread(killed.communicate)

    await shelf.read()

    assert -signal.SIGKILL == killed.returncode
    assert 1 == books.refreshes


async def test_a_kill_before_storing_says_sign_in_again(
    books: QuickbooksState, shelf: Shelf
) -> None:
    """Where the vendor voids the old token at once, nothing can save the new one."""
    killed = run_apart(shelf, "before")
    await asyncio.to_thread(killed.communicate)

    with pytest.raises(AccessDenied, match="Sign in again") as caught:
        await shelf.read()

    assert -signal.SIGKILL == killed.returncode
    assert 1 == books.refreshes
    assert caught.value.whole_source
    assert "refresh-0" not in str(caught.value)


async def test_an_expired_access_token_is_renewed_once(
    books: QuickbooksState, shelf: Shelf
) -> None:
    """The vendor's clock counts, not ours."""
    async with CONNECTOR.open(shelf.configured(), shelf.resources()) as session:
        await session.count("Invoice", "")
        books.access.clear()
        await session.count("Invoice", "")

    assert 2 == books.refreshes


async def test_a_token_that_stays_refused_stops_the_source(
    server: QuickbooksServer, shelf: Shelf
) -> None:
    """H-06, with the request's number, for Intuit's support."""
    words = "message=ApplicationAuthenticationFailed; errorCode=003200; statusCode=401"

    def refused(_: Request, reply: Reply) -> Reply:
        again = fault(401, "3200", words)
        again.headers = reply.headers
        return again

    server.fail("query", refused, times=9)

    with pytest.raises(AccessDenied, match="1-69238a00-sandbox") as caught:
        await shelf.read()

    assert caught.value.whole_source


async def test_another_company_is_refused_with_words_that_help(shelf: Shelf) -> None:
    """3100 is most often a development key at the production host."""
    shelf.settings["realm_id"] = "123"

    with pytest.raises(AccessDenied, match="development key") as caught:
        await shelf.read()

    assert caught.value.whole_source


async def test_an_ended_subscription_stops_the_source(
    server: QuickbooksServer, shelf: Shelf
) -> None:
    """Rows that vanish with a subscription are not deleted."""
    server.fail("query", lambda *_: fault(403, "6190", "Subscription period has ended"))

    with pytest.raises(AccessDenied, match="subscription") as caught:
        await shelf.read()

    assert caught.value.whole_source


async def test_one_refused_entity_leaves_the_others(books: QuickbooksState, shelf: Shelf) -> None:
    """A 403 fails its stream loudly, and only that."""
    invoices(books, 1)
    books.advance(hours=1)
    books.refused["Estimate"] = (403, "5020", "Permission Denied Error")

    outcomes = await shelf.sync("estimates", "invoices")

    assert isinstance(outcomes["estimates"].error, AccessDenied)
    assert not outcomes["estimates"].error.whole_source
    assert outcomes["invoices"].error is None


async def test_a_fault_under_a_200_is_a_fault(server: QuickbooksServer, shelf: Shelf) -> None:
    """Never "no more records"."""
    server.fail("query", lambda *_: fault(200, "4000", "Error parsing query", "QueryParserError"))

    with pytest.raises(VendorError, match="fault 4000"):
        await shelf.read()


@pytest.mark.parametrize(
    "nonsense",
    [
        reply_html("<html>Sign in</html>"),
        answer({}),
        answer({"time": "2026-11-23T02:00:00-08:00"}),
        Reply(200, b""),
        Reply(200, b"<IntuitResponse/>", "application/xml"),
    ],
    ids=["page", "empty object", "no QueryResponse", "no body", "xml"],
)
async def test_nonsense_under_a_200_is_an_error(
    server: QuickbooksServer, shelf: Shelf, nonsense: Reply
) -> None:
    """H-07."""
    server.fail("query", lambda *_: nonsense, times=9)

    with pytest.raises(ProtocolError):
        await shelf.read()


XML_THROTTLE = (
    b'<IntuitResponse><Fault type="SERVICE"><Error code="3001">'
    b"<Message>message=ThrottleExceeded; errorCode=003001; statusCode=429</Message>"
    b"</Error></Fault></IntuitResponse>"
)


@pytest.mark.parametrize(
    "refusal", [throttled(), Reply(429, XML_THROTTLE, "application/xml")], ids=["json", "xml"]
)
async def test_a_throttle_is_waited_out(
    books: QuickbooksState, server: QuickbooksServer, shelf: Shelf, refusal: Reply
) -> None:
    """Two refusals and then an answer."""
    made = invoices(books, 3)
    books.advance(hours=1)
    struck = server.fail("query", lambda *_: refusal, times=2)

    await shelf.read()

    assert 2 == struck.met
    assert made == shelf.live()


async def test_a_throttle_that_lasts_is_the_months_allowance(
    server: QuickbooksServer, shelf: Shelf
) -> None:
    """The run ends politely and keeps its cursor."""
    server.fail("query", lambda *_: throttled(), times=99)

    with pytest.raises(BudgetSpent):
        await shelf.read()


async def test_a_throttle_under_403_is_no_lost_right(
    server: QuickbooksServer, shelf: Shelf
) -> None:
    """Seen in production: the limit's fault under the status of a missing right."""
    server.fail("query", lambda *_: Reply(403, XML_THROTTLE, "application/xml"))

    with pytest.raises(BudgetSpent, match="3001"):
        await shelf.read()


async def test_a_system_fault_is_tried_again(
    books: QuickbooksState, server: QuickbooksServer, shelf: Shelf
) -> None:
    """10000 passes."""
    made = invoices(books, 1)
    books.advance(hours=1)
    server.fail("query", lambda *_: fault(500, "10000", "An application error", kind="SystemFault"))

    await shelf.read()

    assert made == shelf.live()


async def test_the_months_reads_are_counted(shelf: Shelf) -> None:
    """Intuit meters reads; ours end before theirs do."""
    shelf.settings.update(monthly_reads=1000)
    async with CONNECTOR.open(shelf.configured(), shelf.resources()) as session:
        await session.count("Invoice", "")
        month = session.client.report()["month"]

    assert 1 == month["used"]
    assert 1000 == month["usable"]


async def test_a_page_that_comes_again_is_a_loop(
    books: QuickbooksState, server: QuickbooksServer, shelf: Shelf
) -> None:
    """A server that ignores STARTPOSITION would be asked for ever."""
    invoices(books, 30, seconds=0)
    books.advance(hours=1)
    held: dict[str, Reply] = {}

    def same(request: Request, reply: Reply) -> Reply:
        statement = request.param("query") or ""
        if (
            "ORDERBY" not in statement
            and "SELECT *" in statement
            and "CompanyInfo" not in statement
        ):
            return held.setdefault("page", reply)
        return reply

    server.fail("query", same, times=99)

    with pytest.raises(ProtocolError, match="came before"):
        await shelf.read()


async def test_doctor_names_company_and_what_is_refused(
    books: QuickbooksState, server: QuickbooksServer, shelf: Shelf
) -> None:
    """Two metered reads tell it all."""
    books.refused["Bill"] = (403, "5020", "Permission Denied Error")
    async with CONNECTOR.open(shelf.configured(), shelf.resources()) as session:
        report = await CONNECTOR.check(session)

    assert f"QuickBooks company Example Inc. (US), realm {REALM}" == report.account
    assert ["bills"] == list(report.missing)
    assert "Permission Denied" in report.missing["bills"][0]
    assert 2 == server.count("company")


@pytest.mark.parametrize(("days", "is_told"), [(29, True), (31, False)])
async def test_doctor_warns_before_the_grant_ends(
    books: QuickbooksState, shelf: Shelf, days: int, is_told: bool
) -> None:
    """After five years a person must sign in again; better before than after."""
    books.refresh_seconds = days * 86_400
    async with CONNECTOR.open(shelf.configured(), shelf.resources()) as session:
        report = await CONNECTOR.check(session)

    assert is_told == any("the grant ends on" in note for note in report.notes)

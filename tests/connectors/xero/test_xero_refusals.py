"""Xero says no: limits, rights, faults, and answers that cannot be true; and what doctor tells."""

import json
from datetime import timedelta
from typing import Any

import pytest

from connectors.base.errors import AccessDenied, BudgetSpent, ProtocolError, VendorError
from connectors.base.stream import ScopeReport
from connectors.xero import CONNECTOR, XeroSettings
from connectors.xero.opening import budgets
from sandbox.exchange import Reply, Request, reply_html, reply_json
from sandbox.xero import CLIENT_ID, TENANT, XeroServer, XeroState
from sandbox.xero.state import SCOPES
from tests.connectors.xero.shelf import Shelf, invoice, many

LISTS = r"/api\.xro/2\.0/"


def answers(status: int, body: Any, **headers: str) -> Any:
    """A scripted JSON answer."""

    def answer(_request: Request, _reply: Reply) -> Reply:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return reply_json(body, status, names)

    return answer


def empty(status: int, **headers: str) -> Any:
    """A scripted answer without a body, as Xero's gateway gives them."""

    def answer(_request: Request, _reply: Reply) -> Reply:
        return Reply(status, headers={n.replace("_", "-"): v for n, v in headers.items()})

    return answer


# Limits.


async def test_the_minutes_limit_is_waited_for(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """As long as the vendor says, and the run goes on."""
    one = invoice(books)
    refused = server.fail(
        LISTS, empty(429, Retry_After="0", X_Rate_Limit_Problem="minute"), times=2
    )

    assert [one] == (await shelf.read()).ids
    assert 2 == refused.met


@pytest.mark.parametrize("problem", ["day", "Day", "daily"])
async def test_the_days_limit_ends_the_run_politely(
    shelf: Shelf, books: XeroState, server: XeroServer, problem: str
) -> None:
    """Asked once, not slept through; what was read stays, the next run goes on."""
    ids = many(books, 300)
    shelf.settings = {"page_size": 100}
    spent = server.fail(
        "Invoices",
        empty(429, Retry_After="20", X_Rate_Limit_Problem=problem),
        times=1,
        skip=1,
    )

    with pytest.raises(BudgetSpent, match="24 hours"):
        await shelf.read()
    landed = len(shelf.upserts("invoices"))
    await shelf.read()

    assert 1 == spent.met
    assert 100 == landed
    assert sorted(ids) == sorted(shelf.upserts("invoices"))


async def test_a_pause_of_hours_is_not_slept(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """Whatever limit it is about."""
    invoice(books)
    server.fail(LISTS, empty(429, Retry_After="7200", X_Rate_Limit_Problem="appminute"))

    with pytest.raises(BudgetSpent, match="7200 s"):
        await shelf.read()


async def test_what_is_left_of_the_day_is_not_used_up(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """Others call the same organisation: the header tells, and a tenth stays theirs."""
    many(books, 300)
    server.per_day = 103
    shelf.settings = {"page_size": 20, "daily_calls": 1_000}

    with pytest.raises(BudgetSpent):
        await shelf.read()

    assert 1 <= server.used <= 4


def test_the_allowances_are_the_vendors() -> None:
    """Sixty a minute, five at once, five thousand a day, and none of them to the last call."""
    settings = XeroSettings.model_validate({"client_id": CLIENT_ID, "client_secret": "s"})

    (default, apart) = budgets(settings)

    minute, day = default.limits
    assert (55, timedelta(minutes=1)) == (minute.usable, minute.per)
    assert (4_500, "day") == (day.usable, day.per)
    assert 4 == default.concurrency
    assert () == apart.limits


# Rights.


async def test_a_missing_scope_fails_its_stream_and_no_other(
    shelf: Shelf, books: XeroState
) -> None:
    """Payments that vanish for lack of a right would read as unpaid invoices."""
    books.scopes = tuple(one for one in SCOPES if "payments" not in one)
    one = invoice(books)

    outcomes = await shelf.sync("payments", "invoices")

    error = outcomes["payments"].error
    assert isinstance(error, AccessDenied)
    assert not error.whole_source
    assert "AuthorizationUnsuccessful" in str(error)
    assert "scope" in str(error)
    assert [one] == outcomes["invoices"].ids


async def test_an_organisation_that_was_disconnected_is_said(
    shelf: Shelf, books: XeroState
) -> None:
    """Nothing of it can be read; what landed stays as it is."""
    one = invoice(books)
    await shelf.read()
    books.tenants.clear()
    shelf.settings = {"tenant_id": TENANT}

    error = (await shelf.sync("invoices"))["invoices"].error

    assert isinstance(error, AccessDenied)
    assert error.whole_source
    assert "not connected" in str(error)
    assert [one] == shelf.upserts("invoices")


async def test_another_403_is_the_streams_own(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """An endpoint that the organisation's plan lacks."""
    one = invoice(books)
    server.fail("Quotes", answers(403, {"Title": "Forbidden", "Detail": "not in your plan"}))

    outcomes = await shelf.sync("quotes", "invoices")

    error = outcomes["quotes"].error
    assert isinstance(error, AccessDenied)
    assert not error.whole_source
    assert "not in your plan" in str(error)
    assert [one] == outcomes["invoices"].ids


async def test_a_sign_in_without_an_organisation_is_said(shelf: Shelf, books: XeroState) -> None:
    """The user chose none, or took it away."""
    books.tenants.clear()

    error = (await shelf.sync("invoices"))["invoices"].error

    assert isinstance(error, AccessDenied)
    assert "no organisation" in str(error)


async def test_a_token_that_stays_refused_ends_the_source(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """One refresh, one more try, then a person is needed."""
    invoice(books)
    body = {"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired: token expired"}
    refused = server.fail("Invoices", answers(401, body), times=9)

    error = (await shelf.sync("invoices"))["invoices"].error

    assert isinstance(error, AccessDenied)
    assert error.whole_source
    assert 2 == refused.met
    assert 2 == server.count("/connect/token")


# Faults.


@pytest.mark.parametrize("status", [500, 503])
async def test_a_passing_fault_is_tried_again(
    shelf: Shelf, books: XeroState, server: XeroServer, status: int
) -> None:
    """An organisation is offline for maintenance now and then, told in HTML."""
    one = invoice(books)
    server.fail(LISTS, lambda *_: reply_html("<h1>The organisation is offline</h1>", status))

    assert [one] == (await shelf.read()).ids


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            400,
            {
                "ErrorNumber": 10,
                "Type": "ValidationException",
                "Message": "A validation exception occurred",
                "Elements": [{"ValidationErrors": [{"Message": "The page is not a page"}]}],
            },
            "The page is not a page",
        ),
        (
            400,
            {"ErrorNumber": 16, "Type": "QueryParseException", "Message": "No property or field"},
            "No property or field",
        ),
        (501, {"Message": "not for this organisation"}, "not for this organisation"),
    ],
)
async def test_a_refusal_says_why_and_is_not_repeated(
    shelf: Shelf,
    books: XeroState,
    server: XeroServer,
    status: int,
    body: dict[str, Any],
    said: str,
) -> None:
    """In the vendor's own words."""
    invoice(books)
    refused = server.fail("Invoices", answers(status, body), times=9)

    with pytest.raises(VendorError, match=said):
        await shelf.read()
    assert 1 == refused.met


@pytest.mark.parametrize("status", [404, 412])
async def test_plain_text_refusals_are_not_repeated(
    shelf: Shelf, server: XeroServer, status: int
) -> None:
    """Neither a path that is gone nor a header that is malformed mends itself."""
    refused = server.fail(
        "Invoices", lambda *_: Reply(status, b"The resource cannot be found", "text/plain"), times=9
    )

    with pytest.raises(VendorError, match=f"{status} from GET /api.xro/2.0/Invoices"):
        await shelf.read()
    assert 1 == refused.met


@pytest.mark.parametrize(
    "answer",
    [
        lambda *_: reply_html("<title>Login | Xero</title>"),
        lambda *_: Reply(200, b""),
        lambda *_: reply_json({}),
        lambda *_: reply_json({"Status": "OK", "ProviderName": "x"}),
        lambda *_: reply_json({"Status": "ERROR", "Invoices": []}),
        lambda *_: reply_json({"Status": "OK", "CreditNotes": []}),
        lambda *_: reply_json([]),
        lambda *_: Reply(200, b"<Response/>", "text/xml"),
    ],
    ids=["login", "nothing", "{}", "no list", "error", "other list", "list", "xml"],
)
async def test_a_200_that_is_no_answer_is_no_end(
    shelf: Shelf, books: XeroState, server: XeroServer, answer: Any
) -> None:
    """Read as "no more invoices", it would close the window over what was not read."""
    one = invoice(books)
    server.fail("Invoices", answer)

    with pytest.raises(ProtocolError):
        await shelf.read()

    assert "invoices" not in shelf.cursors
    assert [one] == (await shelf.read()).ids


async def test_half_an_answer_is_asked_for_again(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """Of a page that breaks off nothing lands."""
    one = invoice(books)

    def cut(_request: Request, reply: Reply) -> Reply:
        reply.body, reply.chunked = reply.body[:-30], True
        return reply

    server.fail("Invoices", cut)

    assert [one] == (await shelf.read()).ids


async def test_a_page_that_comes_for_ever_is_a_loop(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """Where page numbers are ignored, and more is promised each time."""
    for _ in range(5):
        invoice(books)
    books.advance(hours=1)

    def again(request: Request, reply: Reply) -> Reply:
        body = json.loads(reply.body)
        body["pagination"] = {"page": int(request.param("page") or 1), "pageCount": 99}
        body["Invoices"] = [
            {"InvoiceID": "one", "UpdatedDateUTC": "/Date(1760000000000+0000)/", "Status": "PAID"}
        ]
        reply.body = json.dumps(body).encode()
        return reply

    server.fail("Invoices", again, times=1_000)

    with pytest.raises(ProtocolError, match="are the same"):
        await shelf.read()
    assert server.count("Invoices") < 6


async def test_an_answer_of_another_page_is_refused(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """Else the rows of the one that was asked for are missing."""
    invoice(books)

    def other(_request: Request, reply: Reply) -> Reply:
        body = json.loads(reply.body)
        body["pagination"]["page"] = 3
        reply.body = json.dumps(body).encode()
        return reply

    server.fail("Invoices", other)

    with pytest.raises(ProtocolError, match="page 1 was asked for and 3 answered"):
        await shelf.read()


async def test_a_redirect_elsewhere_gets_no_token(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """The credential goes to the configured address alone."""
    invoice(books)
    with XeroServer(XeroState()) as elsewhere:
        place = {"Location": f"{elsewhere.url}/api.xro/2.0/Invoices"}
        server.fail("Invoices", lambda *_: Reply(302, headers=place))
        error = (await shelf.sync("invoices"))["invoices"].error

        assert error is not None
        assert "not the configured" in str(error)
        assert 0 == len(elsewhere.requests)


async def test_a_record_that_cannot_land_is_set_aside(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """The others go on, and in a list that is read whole nothing is taken for deleted."""
    ids = [books.put("Items", {"Code": f"I{n}"}) for n in range(3)]
    await shelf.read("items")

    def broken(_request: Request, reply: Reply) -> Reply:
        body = json.loads(reply.body)
        body["Items"][1] = {"Code": "no id"}
        reply.body = json.dumps(body).encode()
        return reply

    server.fail("Items", broken)
    await shelf.read("items")

    assert 1 == len(shelf.rejected)
    assert sorted(ids) == sorted(shelf.upserts("items"))


# Doctor.


async def checked(shelf: Shelf) -> ScopeReport:
    """What doctor tells."""
    async with shelf.connector.open(shelf.configured(), shelf.resources()) as session:
        report = await CONNECTOR.check(session)
    assert isinstance(report, ScopeReport)
    return report


async def test_doctor_tells_the_organisation_and_its_rights(shelf: Shelf, books: XeroState) -> None:
    """Which ledger it is, what a stream lacks, and which rights nobody needs."""
    books.scopes = (*SCOPES[:1], *SCOPES[2:], "accounting.contacts", "files", "offline_access")
    organisation = {"Name": "Nordlicht", "BaseCurrency": "EUR"}
    organisation |= {"FinancialYearEndDay": 31, "FinancialYearEndMonth": 1}  # type: ignore[dict-item]
    books.put("Organisations", organisation)

    report = await checked(shelf)

    assert f"organisation Nordlicht GmbH ({TENANT}), base currency EUR" == report.account
    lacking = ("payments", "overpayments", "prepayments", "batch_payments")
    assert dict.fromkeys(lacking, ("accounting.payments.read",)) == report.missing
    assert ("accounting.contacts", "files") == report.needless
    assert any("31.1." in note for note in report.notes)


async def test_doctor_takes_the_older_broad_scopes(shelf: Shelf, books: XeroState) -> None:
    """Apps from before March 2026 hold them until September 2027."""
    books.scopes = (
        "accounting.transactions.read",
        "accounting.contacts.read",
        "accounting.settings.read",
        "offline_access",
    )

    report = await checked(shelf)

    assert ({}, ()) == (report.missing, report.needless)


async def test_doctor_tells_a_starter_tier(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """A thousand calls a day instead of five thousand."""
    books.put("Organisations", {"Name": "Nordlicht"})
    server.per_day = 1_000

    assert any("daily_calls" in note for note in (await checked(shelf)).notes)


async def test_doctor_says_that_the_organisation_is_not_connected(
    shelf: Shelf,
) -> None:
    """And which ones are."""
    shelf.settings = {"tenant_id": "5b1f2f2e-0000-4000-8000-000000000001"}

    with pytest.raises(AccessDenied, match="Nordlicht GmbH"):
        await checked(shelf)

"""Chargebee: what it refuses, how it is asked, and what is never read as "no rows"."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base.client import Response
from connectors.base.errors import (
    AccessDenied,
    BudgetSpent,
    ConfigError,
    OriginRefused,
    ProtocolError,
    VendorError,
)
from connectors.base.stream import ScopeReport
from connectors.chargebee import CONNECTOR
from connectors.chargebee.session import THROTTLED_SECONDS, pause
from connectors.chargebee.settings import ChargebeeSettings
from sandbox.chargebee import API_KEY, ChargebeeServer, ChargebeeState, Key
from sandbox.exchange import Reply, Request, reply_html, reply_json
from tests.connectors.chargebee.shelf import Shelf


async def doctor(shelf: Shelf) -> ScopeReport:
    """What the connector's check says."""
    async with CONNECTOR.open(shelf.configured(), shelf.resources()) as session:
        report: ScopeReport = await CONNECTOR.check(session)
        return report


def given(**more: Any) -> ChargebeeSettings:
    return ChargebeeSettings.model_validate({"site": "acme", "api_key": "live_x", **more})


async def test_the_key_is_the_user_and_the_password_is_empty(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf
) -> None:
    """Basic authentication as Chargebee has it; the sandbox refuses any other form."""
    site.has("customers", "c1")

    assert ["c1"] == (await shelf.read("customers")).ids
    assert all(one.headers["authorization"].startswith("Basic ") for one in server.requests)


async def test_a_refused_key_ends_the_whole_source(site: ChargebeeState, shelf: Shelf) -> None:
    """No stream can be read, and none is empty."""
    site.keys.clear()

    with pytest.raises(AccessDenied, match="authenticate") as caught:
        await shelf.read("customers")

    assert caught.value.whole_source


async def test_a_right_that_is_missing_fails_its_stream_alone(
    site: ChargebeeState, shelf: Shelf
) -> None:
    """Rows that vanish for lack of access look like missing money."""
    site.keys[API_KEY] = Key(frozenset({"transactions"}))
    site.has("invoices", "INV-1")

    outcomes = await shelf.sync("transactions", "invoices")

    assert isinstance(outcomes["transactions"].error, AccessDenied)
    assert not outcomes["transactions"].error.whole_source
    assert ["INV-1"] == outcomes["invoices"].ids


async def test_no_error_shows_the_key(server: ChargebeeServer, shelf: Shelf) -> None:
    """Vendors repeat what they were sent."""
    answer = reply_json({"message": f"bad key {API_KEY}", "api_error_code": "x"}, 400)
    server.fail("customers", lambda _request, _reply: answer)

    with pytest.raises(VendorError) as caught:
        await shelf.read("customers")

    assert API_KEY not in str(caught.value)


async def test_the_limit_is_met_with_the_pause_that_the_vendor_asks_for(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf
) -> None:
    """Chargebee flags accounts that go on asking."""
    site.has("customers", "c1")
    body = {"message": "limit", "api_error_code": "api_request_limit_exceeded"}
    fault = server.fail("customers", lambda *_: reply_json(body, 429, {"Retry-After": "0"}))

    assert ["c1"] == (await shelf.read("customers")).ids
    assert 1 == fault.met


async def test_a_longer_pause_ends_the_run_politely(server: ChargebeeServer, shelf: Shelf) -> None:
    """The cursor stays, the next run goes on."""
    body = {"message": "limit", "api_error_code": "api_request_limit_exceeded"}
    server.fail("customers", lambda *_: reply_json(body, 429, {"Retry-After": "600"}))

    with pytest.raises(BudgetSpent):
        await shelf.read("customers")


def test_a_429_without_a_word_waits_longer_than_other_faults() -> None:
    """The limit is per minute: four short pauses would all fall into the same one."""

    def answer(status: int) -> Response:
        return Response(status, {}, b"", None)  # type: ignore[arg-type]  # no clock is asked

    assert THROTTLED_SECONDS == pause(answer(429), 1)
    assert 4 * THROTTLED_SECONDS > 60
    assert pause(answer(503), 1) is None


async def test_our_own_budget_stays_below_the_sites(tmp_path: Path) -> None:
    """A share of the minute is left to the site's other programs."""
    with ChargebeeServer() as server:
        shelf = Shelf(server, tmp_path, {"requests_per_minute": 100})
        async with CONNECTOR.open(shelf.configured(), shelf.resources()) as session:
            report = session.report()["minute"]

    assert 85 == report["usable"]
    assert "60s" == report["per"]


@pytest.mark.parametrize(
    ("settings", "per_minute"),
    [
        ({}, 150),
        ({"plan": "performance"}, 1_000),
        ({"plan": "enterprise"}, 3_500),
        ({"site": "acme-test", "plan": "enterprise"}, 150),
        ({"requests_per_minute": 40}, 40),
    ],
)
def test_the_plan_and_the_kind_of_site_give_the_limit(
    settings: dict[str, Any], per_minute: int
) -> None:
    """Every test site has the smallest."""
    assert per_minute == given(**settings).per_minute


@pytest.mark.parametrize(
    "text", ["acme", "ACME", "acme.chargebee.com", "https://acme.chargebee.com/api/v2"]
)
def test_a_site_is_taken_from_whatever_was_copied(text: str) -> None:
    """The address bar is what a person has at hand."""
    assert "https://acme.chargebee.com" == given(site=text).address


@pytest.mark.parametrize("text", ["", "acme.example.com", "acme@evil", "-acme", "a_b"])
def test_a_site_that_would_lead_elsewhere_is_refused(text: str) -> None:
    """The key goes to one host of Chargebee's alone."""
    with pytest.raises(ValidationError):
        given(site=text)


@pytest.mark.parametrize("key", ["", "  ", "user:password"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    """Before any call."""
    with pytest.raises(ValidationError):
        given(api_key=key)


def test_an_unknown_stream_is_named(shelf: Shelf) -> None:
    """With those that are known."""
    with pytest.raises(ValidationError, match="unknown stream invoice; known are customers"):
        shelf.configured(streams=("invoice",))


def test_lines_come_with_what_they_belong_to(shelf: Shelf) -> None:
    """Invoices without their further lines would not add up."""
    active = CONNECTOR.active
    assert active is not None

    assert ("invoices", "invoice_line_pages") == active(shelf.configured(streams=("invoices",)))


async def test_a_redirect_to_another_host_is_not_followed(
    server: ChargebeeServer, shelf: Shelf
) -> None:
    """The key must not leave the site."""
    server.fail("customers", lambda *_: Reply(302, headers={"Location": "https://evil.example/"}))

    with pytest.raises(OriginRefused):
        await shelf.read("customers")


@pytest.mark.parametrize(
    "answer",
    [
        reply_html("<html>Sign in</html>"),
        Reply(200, b""),
        reply_json({}),
        reply_json({"message": "oops", "api_error_code": "internal_error"}),
        reply_json({"list": {"customer": {}}}),
    ],
    ids=["a page", "nothing", "an empty object", "an error under 200", "no list"],
)
async def test_a_200_that_is_no_list_is_an_error(
    server: ChargebeeServer, shelf: Shelf, answer: Reply
) -> None:
    """Read as "no customers", it would bury them all."""
    server.fail("customers", lambda *_: answer, times=10)

    with pytest.raises(ProtocolError):
        await shelf.read("customers")


async def test_an_answer_that_breaks_off_is_asked_for_again(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a page is no page."""
    monkeypatch.setattr("connectors.base.client.random.uniform", lambda *_: 0.01)
    site.has("customers", "c1")

    def cut(_request: Request, reply: Reply) -> Reply:
        reply.cut_after = 20
        return reply

    fault = server.fail("customers", cut)

    assert ["c1"] == (await shelf.read("customers")).ids
    assert 1 == fault.met


async def test_a_site_that_is_none_is_told_apart_from_a_missing_record(
    server: ChargebeeServer, shelf: Shelf
) -> None:
    """Where to look: the settings, not the data."""
    body = {"message": "no site", "api_error_code": "site_not_found", "http_status_code": 404}
    server.fail("configurations", lambda *_: reply_json(body, 404))

    with pytest.raises(AccessDenied, match="Check `site`") as caught:
        await shelf.read("customers")

    assert caught.value.whole_source


async def test_a_site_that_does_not_tell_its_catalogue_asks_for_the_setting(
    site: ChargebeeState, shelf: Shelf
) -> None:
    """A key of few rights may not read configurations; guessing would read the wrong lists."""
    site.keys[API_KEY] = Key(frozenset({"configurations"}))
    site.has("items", "one")

    with pytest.raises(ConfigError, match="product_catalog"):
        await shelf.read("items")
    shelf.settings["product_catalog"] = "2.0"
    assert ["one"] == (await shelf.read("items")).ids


async def test_doctor_names_the_site_and_what_the_key_may_not_read(
    site: ChargebeeState, shelf: Shelf
) -> None:
    """Before the first night, not after it."""
    site.keys[API_KEY] = Key(frozenset({"invoices", "events"}))
    site.disabled.add("orders")

    report = await doctor(shelf)

    assert "Chargebee site acme-test, Product Catalog 2.0" == report.account
    assert {"invoices", "(deletes)"} == set(report.missing)
    assert "customers" in report.granted
    assert "plans" not in report.granted
    assert any("orders will be skipped" in note for note in report.notes)
    assert any("test site" in note for note in report.notes)


async def test_doctor_ends_at_a_refused_key(site: ChargebeeState, shelf: Shelf) -> None:
    """One message, not fourteen."""
    site.keys.clear()

    with pytest.raises(AccessDenied):
        await doctor(shelf)

"""Odoo: refusals, which JSON-RPC hides under a 200, and faults on the way."""

import pytest

from connectors.base.errors import AccessDenied, ProtocolError
from connectors.odoo import CONNECTOR
from sandbox.exchange import Reply, Request, reply_html, reply_json
from sandbox.odoo import OdooServer, OdooState
from tests.connectors.odoo.shelf import Shelf


def rpc_error(name: str, message: str, code: int = 200) -> Reply:
    """A refusal as JSON-RPC has it."""
    data = {"name": name, "message": message, "debug": "Traceback: secret row", "arguments": []}
    error = {"code": code, "message": "Odoo Server Error", "data": data}
    return reply_json({"jsonrpc": "2.0", "id": 1, "error": error})


async def test_a_wrong_key_stops_the_source_with_words_that_help(
    crm: OdooState, shelf: Shelf
) -> None:
    """JSON-RPC answers a plain false under 200, JSON-2 a 401."""
    crm.api_key = "another"

    with pytest.raises(AccessDenied) as caught:
        await shelf.deals()

    assert caught.value.whole_source


async def test_a_model_that_may_not_be_read_fails_its_stream_alone(
    crm: OdooState, shelf: Shelf
) -> None:
    """An AccessError must never be read as "no records"."""
    crm.add("crm.lead", type="opportunity")
    crm.refused.add("crm.lead")

    outcomes = await shelf.sync("deals", "stages")

    assert isinstance(outcomes["deals"].error, AccessDenied)
    assert not outcomes["deals"].error.whole_source
    assert outcomes["stages"].error is None


async def test_an_app_that_is_not_installed_is_skipped_with_a_note(shelf: Shelf) -> None:
    """Most databases have no helpdesk; that is no fault."""
    outcomes = await shelf.sync("tickets", "projects")

    assert outcomes["tickets"].error is None
    assert "helpdesk.ticket is not installed" in outcomes["tickets"].notes[0]


async def test_a_core_app_that_vanished_fails_the_stream(crm: OdooState, shelf: Shelf) -> None:
    """What was read before and is gone now is no empty pipeline."""
    del crm.schema["crm.lead"]

    with pytest.raises(AccessDenied, match=r"no model crm\.lead"):
        await shelf.deals()


async def test_a_passing_fault_of_the_database_is_tried_again(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """Parallel writers make reads fail now and then, under a 200."""
    crm.add("crm.lead", type="opportunity")
    fault = server.fail(
        "jsonrpc",
        lambda _request, _reply: rpc_error("psycopg2.errors.SerializationFailure", "again"),
        times=2,
        skip=1,
    )

    await shelf.deals()

    assert crm.ids("crm.lead") == shelf.live("deals")
    assert fault.met in ({0} if server.major == 19 else {2})


async def test_an_expired_session_signs_in_once_more(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """H-11: some proxies bind calls to a session and say so."""
    crm.add("crm.lead", type="opportunity")
    server.fail(
        "jsonrpc",
        lambda _request, _reply: rpc_error("odoo.http.SessionExpiredException", "expired", 100),
        skip=2,
    )

    await shelf.deals()

    assert crm.ids("crm.lead") == shelf.live("deals")


async def test_a_login_page_in_an_answers_place_is_no_end(
    crm: OdooState, server: OdooServer, shelf: Shelf
) -> None:
    """H-07: a proxy's page under 200 must not look like an empty list."""
    crm.add("crm.lead", type="opportunity")
    server.fail("json", lambda _request, _reply: reply_html("<html>Sign in</html>"), skip=4)

    with pytest.raises(ProtocolError):
        await shelf.deals()

    assert "since" not in shelf.cursors.get("deals", {})


async def test_a_traceback_is_never_said(crm: OdooState, server: OdooServer, shelf: Shelf) -> None:
    """``debug`` can carry rows and credentials."""
    crm.add("crm.lead", type="opportunity")

    def refuse(_request: Request, _reply: Reply) -> Reply:
        return rpc_error("builtins.ValueError", "no such luck")

    server.fail("jsonrpc", refuse, skip=3, times=9)

    outcome = (await shelf.sync("deals"))["deals"]

    if server.major == 17:
        assert "no such luck" in str(outcome.error)
    assert "secret row" not in str(outcome.error)


async def test_doctor_says_who_we_are_and_what_is_missing(crm: OdooState, shelf: Shelf) -> None:
    """The stage history needs more than a seller's rights."""
    crm.refused.add("mail.tracking.value")

    async with CONNECTOR.open(shelf.configured(), shelf.resources()) as session:
        report = await CONNECTOR.check(session)

    assert report.account.startswith("Odoo")
    assert {"tracking_values": ("mail.tracking.value: read",)} == report.missing
    assert "crm.lead: read" in report.granted
    assert any("tickets will be skipped" in note for note in report.notes)

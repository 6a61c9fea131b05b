"""Signing in to Xero: tokens that are replaced at every use, and custom connections."""

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.base.errors import AccessDenied
from connectors.xero import XeroSettings
from pipeledger.project import ROOT
from sandbox.exchange import Request
from sandbox.xero import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, TENANT, XeroServer, XeroState
from tests.connectors.xero.shelf import Shelf, invoice


def tokens(server: XeroServer) -> list[Request]:
    """The requests for a token."""
    return [one for one in server.requests if one.path == "/connect/token"]


async def run_killed(shelf: Shelf, *more: str) -> tuple[int, str, str]:
    """Refresh in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("killed.py"))),
        *(json.dumps(shelf.reach()), str(shelf.state_dir), *more),
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_token_is_asked_for_as_xero_wants_it(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """Id and secret in the header, the refresh token in the form, the newest kept on disk."""
    invoice(books)
    await shelf.read()
    books.advance(minutes=31)

    await shelf.read()

    first, second = tokens(server)
    assert {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN} == first.form()
    assert first.headers["authorization"].startswith("Basic ")
    assert REFRESH_TOKEN != second.form()["refresh_token"]


async def test_an_access_token_that_ends_under_way_is_renewed_once(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """It lives for half an hour; a load may take longer."""
    ids = [invoice(books) for _ in range(3)]
    await shelf.read()
    books.access.clear()

    outcomes = await shelf.sync("invoices", "contacts", "payments")

    assert all(one.error is None for one in outcomes.values())
    assert 2 == len(tokens(server))
    assert sorted(ids) == sorted(shelf.upserts("invoices"))


async def test_streams_side_by_side_refresh_once(shelf: Shelf, server: XeroServer) -> None:
    """Each refresh voids the token before it: two at once would lock us out."""
    settings, resources = shelf.configured(), shelf.resources()
    async with (
        shelf.connector.open(settings, resources) as one,
        shelf.connector.open(settings, resources) as two,
    ):
        await asyncio.gather(*(session.tenants() for session in (one, two) * 5))

    assert 1 == len(tokens(server))


async def test_two_processes_refresh_once(shelf: Shelf, server: XeroServer) -> None:
    """They wait for each other, and the second takes what the first has stored."""
    ended = await asyncio.gather(run_killed(shelf), run_killed(shelf), run_killed(shelf))

    assert [(0, TENANT, "")] * 3 == list(ended)
    assert 1 == len(tokens(server))


@pytest.mark.parametrize("rotations_before", [0, 1])
async def test_a_kill_during_the_rotation_leaves_a_usable_token(
    shelf: Shelf, books: XeroState, rotations_before: int
) -> None:
    """The answer is lost; for half an hour Xero takes the old token once more."""
    for _ in range(rotations_before):
        await run_killed(shelf)
        for store in shelf.state_dir.parent.glob("xero-sign-in-*.json"):
            held = json.loads(store.read_bytes()) | {"obtained_at": 0}
            store.write_text(json.dumps(held))
    killed = await run_killed(shelf, "kill")
    books.advance(minutes=29)

    after = await run_killed(shelf)

    assert 9 == killed[0]
    assert (0, TENANT, "") == after


async def test_a_kill_and_a_long_night_ask_to_sign_in_again(shelf: Shelf, books: XeroState) -> None:
    """After its grace the old token is worth nothing, and nobody shall search for the cause."""
    killed = await run_killed(shelf, "kill")
    books.advance(minutes=31)

    outcome = (await shelf.sync("invoices"))["invoices"]

    assert 9 == killed[0]
    assert isinstance(outcome.error, AccessDenied)
    assert outcome.error.whole_source
    assert "invalid_grant" in str(outcome.error)
    assert "Sign in again" in str(outcome.error)


async def test_a_refresh_token_that_slept_too_long_is_said(shelf: Shelf, books: XeroState) -> None:
    """Sixty days without a use end it."""
    books.advance(days=61)

    error = (await shelf.sync("invoices"))["invoices"].error

    assert error is not None
    assert "Sign in again" in str(error)


async def test_a_new_sign_in_takes_the_place_of_the_stored_one(
    shelf: Shelf, books: XeroState
) -> None:
    """Whoever has signed in again shall not have to find a file and delete it."""
    await shelf.read()
    books.advance(days=90)
    books.refresh["a-new-one"] = type(books.refresh[REFRESH_TOKEN])(books.now)
    books.access.clear()
    for store in shelf.state_dir.parent.glob("xero-sign-in-*.json"):
        held = json.loads(store.read_bytes()) | {"obtained_at": 0}
        store.write_text(json.dumps(held))
    shelf.settings = {"refresh_token": "a-new-one"}

    await shelf.read()


async def test_the_store_is_private_and_holds_the_newest(shelf: Shelf, books: XeroState) -> None:
    """Whoever reads it owns the ledger."""
    await shelf.read()

    (store,) = shelf.state_dir.parent.glob("xero-sign-in-*.json")
    assert 0o600 == store.stat().st_mode & 0o777
    assert json.loads(store.read_bytes())["refresh_token"] in books.refresh
    assert REFRESH_TOKEN != json.loads(store.read_bytes())["refresh_token"]


async def test_a_custom_connection_asks_for_what_it_reads(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """No refresh token: id and secret are enough, and the scopes are named."""
    one = invoice(books)
    shelf.settings = {"refresh_token": None, "streams": ["invoices", "contacts"]}

    assert [one] == (await shelf.read()).ids
    (asked,) = tokens(server)
    assert {
        "grant_type": "client_credentials",
        "scope": "accounting.invoices.read accounting.contacts.read",
    } == asked.form()


async def test_a_refused_custom_connection_says_what_to_check(
    shelf: Shelf, books: XeroState
) -> None:
    """A scope that it was not given is refused at the sign-in already."""
    books.scopes = ("accounting.contacts.read",)
    shelf.settings = {"refresh_token": None}

    error = (await shelf.sync("invoices"))["invoices"].error

    assert isinstance(error, AccessDenied)
    assert "invalid_scope" in str(error)
    assert "scopes" in str(error)


async def test_no_secret_is_said(shelf: Shelf, books: XeroState) -> None:
    """Not in an error, not in a landed record."""
    books.advance(days=61)

    error = (await shelf.sync("invoices"))["invoices"].error

    assert CLIENT_SECRET not in str(error)
    assert REFRESH_TOKEN not in str(error)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_secret": None, "refresh_token": None},
        {"tenant_id": "Nordlicht"},
        {"page_size": 1_001},
        {"streams": ["deals"]},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    """At the start, not in the middle of the night."""
    given = {"client_id": CLIENT_ID, "client_secret": "s", "refresh_token": "r", **wrong}

    with pytest.raises(ValidationError):
        XeroSettings.model_validate(given)


def test_sixty_days_are_a_fact_of_the_sandbox(books: XeroState) -> None:
    """The tests above stand on it."""
    books.advance(days=60)
    assert books.exchange(REFRESH_TOKEN) is not None
    books.now += timedelta(minutes=31)
    assert books.exchange(REFRESH_TOKEN) is None

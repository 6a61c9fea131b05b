"""Gmail: history and its end, labels, deletes, signed assertions, closed mailboxes."""

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base.errors import AccessDenied, ConfigError
from connectors.base.stream import ReadRequest, Resources
from connectors.gmail import CONNECTOR, check
from connectors.gmail.settings import GmailSettings
from pipeledger.settings import load_settings
from sandbox.exchange import reply_json
from sandbox.gmail import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, GmailServer, GoogleMailbox
from sandbox.http import Fault
from tests.connectors.mail_reader import NOW, MailReader, payloads

SAM, EVA, ME = "sam@acme.test", "eva@acme.test", "me@acme.test"


@pytest.fixture
def server() -> Iterator[GmailServer]:
    """A Workspace without mail; a defect of the sandbox fails the test."""
    with GmailServer() as running:
        yield running
    assert not running.errors


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.gmail.session.FIRST_PAUSE_SECONDS", 0.01)


def reader_of(server: GmailServer, folder: Path, **changes: Any) -> MailReader:
    return MailReader(
        CONNECTOR,
        folder,
        {
            "mailboxes": [SAM],
            "service_account": server.key_file(),
            "base_url": server.url,
            "token_url": f"{server.url}/token",
            "quota_profile": "legacy",
            "page_size": 2,
            **changes,
        },
    )


def test_a_message_lands_with_its_thread_and_without_its_text(
    server: GmailServer, tmp_path: Path
) -> None:
    """Only the headers that are named are asked for; the snippet is part of the text."""
    server.deliver(SAM, headers={"References": "<a@acme.test> <b@acme.test>", "Precedence": "bulk"})

    records = reader_of(server, tmp_path).read()

    row = payloads(records)[0]
    assert "m1@example.com" == row["message_id"]
    assert ["a@acme.test", "b@acme.test"] == row["references"]
    assert [{"name": "Ana", "address": "ana@example.com"}] == row["from"]
    assert ("bulk", ["INBOX"]) == (row["precedence"], row["flags"])
    assert "SECRET-CONTENT" not in json.dumps(row)


def test_the_text_lands_where_it_is_told_by_a_wider_scope(
    server: GmailServer, tmp_path: Path
) -> None:
    """Plain before HTML, in its charset; the snippet and what is attached stay out."""
    server.deliver(
        SAM,
        parts=[
            {
                "mimeType": "multipart/alternative",
                "parts": [
                    part("text/html", "<p>html</p>", "utf-8"),
                    part("text/plain", "Grüße", "iso-8859-1"),
                ],
            },
            {**part("text/plain", "ATTACHED", "utf-8"), "filename": "notes.txt"},
        ],
    )
    server.deliver(SAM, message_id="<m2@example.com>", parts=[part("text/html", "a<br>b", "utf-8")])
    server.deliver(SAM, message_id="<m3@example.com>")

    found = payloads(reader_of(server, tmp_path, store_bodies=True).read())
    plain = payloads(reader_of(server, tmp_path / "plain").read())

    texts = {row["message_id"][:2]: (row["body_text"], row["is_body_cut"]) for row in found}
    assert {"m1": ("Grüße", False), "m2": ("a\nb", False), "m3": (None, False)} == texts
    assert "SECRET-CONTENT" not in json.dumps(found)
    assert not [row for row in plain if {"body_text", "is_body_cut"} & set(row)]


def part(kind: str, text: str, charset: str) -> dict[str, Any]:
    """A part as Gmail shows one: decoded from its transfer encoding, in its own charset."""
    data = base64.urlsafe_b64encode(text.encode(charset)).decode().rstrip("=")
    headers = [{"name": "Content-Type", "value": f'{kind}; charset="{charset}"'}]
    return {"mimeType": kind, "filename": "", "headers": headers, "body": {"data": data}}


def test_the_second_run_finds_what_is_new_labelled_thrown_away_and_gone(
    server: GmailServer, tmp_path: Path
) -> None:
    """A read mark is no event; a label, the trash and a deletion are."""
    labelled, thrown, gone, quiet = (
        server.deliver(SAM, message_id=f"<m{n}@example.com>") for n in range(4)
    )
    reader = reader_of(server, tmp_path)
    reader.read()
    server.label(SAM, labelled, "Label_7")
    server.label(SAM, thrown, "TRASH")
    server.label(SAM, quiet, "STARRED")
    server.remove(SAM, gone)
    new = server.deliver(SAM, message_id="<m9@example.com>", labels=("SENT",))
    draft = server.deliver(SAM, message_id="<d@example.com>", labels=("DRAFT",))

    records = reader.read()

    changes = {one.record_id.partition(":")[2]: one.change for one in records}
    assert changes == {labelled: "upsert", thrown: "archived", gone: "deleted", new: "upsert"}
    assert draft not in changes
    assert [] == reader.read()


def test_a_run_that_ends_after_any_page_loses_nothing(server: GmailServer, tmp_path: Path) -> None:
    """The listing begins again and asks only for what has not landed."""
    ids = {server.deliver(SAM, message_id=f"<m{n}@example.com>") for n in range(7)}
    reader = reader_of(server, tmp_path)
    for _ in range(3):
        reader.read(pages=1)
    server.remove(SAM, sorted(ids)[6])

    reader.read()

    assert {f"{SAM}:{one}" for one in sorted(ids)[:6]} == reader.live


def test_an_expired_history_lists_all_again_and_finds_what_vanished(
    server: GmailServer, tmp_path: Path
) -> None:
    """Without it the mailbox is frozen for ever, the classic fault of Gmail connectors."""
    kept, gone, thrown = (server.deliver(SAM, message_id=f"<m{n}@x.com>") for n in range(3))
    reader = reader_of(server, tmp_path)
    reader.read()
    server.remove(SAM, gone)
    server.label(SAM, thrown, "TRASH")
    new = server.deliver(SAM, message_id="<m9@x.com>")
    server.forget(SAM)

    changes = {one.record_id.partition(":")[2]: one.change for one in reader.read()}

    assert {gone: "deleted", thrown: "archived", new: "upsert"} == changes
    assert {f"{SAM}:{kept}", f"{SAM}:{new}"} == reader.live
    assert "history" in reader.cursor["mailboxes"][SAM]


def test_a_mailbox_that_is_not_there_is_reported_and_the_others_are_read(
    server: GmailServer, tmp_path: Path
) -> None:
    """One person who left must not silence the sales team."""
    server.deliver(SAM)
    reader = reader_of(server, tmp_path, mailboxes=[EVA, SAM])

    with pytest.raises(AccessDenied, match="Invalid email or User ID") as refused:
        reader.read()

    assert not refused.value.whole_source
    assert 1 == len(reader.live)


def test_mail_older_than_the_limit_does_not_land(server: GmailServer, tmp_path: Path) -> None:
    """The listing has no dates: it ends where arrivals are too old."""
    server.deliver(SAM, arrived_ms=1_500_000_000_000, message_id="<old@x.com>")
    new = server.deliver(SAM)
    reader = reader_of(server, tmp_path)

    reader.read()

    assert {f"{SAM}:{new}"} == reader.live


def test_a_throttled_request_is_asked_again(server: GmailServer, tmp_path: Path) -> None:
    """Every part of the allowance is per minute."""
    server.deliver(SAM)
    body = {"error": {"code": 429, "errors": [{"reason": "rateLimitExceeded"}]}}
    server.faults.append(Fault("messages/18c", lambda *_: reply_json(body, 429)))
    reader = reader_of(server, tmp_path)

    reader.read()

    assert 1 == len(reader.live)


def test_a_person_signs_in_with_a_refresh_token(server: GmailServer, tmp_path: Path) -> None:
    """For mailboxes without an administrator who could delegate."""
    server.deliver(ME)
    reader = reader_of(
        server,
        tmp_path,
        mailboxes=[ME],
        service_account=None,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        refresh_token=REFRESH_TOKEN,
    )

    reader.read()

    assert 1 == len(reader.live)


def test_a_broken_key_is_refused_without_showing_it(server: GmailServer, tmp_path: Path) -> None:
    """It opens every mailbox of the Workspace."""
    key = '{"client_email": "a@b", "private_key": "SECRET-PEM-4711"}'
    reader = reader_of(server, tmp_path, service_account=key)

    with pytest.raises(ConfigError, match="JSON key of a service account") as refused:
        reader.read()

    assert "SECRET-PEM" not in str(refused.value)


@pytest.mark.parametrize(("hidden", "expected"), [(False, True), (True, False)])
async def test_a_message_that_cannot_be_read_is_kept_unless_people_are_hidden(
    server: GmailServer, tmp_path: Path, hidden: bool, expected: bool
) -> None:
    """The quarantine would be the one place with everybody's address."""
    identity = server.deliver(SAM)
    server.mailboxes[SAM].messages[identity]["sizeEstimate"] = "big"
    more = {"hash_addresses": True, "hash_key": "k"} if hidden else {}
    reader = reader_of(server, tmp_path, **more)
    stream = CONNECTOR.stream("messages")
    assert stream.read is not None

    async with CONNECTOR.open(
        reader.settings, Resources("mail", str(tmp_path), lambda: NOW)
    ) as session:
        request = ReadRequest(stream, "mail", NOW)
        rejected = [one async for page in stream.read(session, request) for one in page.rejected]

    assert [expected] == [b"ana@example.com" in one.raw for one in rejected]


def test_the_key_may_stand_in_a_variable_as_google_gives_it(
    server: GmailServer, tmp_path: Path
) -> None:
    """Variables that hold JSON are read as such, and a key file is JSON."""
    path = tmp_path / "pipeledger.toml"
    path.write_text(f'[sources.gmail.mail]\nmailboxes = ["{SAM}"]\n')
    variable = "PIPELEDGER__SOURCES__GMAIL__MAIL__SERVICE_ACCOUNT"

    (found,) = load_settings(path, {variable: server.key_file()}).settings.connections

    assert isinstance(found.settings, GmailSettings)
    assert json.loads(server.key_file()) == found.settings.key()


def test_settings_want_one_way_to_sign_in(server: GmailServer, tmp_path: Path) -> None:
    """Two would leave open which one reads the mailbox."""
    with pytest.raises(ValidationError, match="not both"):
        reader_of(server, tmp_path, refresh_token=REFRESH_TOKEN)
    with pytest.raises(ValidationError, match="give `service_account`"):
        reader_of(server, tmp_path, service_account=None)


def test_the_doctor_names_the_mailbox_that_is_closed(server: GmailServer, tmp_path: Path) -> None:
    """Delegation fails per mailbox."""
    server.mailboxes[SAM] = GoogleMailbox()
    reader = reader_of(server, tmp_path, mailboxes=[SAM, EVA])

    async def ask() -> Any:
        resources = Resources("mail", str(tmp_path), lambda: NOW)
        async with CONNECTOR.open(reader.settings, resources) as session:
            return await check(session)

    report = asyncio.run(ask())

    assert "1 of 2 mailboxes can be read" == report.notes[0]
    assert "messages" in report.missing

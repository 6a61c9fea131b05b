"""Microsoft 365: new, moved and vanished mail, dead links, closed mailboxes."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base.errors import AccessDenied, OriginRefused
from connectors.base.stream import Resources
from connectors.msgraph import CONNECTOR, check
from sandbox.exchange import reply_json
from sandbox.http import Fault
from sandbox.msgraph import (
    CLIENT_ID,
    CLIENT_SECRET,
    REFRESH_TOKEN,
    TENANT,
    GraphServer,
)
from tests.connectors.mail_reader import NOW, MailReader, payloads

SAM, EVA = "sam@acme.test", "eva@acme.test"


@pytest.fixture
def server() -> Iterator[GraphServer]:
    """A tenant without mail; a defect of the sandbox fails the test."""
    with GraphServer() as running:
        yield running
    assert not running.errors


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.msgraph.session.FIRST_PAUSE_SECONDS", 0.01)


def reader_of(server: GraphServer, folder: Path, **changes: Any) -> MailReader:
    return MailReader(
        CONNECTOR,
        folder,
        {
            "tenant": TENANT,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "mailboxes": [SAM],
            "base_url": f"{server.url}/v1.0",
            "login_url": server.url,
            "page_size": 2,
            **changes,
        },
    )


def test_a_message_lands_with_its_thread_and_without_its_text(
    server: GraphServer, tmp_path: Path
) -> None:
    """References come with a request of its own; the body is never asked for."""
    server.deliver(
        SAM,
        headers={"References": "<a@acme.test> <offer@acme.test>", "Auto-Submitted": "auto-replied"},
    )

    (row,) = payloads(reader_of(server, tmp_path).read())

    assert "m1@example.com" == row["message_id"]
    assert ["a@acme.test", "offer@acme.test"] == row["references"]
    assert [{"name": "Ana", "address": "ana@example.com"}] == row["from"]
    assert ("auto-replied", "date") == (row["auto_submitted"], row["sent_at_basis"])
    assert "SECRET-CONTENT" not in json.dumps(row)


@pytest.mark.parametrize("headers", [True, False])
def test_the_text_lands_where_it_is_told(
    server: GraphServer, tmp_path: Path, headers: bool
) -> None:
    """As text, by a request of its own; a server that shows HTML all the same is understood."""
    server.may_read_text = True
    server.deliver(SAM, html="<p>x</p>", text="Hello Sam")
    server.deliver(SAM, message_id="<m2@example.com>", html="<p>Hello <b>Eva</b></p>")

    reader = reader_of(server, tmp_path, store_bodies=True, headers=headers)
    found = payloads(reader.read())

    texts = {row["message_id"][:2]: (row["body_text"], row["is_body_cut"]) for row in found}
    assert {"m1": ("Hello Sam", False), "m2": ("Hello Eva", False)} == texts


def test_text_that_may_not_be_read_says_which_permission_is_missing(
    server: GraphServer, tmp_path: Path
) -> None:
    """Mail.ReadBasic.All, the default's permission, shows no text."""
    server.deliver(SAM)

    with pytest.raises(AccessDenied, match=r"Mail\.Read with store_bodies"):
        reader_of(server, tmp_path, store_bodies=True).read()


def test_what_was_sent_from_here_has_no_headers_and_keeps_its_conversation(
    server: GraphServer, tmp_path: Path
) -> None:
    """Headers are those of the way here; the conversation then holds the thread together."""
    server.deliver(SAM, "sentitems", sender=SAM, to="ana@example.com")

    (row,) = payloads(reader_of(server, tmp_path).read())

    assert (False, "conversation-Offer") == (row["has_headers"], row["conversation_id"])
    assert (None, "date") == (row["size"], row["sent_at_basis"])


def test_a_date_that_exchange_could_not_read_is_the_arrival(
    server: GraphServer, tmp_path: Path
) -> None:
    """It shows the arrival as if the sender had said so."""
    server.deliver(SAM, headers={"Date": "yesterday, after lunch"})

    (row,) = payloads(reader_of(server, tmp_path).read())

    assert "internaldate" == row["sent_at_basis"]


def test_the_second_run_finds_what_is_new_flagged_moved_thrown_away_and_gone(
    server: GraphServer, tmp_path: Path
) -> None:
    """A move is removed here and shown there: only what is nowhere is deleted."""
    moved, thrown, gone, flagged = (
        server.deliver(SAM, message_id=f"<m{n}@example.com>") for n in range(4)
    )
    reader = reader_of(server, tmp_path)
    reader.read()
    server.move(SAM, moved, "archive")
    server.move(SAM, thrown, "deleteditems")
    server.remove(SAM, gone)
    server.flag(SAM, flagged)
    new = server.deliver(SAM, "sentitems", message_id="<m9@example.com>", sender=SAM)

    records = reader.read()

    changes: dict[str, Any] = {}
    for one in records:
        changes.setdefault(one.record_id.partition(":")[2], set()).add(one.change)
    wanted = {moved: {"upsert"}, thrown: {"archived"}, gone: {"deleted"}, flagged: {"upsert"}}
    assert {**wanted, new: {"upsert"}} == changes
    flags = {row["id"]: row["flags"] for row in payloads(records)}
    assert ["flagged"] == flags[flagged]
    assert {f"{SAM}:{one}" for one in (moved, flagged, new)} == reader.live


def test_a_quiet_run_lands_nothing(server: GraphServer, tmp_path: Path) -> None:
    """The links are the cursor: an hourly run must not read the mailbox again."""
    server.deliver(SAM)
    reader = reader_of(server, tmp_path)
    reader.read()

    assert [] == reader.read()


def test_a_run_that_ends_after_any_page_loses_nothing(server: GraphServer, tmp_path: Path) -> None:
    """Each page's link is stored with it."""
    ids = {server.deliver(SAM, message_id=f"<m{n}@example.com>") for n in range(7)}
    reader = reader_of(server, tmp_path)

    for _ in range(5):
        reader.read(pages=1)
    reader.read()

    assert {f"{SAM}:{one}" for one in ids} == reader.live


def test_a_dead_link_reads_all_again_and_finds_what_vanished_meanwhile(
    server: GraphServer, tmp_path: Path
) -> None:
    """A frozen mailbox is the classic fault of mail connectors; so are mails that stay for ever."""
    kept, gone = (server.deliver(SAM, message_id=f"<m{n}@example.com>") for n in range(2))
    reader = reader_of(server, tmp_path)
    reader.read()
    server.remove(SAM, gone)
    new = server.deliver(SAM, message_id="<m2@example.com>")
    server.expire_links()

    records = reader.read()

    assert {f"{SAM}:{kept}", f"{SAM}:{new}"} == reader.live
    assert [f"{SAM}:{gone}"] == [one.record_id for one in records if one.change == "deleted"]
    assert not reader.cursor["mailboxes"][SAM]["compare"]


def test_a_closed_mailbox_is_reported_and_the_others_are_read(
    server: GraphServer, tmp_path: Path
) -> None:
    """One person who left must not silence the sales team."""
    server.deliver(EVA)
    server.mailboxes[EVA].is_closed = True
    server.deliver(SAM)
    reader = reader_of(server, tmp_path, mailboxes=[EVA, SAM])

    with pytest.raises(AccessDenied, match=r"may not read this mailbox") as refused:
        reader.read()

    assert not refused.value.whole_source
    assert {f"{SAM}:AAkA0"} == reader.live


def test_a_throttled_and_an_expired_request_are_asked_again(
    server: GraphServer, tmp_path: Path
) -> None:
    """429 with Retry-After and a token that ended are everyday answers."""
    server.deliver(SAM)
    refused = reply_json({"error": {"code": "ApplicationThrottled"}}, 429, {"Retry-After": "0"})
    server.faults.append(Fault("messages/delta", lambda *_: refused))
    ended = reply_json({"error": {"code": "InvalidAuthenticationToken"}}, 401)
    server.faults.append(Fault("mailFolders/drafts", lambda *_: ended))
    reader = reader_of(server, tmp_path)

    assert 1 == len(reader.read())
    assert 2 == server.tokens


class PowerCut(BaseException):
    """The process is gone, between the vendor's answer and the disk."""


def cut(*_: Any) -> None:
    """In place of the write of a token."""
    raise PowerCut


def test_a_person_signs_in_and_the_newest_refresh_token_is_kept(
    server: GraphServer, tmp_path: Path
) -> None:
    """Each answer brings another; the configured one may be worth nothing by tomorrow."""
    server.is_rotation_strict = True
    server.deliver(SAM)
    reader = reader_of(server, tmp_path, refresh_token=REFRESH_TOKEN)
    reader.read()
    held = json.loads((tmp_path / "token.json").read_bytes())
    (tmp_path / "token.json").write_text(json.dumps(held | {"obtained_at": 0}))

    reader.read()

    assert 1 == len(reader.live)
    assert 2 == server.tokens


@pytest.mark.parametrize("rotations_before", [0, 1])
def test_a_kill_during_the_rotation_leaves_a_usable_token(
    server: GraphServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rotations_before: int
) -> None:
    """The answer is lost; Microsoft takes the token before it once more."""
    server.deliver(SAM)
    reader = reader_of(server, tmp_path, refresh_token=REFRESH_TOKEN)
    for _ in range(rotations_before):
        reader.read()
        held = json.loads((tmp_path / "token.json").read_bytes())
        (tmp_path / "token.json").write_text(json.dumps(held | {"obtained_at": 0}))
    with monkeypatch.context() as patch:
        patch.setattr("connectors.base.shared.write_durably", cut)
        with pytest.raises(PowerCut):
            reader.read()

    reader.read()

    assert {f"{SAM}:AAkA0"} == reader.live


def test_a_kill_where_the_old_token_is_void_asks_to_sign_in_again(
    server: GraphServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the person can mend it, so it says so, once, and shows no token."""
    server.is_rotation_strict = True
    server.deliver(SAM)
    reader = reader_of(server, tmp_path, refresh_token=REFRESH_TOKEN)
    with monkeypatch.context() as patch:
        patch.setattr("connectors.base.shared.write_durably", cut)
        with pytest.raises(PowerCut):
            reader.read()

    with pytest.raises(AccessDenied, match=r"AADSTS700082.*Sign in again") as refused:
        reader.read()

    assert refused.value.whole_source
    assert REFRESH_TOKEN not in str(refused.value)


def test_a_persons_grant_opens_one_mailbox(server: GraphServer, tmp_path: Path) -> None:
    """Many would be many refusals, found out at night."""
    with pytest.raises(ValidationError, match="opens one mailbox"):
        reader_of(server, tmp_path, refresh_token=REFRESH_TOKEN, mailboxes=[SAM, EVA])


def test_a_link_to_another_host_is_refused(server: GraphServer, tmp_path: Path) -> None:
    """The token opens every mailbox in its scope: it goes nowhere else."""
    for number in range(3):
        server.deliver(SAM, message_id=f"<m{number}@example.com>")
    server.link_host = "https://graph.microsoft.evil.test"

    with pytest.raises(OriginRefused):
        reader_of(server, tmp_path).read()


def test_a_wrong_secret_is_said_clearly_and_never_shown(
    server: GraphServer, tmp_path: Path
) -> None:
    """Not repeated either: the directory locks applications."""
    reader = reader_of(server, tmp_path, client_secret="wrong-secret-4711")

    with pytest.raises(AccessDenied, match="AADSTS7000215") as refused:
        reader.read()

    assert refused.value.whole_source
    assert "wrong-secret-4711" not in str(refused.value)
    assert 1 == server.count("token", "POST")


def test_the_doctor_names_the_mailbox_that_is_closed(server: GraphServer, tmp_path: Path) -> None:
    """The scope of an application is set per mailbox, by another administrator."""
    server.deliver(SAM)
    reader = reader_of(server, tmp_path, mailboxes=[SAM, EVA])

    async def ask() -> Any:
        resources = Resources("mail", str(tmp_path), lambda: NOW)
        async with CONNECTOR.open(reader.settings, resources) as session:
            return await check(session)

    report = asyncio.run(ask())

    assert "1 of 2 mailboxes can be read" == report.notes[0]
    assert {"messages": ("Mail.ReadBasic.All",)} == report.missing

"""IMAP: new, changed, moved and vanished mail, on servers rich and poor."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from connectors.base.errors import AccessDenied, ProtocolError, VendorError
from connectors.base.mail import (
    addresses,
    decode_text,
    message_ids,
    parse_headers,
    sent_at,
)
from connectors.base.stream import Page, ReadRequest, Resources
from connectors.imap import CONNECTOR, check, open_mailbox
from connectors.imap.responses import fetched, has_attachment, uid_set, uids
from connectors.imap.settings import ImapSettings
from sandbox.http import Reply, Request, SandboxServer, reply_json
from sandbox.imap import Box, ImapServer, Mailbox
from tests.connectors.certificates import BAD, authority_file, context_of

NOW = datetime(2026, 10, 15, 6, tzinfo=UTC)
BASIC = ("IMAP4rev1", "AUTH=PLAIN")


def mail(
    number: int, *, sender: str = "ana@example.com", extra: str = "", body: str = "x"
) -> bytes:
    return (
        f"From: Ana <{sender}>\r\nTo: Sam <sam@acme.test>\r\nSubject: Offer {number}\r\n"
        f"Date: Thu, 01 Oct 2026 10:59:00 +0200\r\nMessage-ID: <m{number}@example.com>\r\n"
        f"{extra}\r\n{body}\r\n"
    ).encode()


def settings(server: ImapServer, **changes: Any) -> ImapSettings:
    given = {
        "host": server.host,
        "port": server.port,
        "security": "plain",
        "username": server.mailbox.username,
        "password": server.mailbox.password,
        **changes,
    }
    return ImapSettings.model_validate({k: v for k, v in given.items() if v is not None})


def read(config: ImapSettings, cursor: Any = None, stream: str = "messages") -> list[Page]:
    """All pages of one read; the cursor goes through JSON as the runner stores it."""

    async def collect() -> list[Page]:
        resources = Resources("mail", "", lambda: NOW)
        async with open_mailbox(config, resources) as session:
            found = CONNECTOR.stream(stream)
            assert found.read is not None
            stored = json.loads(json.dumps(cursor)) if cursor else None
            request = ReadRequest(found, "mail", NOW, stored)
            return [page async for page in found.read(session, request)]

    return asyncio.run(collect())


def rows(pages: list[Page]) -> list[dict[str, Any]]:
    return [json.loads(r.payload) for page in pages for r in page.records if r.payload]


def ids(pages: list[Page]) -> list[str]:
    return [str(row["message_id"]) for row in rows(pages)]


def test_a_message_lands_with_envelope_and_thread_and_without_its_text() -> None:
    """Who, when and in which thread is wanted; what was said is nobody's business."""
    mailbox = Mailbox()
    extra = "In-Reply-To: <offer@acme.test>\r\nReferences: <a@acme.test>\r\n <offer@acme.test>\r\n"
    mailbox.append(mail(1, extra=extra, body="SECRET-CONTENT"), flags=("\\Answered",))
    with ImapServer(mailbox) as server:
        pages = read(settings(server))

    (row,) = rows(pages)
    assert "m1@example.com" == row["message_id"]
    assert ["a@acme.test", "offer@acme.test"] == row["references"]
    assert [{"name": "Ana", "address": "ana@example.com"}] == row["from"]
    assert ("2026-10-01T08:59:00Z", "date") == (row["sent_at"], row["sent_at_basis"])
    assert ["\\Answered"] == row["flags"]
    assert "SECRET-CONTENT" not in json.dumps(row)


def test_reading_marks_nothing_as_seen() -> None:
    """A salesperson's unread mail must stay unread."""
    mailbox = Mailbox()
    uid = mailbox.append(mail(1))
    with ImapServer(mailbox) as server:
        read(settings(server))

    assert "\\Seen" not in mailbox.boxes["INBOX"].mails[uid].flags
    assert not [line for line in mailbox.log if line.upper().startswith(("SELECT", "STORE"))]


@pytest.mark.parametrize("capabilities", [Mailbox().capabilities, BASIC], ids=["qresync", "basic"])
def test_the_second_run_finds_new_changed_and_vanished_mail(capabilities: tuple[str, ...]) -> None:
    """Rich servers tell, poor ones are asked; the result is the same."""
    mailbox = Mailbox(capabilities=capabilities)
    for number in range(1, 41):
        mailbox.append(mail(number))
    with ImapServer(mailbox) as server:
        first = read(settings(server))
        mailbox.append(mail(41))
        mailbox.flag(3, "\\Answered")
        mailbox.expunge(40)

        second = read(settings(server), first[-1].cursor)

    changed = {row["message_id"]: row["flags"] for row in rows(second)}
    assert 40 == len(ids(first))
    assert [] == changed["m41@example.com"]
    assert ["\\Answered"] == changed["m3@example.com"]
    complete = second[-1].complete_ids
    assert complete is not None
    assert sorted(f"INBOX:1:{n}" for n in range(1, 42) if n != 40) == list(complete)


def test_a_quiet_second_run_fetches_nothing_where_the_server_counts_changes() -> None:
    """An hourly run over 100,000 old mails must cost a handful of commands."""
    mailbox = Mailbox()
    for number in range(1, 11):
        mailbox.append(mail(number))
    with ImapServer(mailbox) as server:
        first = read(settings(server))

        second = read(settings(server), first[-1].cursor)

    assert [] == rows(second)
    assert second[-1].complete_ids is None


def test_a_changed_uidvalidity_voids_the_old_places_and_reads_the_folder_again() -> None:
    """The same messages under new numbers: by Message-ID nothing is lost or doubled."""
    mailbox = Mailbox()
    for number in range(1, 4):
        mailbox.append(mail(number))
    with ImapServer(mailbox) as server:
        first = read(settings(server))
        mailbox.renumber()

        second = read(settings(server), first[-1].cursor)

    gone = [r.record_id for page in second for r in page.records if r.change == "deleted"]
    assert ["INBOX:1:1", "INBOX:1:2", "INBOX:1:3"] == gone
    assert sorted(ids(first)) == sorted(ids(second))


def test_a_server_that_hangs_up_mid_fetch_costs_one_batch() -> None:
    """What was landed before stays landed; the next run goes on after it."""
    mailbox = Mailbox(drop_after_fetches=25)
    for number in range(1, 31):
        mailbox.append(mail(number))
    seen: list[Page] = []

    async def interrupted(config: ImapSettings) -> None:
        async with open_mailbox(config, Resources("mail", "", lambda: NOW)) as session:
            stream = CONNECTOR.stream("messages")
            assert stream.read is not None
            request = ReadRequest(stream, "mail", NOW)
            # The pages before the failure are what the runner would have landed.
            async for page in stream.read(session, request):
                seen.append(page)  # noqa: PERF401

    with ImapServer(mailbox) as server:
        config = settings(server, batch=10)
        with pytest.raises(VendorError, match="hung up"):
            asyncio.run(interrupted(config))

        rest = read(config, seen[-1].cursor)

    assert 20 == len(ids(seen))
    assert sorted(f"m{n}@example.com" for n in range(21, 31)) == sorted(ids(rest))


def test_a_uid_that_appears_late_below_the_newest_is_found() -> None:
    """Clusters assign UIDs out of commit order; the newest five hundred are searched again."""
    mailbox = Mailbox()
    for number in range(1, 6):
        mailbox.append(mail(number))
    hidden = mailbox.boxes["INBOX"].mails.pop(4)
    with ImapServer(mailbox) as server:
        first = read(settings(server))
        mailbox.boxes["INBOX"].mails[4] = hidden

        second = read(settings(server), first[-1].cursor)

    assert ["m4@example.com"] == ids(second)


def test_a_server_that_wrongly_says_all_vanished_deletes_nothing() -> None:
    """James did that once: the list of UIDs decides."""
    mailbox = Mailbox()
    for number in range(1, 51):
        mailbox.append(mail(number))
    with ImapServer(mailbox) as server:
        first = read(settings(server))
        box = mailbox.boxes["INBOX"]
        box.modseq += 1
        box.vanished.extend((box.modseq, uid) for uid in range(1, 51))

        second = read(settings(server), first[-1].cursor)

    assert second[-1].complete_ids is None


def test_a_wrong_password_is_said_so_and_not_tried_twice() -> None:
    """Mail hosts lock accounts after a few attempts."""
    mailbox = Mailbox()
    with (
        ImapServer(mailbox) as server,
        pytest.raises(AccessDenied, match="AUTHENTICATIONFAILED") as caught,
    ):
        read(settings(server, password="canary-wrong"))

    assert 1 == mailbox.log.count("LOGIN ***")
    assert "canary-wrong" not in str(caught.value)


def test_an_access_token_signs_in_by_xoauth2() -> None:
    """The large providers have no passwords any more."""
    mailbox = Mailbox()
    mailbox.append(mail(1))
    with ImapServer(mailbox) as server:
        found = read(settings(server, password=None, access_token=mailbox.token))
        with pytest.raises(AccessDenied):
            read(settings(server, password=None, access_token="stale"))

    assert ["m1@example.com"] == ids(found)


@pytest.mark.parametrize("fault", BAD)
def test_a_server_with_a_bad_certificate_never_sees_the_password(
    tmp_path: Path, fault: str
) -> None:
    """H-04: whoever sits between reads mail and password alike."""
    ours = trustme.CA()
    issue, told = BAD[fault]

    with (
        ImapServer(Mailbox(), tls=context_of(issue(ours))) as server,
        pytest.raises(VendorError, match=told),
    ):
        read(settings(server, security="tls", ca_file=authority_file(ours, tmp_path)))

    assert [] == server.mailbox.log


def test_mail_is_read_over_tls_with_a_private_authority(tmp_path: Path) -> None:
    """Many companies run their own mail server."""
    ours = trustme.CA()
    mailbox = Mailbox()
    mailbox.append(mail(1))

    with ImapServer(mailbox, tls=context_of(ours.issue_cert("127.0.0.1"))) as server:
        pages = read(settings(server, security="tls", ca_file=authority_file(ours, tmp_path)))

    assert ["m1@example.com"] == ids(pages)


def test_starttls_that_is_not_offered_is_refused_before_the_password_is_sent() -> None:
    """An attacker in between strips the offer to get the password."""
    mailbox = Mailbox()
    with ImapServer(mailbox) as server, pytest.raises(ProtocolError, match="no STARTTLS"):
        read(settings(server, security="starttls"))

    assert "LOGIN ***" not in mailbox.log


def test_plain_text_is_refused_off_this_machine() -> None:
    """The setting exists for loopback tests alone."""
    with pytest.raises(ValueError, match="in the open"):
        ImapSettings.model_validate(
            {"host": "imap.example.com", "username": "u", "password": "p", "security": "plain"}
        )


def test_a_folder_without_the_right_to_read_fails_loudly_after_the_others() -> None:
    """Mail that vanishes for lack of access reads as silence of the customer."""
    mailbox = Mailbox(boxes={"INBOX": Box(), "Sales": Box(is_denied=True)})
    mailbox.append(mail(1))
    seen: list[Page] = []

    async def collect(config: ImapSettings) -> None:
        async with open_mailbox(config, Resources("mail", "", lambda: NOW)) as session:
            stream = CONNECTOR.stream("messages")
            assert stream.read is not None
            request = ReadRequest(stream, "mail", NOW)
            # The pages before the failure are what the runner would have landed.
            async for page in stream.read(session, request):
                seen.append(page)  # noqa: PERF401

    with ImapServer(mailbox) as server, pytest.raises(AccessDenied, match="NOPERM"):
        asyncio.run(collect(settings(server)))

    assert ["m1@example.com"] == ids(seen)


def test_junk_trash_and_drafts_are_left_out_and_sent_comes_first() -> None:
    """Deleted newsletters are no engagement."""
    boxes = {
        "INBOX": Box(),
        "Sent": Box(("\\Sent",)),
        "Spam": Box(("\\Junk",)),
        "Bin": Box(("\\Trash",)),
    }
    mailbox = Mailbox(boxes=boxes)
    for number, folder in enumerate(boxes, start=1):
        mailbox.append(mail(number), folder=folder)
    with ImapServer(mailbox) as server:
        found = rows(read(settings(server)))

    assert ["Sent", "INBOX"] == [row["folder"] for row in found]


def test_mail_inside_the_own_domains_is_never_landed() -> None:
    """Colleagues' talk is not sales data."""
    mailbox = Mailbox()
    mailbox.append(mail(1, sender="eva@acme.test"))
    mailbox.append(mail(2))
    with ImapServer(mailbox) as server:
        found = read(settings(server, own_domains=["acme.test"]))

    assert ["m2@example.com"] == ids(found)


def test_outside_addresses_can_land_as_keyed_hashes() -> None:
    """The domain links to a company; the person stays unnamed."""
    mailbox = Mailbox()
    mailbox.append(mail(1))
    with ImapServer(mailbox) as server:
        config = settings(server, own_domains=["acme.test"], hash_addresses=True, hash_key="k")
        (row,) = rows(read(config))

    assert "ana@example.com" not in json.dumps(row)
    assert row["from"][0]["address"].endswith("@example.com")
    assert "sam@acme.test" == row["to"][0]["address"]


def test_a_server_that_stumbles_over_bodystructure_is_asked_without() -> None:
    """Broken MIME in one mail must not stop a mailbox."""
    mailbox = Mailbox(is_bodystructure_broken=True)
    mailbox.append(mail(1))
    with ImapServer(mailbox) as server:
        found = read(settings(server))

    assert ["m1@example.com"] == ids(found)


def test_doctor_says_what_the_server_lacks() -> None:
    """Why an hourly run takes longer than it should."""
    mailbox = Mailbox(capabilities=BASIC)

    async def ask(config: ImapSettings) -> tuple[str, ...]:
        async with open_mailbox(config, Resources("mail", "", lambda: NOW)) as session:
            return (await check(session)).notes

    with ImapServer(mailbox) as server:
        notes = asyncio.run(ask(settings(server)))

    assert any("no QRESYNC" in note for note in notes)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"=?iso-8859-1?Q?Ana_Wei=DF?=", "Ana Weiß"),
        (b"=?UTF-8?B?UmU6IEFuZ2Vib3QgNDcx?=\r\n =?UTF-8?B?MQ==?=", "Re: Angebot 4711"),
        (b"=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?ISO-2022-JP?B?GyRCLSEbKEI=?=", "①"),
        ("見積①".encode("cp932"), "見積①"),
        ("Angebot für Müller".encode(), "Angebot für Müller"),
        (b"=?utf-8?q?=E2=9C?= =?utf-8?q?=93_done?=", "✓ done"),
        (b"=?x-unknown?Q?abc?=", "abc"),
    ],
)
def test_subjects_are_read_as_their_senders_meant_them(raw: bytes, expected: str) -> None:
    """Split characters, NEC rows and undeclared bytes all occur in one Japanese inbox."""
    headers = parse_headers(b"Subject: " + raw + b"\r\n\r\n")

    assert expected == decode_text(headers["subject"][0])


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("<a@x>", ["a@x"]),
        ("<[abc@x>", ["[abc@x"]),
        ("<a@x>\r\n <b@y> <a@x>", ["a@x", "b@y"]),
        ("bare@x", ["bare@x"]),
        ("<>", []),
        ("<abc def@x>", ["abcdef@x"]),
    ],
)
def test_message_ids_survive_what_the_standard_parser_cuts(raw: str, expected: list[str]) -> None:
    """A cut id joins two strangers in one thread."""
    assert expected == message_ids(raw)


def test_address_groups_commas_and_foreign_domains_are_understood() -> None:
    """The domain is what links a message to its company."""
    found = addresses('"Seller, Sam" <Sam@Acme.test>, undisclosed-recipients:;, <x@Bücher.example>')

    assert ["sam@acme.test", "x@xn--bcher-kva.example"] == [one["address"] for one in found]
    assert "Seller, Sam" == found[0]["name"]


@pytest.mark.parametrize(
    ("date", "expected", "basis"),
    [
        ("Thu, 01 Oct 2026 11:00:00 +0200", datetime(2026, 10, 1, 9, tzinfo=UTC), "date"),
        ("Thu, 01 Oct 2026 18:00:00 JST", datetime(2026, 10, 1, 9, tzinfo=UTC), "date"),
        ("Thu, 01 Oct 2026 09:00:00 -0000", datetime(2026, 10, 1, 9, tzinfo=UTC), "date"),
        (
            "Fri, 01 Oct 2032 09:00:00 +0000",
            datetime(2026, 10, 1, 9, 1, tzinfo=UTC),
            "internaldate",
        ),
        ("nonsense", datetime(2026, 10, 1, 9, 1, tzinfo=UTC), "internaldate"),
    ],
)
def test_a_senders_clock_is_believed_only_near_the_arrival(
    date: str, expected: datetime, basis: str
) -> None:
    """A mail from 2032 would make every deal look freshly touched."""
    arrived = datetime(2026, 10, 1, 9, 1, tzinfo=UTC)

    assert (expected, basis) == sent_at(date, arrived)


def test_a_fetch_answer_split_in_two_is_merged_by_uid() -> None:
    """Gmail sends the flags a second time, on their own."""
    pieces = [
        (b"1 (UID 7 BODY[HEADER.FIELDS (FROM)] {13}", b"From: a@b.c\r\n"),
        b" FLAGS (\\Seen))",
        b"1 (FLAGS (\\Seen \\Answered) UID 7)",
        b"9 (FLAGS (\\Seen))",
    ]

    found = fetched(pieces)

    assert [7] == list(found)
    assert [b"\\Seen", b"\\Answered"] == found[7]["FLAGS"]
    assert b"From: a@b.c\r\n" == found[7]["BODY[HEADER.FIELDS]"]


def test_an_inline_picture_is_no_attachment() -> None:
    """Every signature has a logo."""
    inline = [[b"TEXT", b"HTML"], [b"IMAGE", b"PNG", b"NIL", b"<logo>"], b"RELATED"]
    offer = [[b"TEXT", b"PLAIN"], [b"APPLICATION", b"PDF", b"NIL", b"NIL"], b"MIXED"]

    assert not has_attachment(inline)
    assert has_attachment(offer)


def test_uid_sets_round_trip_and_tolerate_zero() -> None:
    """Dovecot once sent VANISHED 0:1; zero is no UID."""
    assert "1:3,7,9:10" == uid_set({1, 2, 3, 7, 9, 10})
    assert {1} == uids("0:1")
    assert {1, 2, 3, 7} == uids("3:1,7")


def test_streams_that_share_a_connection_do_not_take_each_others_answers() -> None:
    """A listing that lacks a folder would land as its deletion."""
    names = [f"Folder {number}" for number in range(40)]

    async def list_at_once(config: ImapSettings) -> list[list[str]]:
        async with open_mailbox(config, Resources("mail", "", lambda: NOW)) as session:
            found = await asyncio.gather(*(session.folders() for _ in range(30)))
        return [[folder.name for folder in folders] for folders in found]

    with ImapServer(Mailbox(boxes={name: Box() for name in names})) as server:
        listings = asyncio.run(list_at_once(settings(server)))

    assert [names] * 30 == listings


@pytest.mark.parametrize("grant", ["refresh_token", "client_credentials"])
def test_a_fresh_token_is_fetched_for_each_sign_in(tmp_path: Path, grant: str) -> None:
    """Tokens end after an hour; an hourly run that wants a person each time is no run."""
    mailbox = Mailbox(capabilities=("IMAP4rev1", "AUTH=XOAUTH2"))
    mailbox.append(mail(1))

    def give(request: Request) -> Reply:
        asked = request.form()
        wanted = {"grant_type": grant, "client_id": "c-1", "client_secret": "secret-0a1b2c3d"}
        assert wanted == {name: asked.get(name) for name in wanted}
        return reply_json({"access_token": mailbox.token, "expires_in": 3599})

    with ImapServer(mailbox) as server, SandboxServer(give) as endpoint:
        config = settings(
            server,
            password=None,
            token_url=f"{endpoint.url}/token",
            client_id="c-1",
            client_secret="secret-0a1b2c3d",
            refresh_token="refresh-0a1b2c3d" if grant == "refresh_token" else None,
        )

        async def sign_in() -> int:
            resources = Resources("mail", str(tmp_path), lambda: NOW)
            async with open_mailbox(config, resources) as session:
                return len(await session.folders())

        folders = asyncio.run(sign_in())

        assert not endpoint.errors
    assert folders

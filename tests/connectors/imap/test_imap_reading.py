"""IMAP: new, changed, moved and vanished mail, on servers rich and poor."""

import asyncio
import json

import pytest

from connectors.base.errors import AccessDenied, VendorError
from connectors.base.stream import Page, ReadRequest, Resources
from connectors.imap import CONNECTOR, open_mailbox
from connectors.imap.settings import ImapSettings
from sandbox.imap import Box, ImapServer, Mailbox
from tests.connectors.imap.mailbox import BASIC, NOW, ids, mail, read, rows, settings


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


def test_one_key_gives_one_person_in_every_mailbox_and_another_key_another() -> None:
    """Joins go on; a list of hashes from elsewhere is worth nothing here."""
    mailbox = Mailbox()
    mailbox.append(mail(1, extra="Cc: info@example.com, info@other.test\r\n"))
    found = []
    with ImapServer(mailbox) as server:
        for key in ("k", "k", "another"):
            config = settings(server, own_domains=["acme.test"], hash_addresses=True, hash_key=key)
            (row,) = rows(read(config))
            found.append([one["address"] for one in (*row["from"], *row["cc"])])

    assert found[0] == found[1]
    assert not set(found[0]) & set(found[2])
    infos = {one.partition("@")[0] for one in found[0][1:]}
    assert 2 == len(infos)  # or the commonest hash would be known to be info@


def test_seeing_a_message_is_no_change_of_it() -> None:
    """Everybody reads their mail; a version for each look would bury what changed."""
    mailbox = Mailbox()
    uid = mailbox.append(mail(1), flags=("\\Answered",))
    with ImapServer(mailbox) as server:
        first = rows(read(settings(server)))
        mailbox.flag(uid, "\\Seen")

        assert first == rows(read(settings(server)))


def test_a_server_that_stumbles_over_bodystructure_is_asked_without() -> None:
    """Broken MIME in one mail must not stop a mailbox."""
    mailbox = Mailbox(is_bodystructure_broken=True)
    mailbox.append(mail(1))
    with ImapServer(mailbox) as server:
        found = read(settings(server))

    assert ["m1@example.com"] == ids(found)


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

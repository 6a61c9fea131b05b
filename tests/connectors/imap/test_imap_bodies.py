"""IMAP with bodies on: the text part alone, of what lands, and nothing marked as seen."""

import base64
import logging

import pytest
from pydantic import ValidationError

from connectors.base.body import BODY_CHARACTERS
from sandbox.imap import ImapServer, Mailbox
from tests.connectors.imap.mailbox import mail, read, rows, settings

MIXED = """Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/html; charset=utf-8

<p>html</p>
--a
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe
--a--
--m
Content-Type: text/plain
Content-Disposition: attachment; filename=secret.txt

ATTACHED
--m--
"""
HTML = """Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

{text}
"""


def whole(number: int, rest: str) -> bytes:
    """A message whose own headers go on with those of its content."""
    return mail(number).split(b"\r\n\r\n")[0] + b"\r\n" + rest.replace("\n", "\r\n").encode()


def test_bodies_are_neither_asked_for_nor_landed_unless_told() -> None:
    """The default is to know who wrote when; what was said takes a decision."""
    mailbox = Mailbox()
    mailbox.append(mail(1, body="SECRET-CONTENT"))
    with ImapServer(mailbox) as server:
        (row,) = rows(read(settings(server)))

    assert not {"body_text", "is_body_cut"} & set(row)
    assert not [line for line in mailbox.log if "BODY.PEEK[1" in line or "[TEXT]" in line]


def test_the_text_part_lands_where_it_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Plain before HTML, in its sender's encoding; no attachment, no log line, no seen mark."""
    mailbox = Mailbox()
    html = base64.encodebytes(b"<p>Hallo <b>Ana</b></p>").decode()
    mailbox.append(mail(1, body="plain as it is"))
    uid = mailbox.append(whole(2, MIXED))
    mailbox.append(whole(3, HTML.format(text=html)))
    mailbox.append(mail(4, body="INTERNAL", sender="eva@acme.test"))
    caplog.set_level(logging.DEBUG)
    with ImapServer(mailbox) as server:
        found = rows(read(settings(server, store_bodies=True, own_domains=["acme.test"])))

    texts = {row["message_id"][:2]: row["body_text"] for row in found}
    assert {"m1": "plain as it is", "m2": "Grüße", "m3": "Hallo Ana"} == texts
    assert [False] * 3 == [row["is_body_cut"] for row in found]
    assert not [line for line in mailbox.log if "BODY.PEEK[1" in line and " 4 " in line]
    assert "\\Seen" not in mailbox.boxes["INBOX"].mails[uid].flags
    assert "Grüße" not in caplog.text


def test_a_long_text_is_asked_for_up_to_a_limit() -> None:
    """A log file pasted into a mail must not fill memory and landing."""
    mailbox = Mailbox()
    mailbox.append(mail(1, body="x" * 5 * BODY_CHARACTERS))
    with ImapServer(mailbox) as server:
        (row,) = rows(read(settings(server, store_bodies=True)))

    assert (BODY_CHARACTERS, True) == (len(row["body_text"]), row["is_body_cut"])


def test_a_message_whose_parts_the_server_cannot_tell_lands_without_text() -> None:
    """The envelope is worth having all the same."""
    mailbox = Mailbox(is_bodystructure_broken=True)
    mailbox.append(mail(1, body="unreachable"))
    with ImapServer(mailbox) as server:
        (row,) = rows(read(settings(server, store_bodies=True)))

    assert (None, "m1@example.com") == (row["body_text"], row["message_id"])


def test_turned_on_later_bodies_come_with_new_mail_and_with_what_changes() -> None:
    """Years of old mail are not read again because of one line in the settings."""
    mailbox = Mailbox()
    mailbox.append(mail(1, body="old"))
    changed = mailbox.append(mail(2, body="flagged"))
    with ImapServer(mailbox) as server:
        first = read(settings(server))
        mailbox.flag(changed, "\\Answered")
        mailbox.append(mail(3, body="new"))

        second = rows(read(settings(server, store_bodies=True), first[-1].cursor))

    assert {"flagged", "new"} == {row["body_text"] for row in second}


def test_text_and_hidden_people_exclude_each_other() -> None:
    """A text names whom the hash hides."""
    with ImapServer(Mailbox()) as server, pytest.raises(ValidationError, match="store_bodies"):
        settings(server, store_bodies=True, hash_addresses=True, hash_key="k")

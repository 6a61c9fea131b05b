"""RFC 5322 bytes: headers as real senders write them, encodings and all."""

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.company.clock import instant

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ZONES = {"ja": ZoneInfo("Asia/Tokyo"), "en": ZoneInfo("America/Chicago")}
_BERLIN = ZoneInfo("Europe/Berlin")
_PDF = base64.encodebytes(b"%PDF-1.4 not a real document\n" * 12).decode()

Address = tuple[str, str]
"""Shown name and address."""


@dataclass(slots=True)
class Letter:
    """One message, however many mailboxes hold it.

    ``kind``: person, auto (an automatic reply), bounce or list. ``boxes`` are the
    (mailbox, folder) pairs that hold it. ``thread`` numbers the conversation.
    """

    message_id: str | None
    at: int
    sender: Address
    to: list[Address]
    cc: list[Address]
    subject: str
    language: str
    thread: str
    kind: str = "person"
    references: list[str] = field(default_factory=list)
    boxes: list[tuple[str, str]] = field(default_factory=list)
    attachment: bool = False
    oddity: str = ""
    number: int = 0


def encoded_word(text: str, charset: str) -> str:
    """RFC 2047 words of at most about forty bytes of text each, folded."""
    if text.isascii():
        return text
    words, part = [], ""
    for character in text:
        if len((part + character).encode(charset)) > 40:
            words.append(part)
            part = ""
        part += character
    words.append(part)
    return "\r\n ".join(
        f"=?{charset}?B?{base64.b64encode(word.encode(charset)).decode()}?=" for word in words
    )


def charset_of(letter: Letter) -> str:
    """What the sender's program would choose; whatever it cannot write becomes UTF-8."""
    wanted = "utf-8"
    if letter.number % 2:
        wanted = {"ja": "iso-2022-jp", "de": "iso-8859-1", "fr": "iso-8859-1"}.get(
            letter.language, "utf-8"
        )
    try:
        letter.subject.encode(wanted)
        letter.sender[0].encode(wanted)
        for name, _ in (*letter.to, *letter.cc):
            name.encode(wanted)
    except UnicodeEncodeError:
        return "utf-8"
    return wanted


def mailbox_list(people: list[Address], charset: str) -> str:
    """An address field; names with commas or dots are quoted."""
    shown = []
    for name, address in people:
        if not name:
            shown.append(address)
        elif name.isascii():
            shown.append(f'"{name}" <{address}>')
        else:
            shown.append(f"{encoded_word(name, charset)} <{address}>")
    return ",\r\n ".join(shown)


def date_field(letter: Letter) -> str:
    """The Date header: the sender's own zone, or what odd senders make of it."""
    if letter.oddity == "date_junk":
        return "yesterday, after lunch"
    if letter.oddity == "date_years_off":
        return "Thu, 01 Jan 1998 00:00:00 +0000"
    moment: datetime = instant(letter.at).astimezone(_ZONES.get(letter.language, _BERLIN))
    shift = moment.utcoffset() or timedelta()
    minutes = int(shift.total_seconds()) // 60
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
    if letter.oddity == "zone_unknown":
        moment, offset = instant(letter.at), "-0000"
    day = f"{_DAYS[moment.weekday()]}, {moment.day:02d} {_MONTHS[moment.month - 1]} {moment.year}"
    return f"{day} {moment:%H:%M:%S} {offset}"


def compose(letter: Letter, mailbox: str) -> bytes:
    """The bytes as one mailbox holds them; only the delivery headers differ by mailbox."""
    charset = charset_of(letter)
    own = [f"Delivered-To: {mailbox}"]
    if letter.kind == "bounce":
        own.insert(0, "Return-Path: <>")
    subject = encoded_word(letter.subject, charset)
    head = [
        *own,
        f"Received: from relay.example by mx.nordlicht.example; {date_field(letter)}",
        f"From: {mailbox_list([letter.sender], charset)}",
        f"To: {mailbox_list(letter.to, charset) or 'undisclosed-recipients:;'}",
    ]
    if letter.cc:
        head.append(f"Cc: {mailbox_list(letter.cc, charset)}")
    head += [f"Subject: {subject}", f"Date: {date_field(letter)}"]
    if letter.message_id:
        head.append(f"Message-ID: <{letter.message_id}>")
    if letter.references:
        head.append(f"In-Reply-To: <{letter.references[-1]}>")
        head.append("References: " + "\r\n ".join(f"<{one}>" for one in letter.references))
    if letter.kind == "auto":
        head += ["Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All"]
    elif letter.kind == "list":
        head += [
            f"List-Id: News <news.{letter.sender[1].split('@')[1]}>",
            "List-Unsubscribe: <https://lists.example/SECRET-TOKEN>",
            "Precedence: bulk",
        ]
    head.append("MIME-Version: 1.0")
    return ("\r\n".join([*head, *_body(letter)])).encode("ascii")


def _body(letter: Letter) -> list[str]:
    """A body that says of which message it is, so that a leak can be found."""
    text = base64.encodebytes(f"BODY-OF-{letter.number} {letter.subject}\r\n".encode()).decode()
    part = [
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        text.replace("\n", "\r\n"),
    ]
    if letter.kind == "bounce":
        return [
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"',
            "",
            "--b1",
            *part,
            "--b1",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.nordlicht.example",
            "",
            f"Final-Recipient: rfc822; gone{letter.number}@nowhere.example",
            "Action: failed",
            "Status: 5.1.1",
            "",
            "--b1--",
            "",
        ]
    if letter.attachment:
        return [
            'Content-Type: multipart/mixed; boundary="b1"',
            "",
            "--b1",
            *part,
            "--b1",
            'Content-Type: application/pdf; name="offer.pdf"',
            'Content-Disposition: attachment; filename="offer.pdf"',
            "Content-Transfer-Encoding: base64",
            "",
            _PDF.replace("\n", "\r\n"),
            "--b1--",
            "",
        ]
    return part

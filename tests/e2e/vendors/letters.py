"""The company's mail and some odd letters, as they lie in the mailboxes of any system."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sandbox.company import Company
from sandbox.company.mailboxes import SHARED
from sandbox.company.people import OWN_DOMAINS, mail

ANTON, DORIS = mail("anton.behr"), mail("doris.lang")
DOMAINS = ", ".join(f'"{domain}"' for domain in OWN_DOMAINS)
ARRIVED = "2026-10-12T09:00:07+00:00"
PLACES = {"\\Sent": "sent", "\\Archive": "archive", "\\Trash": "trash"}
"""What a folder is for, by its mark in IMAP; without one it is the inbox."""


class Lying(NamedTuple):
    """A message where it lies; ``place`` is inbox, sent, archive or trash."""

    mailbox: str
    place: str
    arrived: datetime
    raw: bytes


@dataclass(frozen=True, slots=True)
class Odd:
    """A message that readers of mail stumble over, and what `fct_email` shall say of it.

    ``key`` is None where the message names no id. ``at`` are the (mailbox, place) pairs.
    """

    head: str
    at: tuple[tuple[str, str], ...]
    key: str | None
    direction: str = "in"
    is_auto_reply: bool = False
    is_list: bool = False


def _head(key: str | None, sender: str, to: str, subject: str, *more: str) -> str:
    named = [f"Message-ID: <{key}>"] if key else []
    date = "Date: Mon, 12 Oct 2026 11:00:00 +0200"
    lines = [f"From: {sender}", f"To: {to}", f"Subject: {subject}", date, *named, *more]
    return "\r\n".join(lines)


ODD = {
    "a group of recipients, a comma in a name": Odd(
        _head(
            *("group@odd.test", '"Roth, Ida" <Ida@Odd.test>'),
            f'Buyers: bo@odd.test, "Ng, Cy" <cy@odd.test>;, Sales\r\n <{SHARED}>',
            "Group",
        ),
        ((SHARED, "inbox"), (ANTON, "inbox")),
        "group@odd.test",
    ),
    "nobody is named": Odd(
        _head("nobody@odd.test", "ida@odd.test", "undisclosed-recipients:;", "Nobody"),
        ((DORIS, "inbox"),),
        "nobody@odd.test",
    ),
    "no Message-ID, an answer's mark, in two mailboxes": Odd(
        _head(
            None, "old@odd.test", f"{SHARED}, {ANTON}", "AW: RE[2]: Preis =?utf-8?Q?f=C3=BCr?= 3"
        ),
        ((SHARED, "inbox"), (ANTON, "archive")),
        None,
    ),
    "through a list server of our own": Odd(
        _head(
            *("own-list@odd.test", "ida@odd.test", "team@lists.nordlicht.example", "Own list"),
            "List-Id: Team <team.lists.nordlicht.example>",
        ),
        ((SHARED, "inbox"),),
        "own-list@odd.test",
    ),
    "through somebody else's list": Odd(
        _head(
            *("list@odd.test", "ida@odd.test", "users@odd.test", "Their list"),
            "List-Id: <users.odd.test>",
        ),
        ((ANTON, "inbox"),),
        "list@odd.test",
        is_list=True,
    ),
    "out of office, told by the subject alone": Odd(
        _head(
            "away@odd.test", "ida@odd.test", ANTON, "=?utf-8?Q?R=C3=A9ponse?= automatique : Offre"
        ),
        ((ANTON, "inbox"),),
        "away@odd.test",
        is_auto_reply=True,
    ),
    "out of office, as Exchange marks it": Odd(
        _head(
            *("oof@odd.test", "ida@odd.test", ANTON, "I am away"),
            "X-Auto-Response-Suppress: OOF, AutoReply",
        ),
        ((ANTON, "inbox"),),
        "oof@odd.test",
        is_auto_reply=True,
    ),
    "an answer to one is a person's": Odd(
        _head("re-away@odd.test", ANTON, "ida@odd.test", "Re: Automatic reply: Offer"),
        ((ANTON, "sent"),),
        "re-away@odd.test",
        direction="out",
    ),
    "from the shared mailbox, by a person, with a blind copy": Odd(
        _head(
            *("behalf@odd.test", f"Sales <{SHARED}>", "x@xn--bcher-kva.example", "On behalf"),
            *(f"Sender: {ANTON}", "Bcc: quiet@odd.test", "Reply-To: sales@nordlicht.example"),
        ),
        ((ANTON, "sent"), (SHARED, "sent")),
        "behalf@odd.test",
        direction="out",
    ),
    "a receipt from a machine": Odd(
        _head(
            *("receipt@odd.test", "ida@odd.test", ANTON, "Read: Offer"),
            *("Auto-Submitted: auto-replied; owner-email=ida", "Return-Path: <>"),
            "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
        ),
        ((ANTON, "inbox"),),
        "receipt@odd.test",
        is_auto_reply=True,
    ),
}


def lying(company: Company) -> Iterator[Lying]:
    """Every message in every mailbox, trash included."""
    for address, folders in company.mail.items():
        for folder in folders.values():
            marks = (PLACES[one] for one in folder.attributes if one in PLACES)
            place = next(marks, "inbox")
            for one in folder.messages:
                yield Lying(address, place, one.arrived, one.raw)
    body = "\r\n\r\nBODY-OF-ODD\r\n"
    for odd in ODD.values():
        for mailbox, place in odd.at:
            arrived = datetime.fromisoformat(ARRIVED)
            yield Lying(mailbox, place, arrived, f"{odd.head}{body}".encode())
    thrown = _head("thrown@odd.test", "ida@odd.test", DORIS, "Thrown away")
    yield Lying(DORIS, "trash", datetime.fromisoformat(ARRIVED), f"{thrown}{body}".encode())

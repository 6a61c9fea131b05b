"""The mailboxes of the company: who has one, its folders, and what lies in them."""

import random
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.company.clock import DAY, SECOND, instant
from sandbox.company.letters import Letter, compose
from sandbox.company.model import World
from sandbox.company.people import OWN_DOMAINS, mail

SHARED = mail("sales")
MAILBOXES = (
    SHARED,
    mail("anton.behr"),
    mail("doris.lang"),
    mail("paige.turner"),
    mail("taro.inoue", OWN_DOMAINS[1]),
    mail("vera.stein"),
)
SENT = {mail("anton.behr"): "Gesendet", mail("taro.inoue", OWN_DOMAINS[1]): "&kAFP4W4IMH8-"}
"""The Sent folder's name on the wire, in modified UTF-7; the Japanese one means Sent."""


@dataclass(slots=True)
class MailMessage:
    """A message where it lies: UID, arrival, flags, and the bytes with the body."""

    uid: int
    arrived: datetime
    flags: tuple[str, ...]
    raw: bytes


@dataclass(slots=True)
class MailFolder:
    """A folder by its name on the wire; ``attributes`` as LIST gives them."""

    name: str
    attributes: tuple[str, ...]
    uidvalidity: int
    messages: list[MailMessage] = field(default_factory=list)


@dataclass(slots=True)
class Post:
    """All mail: ``mailboxes`` as served, ``letters`` as known by construction."""

    mailboxes: dict[str, dict[str, MailFolder]]
    letters: list[Letter]
    candidates: dict[str, int]
    """Addresses of unknown outside senders and when they first wrote."""


def sort_into_folders(
    world: World, letters: list[Letter], rng: random.Random
) -> dict[str, dict[str, MailFolder]]:
    """Put each letter into its boxes, UIDs in order of arrival."""
    boxes: dict[str, dict[str, MailFolder]] = {}
    for place, box in enumerate(MAILBOXES):
        sent = SENT.get(box, "Sent")
        boxes[box] = {
            name: MailFolder(name, attributes, 1_596_450_000 + 10 * place + number)
            for number, (name, attributes) in enumerate(
                (
                    (sent, ("\\Sent",)),
                    ("INBOX", ()),
                    ("Archive", ("\\Archive",)),
                    ("Trash", ("\\Trash",)),
                )
            )
        }
    for letter in sorted(letters, key=lambda one: (one.at, one.number)):
        arrived = instant(letter.at // SECOND * SECOND + rng.randint(0, 40) * SECOND)
        seen = letter.at < world.today - 2 * DAY
        for box, name in letter.boxes:
            folder = boxes[box][name]
            uid = folder.messages[-1].uid + rng.choice((1, 1, 1, 2)) if folder.messages else 1
            flags = ("\\Seen",) if seen or name != "INBOX" else ()
            folder.messages.append(MailMessage(uid, arrived, flags, compose(letter, box)))
    return boxes

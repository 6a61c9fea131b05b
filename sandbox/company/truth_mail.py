"""Leads and e-mail, counted."""

from collections import Counter
from dataclasses import dataclass, field

from sandbox.company.mail import direction
from sandbox.company.mailboxes import Post
from sandbox.company.model import World


@dataclass(slots=True)
class LeadTruth:
    """HubSpot's leads: ``total`` with the archived ones, the rest without."""

    total: int = 0
    archived: int = 0
    live: int = 0
    converted: int = 0
    by_stage: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class EmailTruth:
    """The mailboxes, and what the CRM logged.

    ``messages`` are distinct and without internal mail, which never lands; ``sightings``
    counts each mailbox that holds one. ``only_logged`` are the CRM's e-mails that no
    mailbox holds, so distinct messages of both are ``messages + only_logged``.
    """

    messages: int = 0
    sightings: int = 0
    internal: int = 0
    threads: int = 0
    without_message_id: int = 0
    by_direction: dict[str, int] = field(default_factory=dict)
    by_kind: dict[str, int] = field(default_factory=dict)
    """person, auto, bounce, list."""
    auto_reply_ids: list[str] = field(default_factory=list)
    logged: int = 0
    logged_in_mailboxes: int = 0
    only_logged: int = 0
    all_by_direction: dict[str, int] = field(default_factory=dict)
    """Of the mailboxes' and the CRM's messages together."""
    all_threads: int = 0
    """Of both: by References, and in the log, which shows none, by HubSpot's own threads."""
    candidates: list[str] = field(default_factory=list)
    """Addresses of unknown outside senders."""


def count_leads(world: World) -> LeadTruth:
    """Count HubSpot's leads."""
    live = [lead for lead in world.leads if lead.archived_at is None]
    return LeadTruth(
        total=len(world.leads),
        archived=len(world.leads) - len(live),
        live=len(live),
        converted=sum(lead.deal is not None for lead in live),
        by_stage=dict(sorted(Counter(lead.stages[-1].value for lead in live).items())),
    )


def count_mail(world: World, post: Post) -> EmailTruth:
    """Count letters by what they were written as."""
    landed = [letter for letter in post.letters if direction(letter) != "internal"]
    emails = [one for one in world.activities if one.kind == "emails"]
    logged = {one.message_id for one in emails}
    both = logged & {letter.message_id for letter in landed}
    ways = Counter(map(direction, landed))
    ways.update(one.direction for one in emails if one.message_id not in both)
    threads = len({letter.thread for letter in landed})
    talks = {letter.thread for letter in landed} | {one.thread or one.id for one in emails}
    return EmailTruth(
        messages=len(landed),
        sightings=sum(len(letter.boxes) for letter in landed),
        internal=len(post.letters) - len(landed),
        threads=threads,
        without_message_id=sum(letter.message_id is None for letter in landed),
        by_direction=dict(sorted(Counter(map(direction, landed)).items())),
        by_kind=dict(sorted(Counter(letter.kind for letter in landed).items())),
        auto_reply_ids=sorted(one.message_id or "" for one in landed if one.kind == "auto"),
        logged=len(logged),
        logged_in_mailboxes=len(both),
        only_logged=len(logged) - len(both),
        all_by_direction=dict(sorted(ways.items())),
        all_threads=len(talks),
        candidates=sorted(post.candidates),
    )

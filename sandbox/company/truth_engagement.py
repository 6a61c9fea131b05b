"""Who wrote to whom, who answered and how soon, person by person and month by month."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

from sandbox.company.clock import SECOND, ZONE, business_date, instant, midnight
from sandbox.company.mail import direction
from sandbox.company.mailboxes import Post
from sandbox.company.model import World
from sandbox.company.pipelines import STAGES

OPENS, CLOSES = time(9), time(17)


@dataclass(slots=True)
class Engagement:
    """A person's month; the seconds are business time from question to answer."""

    inbound: int = 0
    outbound: int = 0
    meetings: int = 0
    replies: list[int] = field(default_factory=list)
    our_replies: list[int] = field(default_factory=list)
    deals_open: int = 0


class Said(NamedTuple):
    """A message of a person across our border."""

    at: int
    key: str
    is_inbound: bool
    them: str
    thread: str


def month_of(day: date) -> date:
    """Its first day; the company's fiscal months are those of the calendar."""
    return day.replace(day=1)


def count_engagement(world: World, post: Post) -> dict[tuple[str, date], Engagement]:
    """By (HubSpot's contact id or else the address, first day of the month)."""
    people: dict[str, str] = {}
    for contact in world.contacts:
        for address in (contact.email, *contact.old_emails):
            people.setdefault(address, contact.id)
    found: dict[tuple[str, date], Engagement] = defaultdict(Engagement)
    said = _said(world, post)
    for one in said:
        month = found[people.get(one.them, one.them), month_of(business_date(one.at))]
        if one.is_inbound:
            month.inbound += 1
        else:
            month.outbound += 1
    for asked, answer in _answers(said):
        person = answer.them if answer.is_inbound else asked.them
        month = found[people.get(person, person), month_of(business_date(answer.at))]
        waited = business_seconds(asked.at, answer.at)
        (month.replies if answer.is_inbound else month.our_replies).append(waited)
    for activity in world.activities:
        if activity.kind == "meetings" and activity.done and activity.archived_at is None:
            found[activity.contact.id, month_of(business_date(activity.at))].meetings += 1
    _count_deals(world, found)
    return dict(found)


def _said(world: World, post: Post) -> list[Said]:
    """What people wrote: in the mailboxes, and in the CRM's log alone."""
    said = []
    named = {letter.message_id for letter in post.letters}
    for letter in post.letters:
        way = direction(letter)
        if way != "internal" and letter.kind == "person":
            them = letter.sender if way == "in" else letter.to[0]
            at = letter.at // SECOND * SECOND
            said.append(Said(at, letter.message_id or "", way == "in", them[1], letter.thread))
    said += [
        Said(
            *(one.at, one.message_id or "", one.direction == "in"),
            *(one.contact.email, one.thread or one.id),
        )
        for one in world.activities
        if one.kind == "emails" and one.message_id not in named
    ]
    return sorted(said)


def _answers(said: list[Said]) -> list[tuple[Said, Said]]:
    """(question, answer): the first messages of neighbouring turns of a thread."""
    turns: dict[str, list[Said]] = defaultdict(list)
    for one in said:
        turn = turns[one.thread]
        if not turn or turn[-1].is_inbound != one.is_inbound:
            turn.append(one)
    return [pair for turn in turns.values() for pair in pairwise(turn)]


def business_seconds(start: int, end: int) -> int:
    """Seconds from nine to five on weekdays in Berlin, day by day."""
    local = [instant(moment).astimezone(ZONE).replace(tzinfo=None) for moment in (start, end)]
    begins, ends = (moment.replace(microsecond=0) for moment in local)
    total = timedelta()
    day = begins.date()
    while day <= ends.date():
        if day.isoweekday() <= 5:
            opens = max(begins, datetime.combine(day, OPENS))
            closes = min(ends, datetime.combine(day, CLOSES))
            total += max(closes - opens, timedelta())
        day += timedelta(days=1)
    return int(total.total_seconds())


def _count_deals(world: World, found: dict[tuple[str, date], Engagement]) -> None:
    """Deals that were open as a month ended, or are today."""
    months = sorted(
        {month_of(business_date(edit.at)) for one in world.deals for edit in one.stages}
    )
    first, last = months[0], month_of(business_date(world.today))
    while first <= last:
        following = month_of(first + timedelta(days=31))
        ends = min(midnight(following), world.today)
        for deal in world.live_deals:
            stage = deal.at(deal.stages, ends - 1)
            if deal.created < ends and STAGES[stage].kind == "open":
                for contact in deal.contacts:
                    found[contact.id, first].deals_open += 1
        first = following

"""Who is told what today, what was told before, and who may not be told at all."""

from dataclasses import dataclass, field, replace
from datetime import date

from pipeledger.alerts.days import WorkingDays
from pipeledger.alerts.digests import Digest, finance_digest, manager_digests, owner_digests
from pipeledger.alerts.facts import Facts
from pipeledger.alerts.incidents import Incident, incident_digest
from pipeledger.alerts.reminders import uid_of
from pipeledger.alerts.sent import SentLog
from pipeledger.landing.suppression import is_stand_in
from pipeledger.settings import Settings
from pipeledger.settings.domains import outside


@dataclass(frozen=True, slots=True)
class Message:
    """A digest on its way to one place: an address, or a room by its name."""

    digest: Digest
    room: str | None = None
    withdrawn: dict[str, str] = field(default_factory=dict)
    """Calendar entries to take out again: their day by their id."""
    titles: dict[str, str] = field(default_factory=dict)
    """Of incidents: what the reader knows to be broken once this is read."""

    @property
    def place(self) -> str:
        """What the log of sent messages knows the reader by."""
        return f"room:{self.room}" if self.room is not None else self.digest.to


@dataclass(slots=True)
class Plan:
    """What is to be sent, and what is not, with the reason."""

    messages: list[Message] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    n_sent_before: int = 0


def plan(
    settings: Settings, facts: Facts | None, broken: list[Incident], log: SentLog, today: date
) -> Plan:
    """Everything that is due on a day and was not sent before; without facts, incidents alone."""
    made = Plan()
    if facts is not None:
        _digests(made, settings, facts, log, today)
    _incidents(made, settings, broken, log)
    return made


def _digests(made: Plan, settings: Settings, facts: Facts, log: SentLog, today: date) -> None:
    days = WorkingDays.of(settings)
    listed = settings.alerts.deals_listed
    owners, unread = owner_digests(facts, days, today, listed)
    made.refused += [f"{one.deal_key}: owner {one.owner}: {one.why}" for one in unread]
    has_due = {digest.to for digest in owners}
    # Nothing to do any more, but entries of earlier days still ring.
    idle = [to for to in log.with_reminders() if to not in has_due]
    owners += [Digest("owner", to, "Nothing is due any more", ()) for to in idle]
    mails = [*owners, *manager_digests(facts, listed)]
    finance = finance_digest(facts, "", listed)
    if finance is not None:
        mails += [replace(finance, to=address) for address in settings.alerts.finance]
    teams = {user["email"]: str(user["team_key"]) for user in facts.users.values()}
    for digest in mails:
        problem = outside(digest.to, settings.company.own_domains)
        if is_stand_in(digest.to):
            problem = f"{digest.to} stands for somebody who was erased"
        if problem is not None:
            made.refused.append(f"{digest.topic} digest: {problem}")
        elif days.is_working(today, digest.to, teams.get(digest.to, "")):
            _add(made, log, Message(digest, withdrawn=_withdrawn(digest, log)))
    rooms = [digest for digest in mails if digest.topic == "manager"]
    rooms += [finance] if finance is not None else []
    if days.is_working(today):
        for name, hook in settings.alerts.webhooks.items():
            for digest in rooms:
                if digest.topic in hook.topics:
                    title = f"{digest.to}: {digest.title}" if digest.to else digest.title
                    _add(made, log, Message(replace(digest, title=title), room=name))


def _add(made: Plan, log: SentLog, message: Message) -> None:
    if log.has(logged_topic(message), message.place):
        made.n_sent_before += 1
    else:
        made.messages.append(message)


def logged_topic(message: Message) -> str:
    """A room gets the digests of several managers, each of them once."""
    digest = message.digest
    return f"{digest.topic}:{digest.to}" if message.room is not None else digest.topic


def _withdrawn(digest: Digest, log: SentLog) -> dict[str, str]:
    """Entries of earlier digests that nothing stands behind any more."""
    if digest.topic != "owner":
        return {}
    standing = {uid_of(one.deal_key, one.check_id) for one in digest.reminders}
    return {uid: day for uid, day in log.reminders(digest.to).items() if uid not in standing}


def _incidents(made: Plan, settings: Settings, now: list[Incident], log: SentLog) -> None:
    """Incidents are told on any day: a broken source does not wait for Monday."""
    places: list[tuple[str, str | None]] = [
        (address, None) for address in settings.alerts.data_team
    ]
    places += [(f"room:{n}", n) for n, h in settings.alerts.webhooks.items() if "data" in h.topics]
    for place, room in places:
        digest = incident_digest(now, log.told_incidents(place), "" if room else place)
        if digest is not None:
            made.messages.append(Message(digest, room, titles={one.key: one.title for one in now}))

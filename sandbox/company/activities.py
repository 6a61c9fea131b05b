"""E-mails, calls, meetings, tasks and notes that the CRM holds, and the leads.

An open deal's health is made here: who touched it last, who answered last, and whether
anything lies ahead. Nothing happens on an unwell deal in the time it is meant to be
quiet, so that every reading of "touch" agrees.
"""

import random
from itertools import pairwise

from sandbox.company.accounts import Customers
from sandbox.company.clock import DAY, HOUR, MINUTE, START, business_date, quarter
from sandbox.company.journeys import office_time
from sandbox.company.model import PERSON, Activity, Deal, Edit, Lead, World
from sandbox.company.names import CHANNELS
from sandbox.company.people import BY_OWNER, QUEUE_OWNER_ID, ROSTER, boss_of
from sandbox.company.pipelines import LEAD_STAGES, NEW_BUSINESS, STAGES

SUBJECTS = {
    "de": ("Angebot zu {}", "Rückfrage zu {}", "Termin für {}"),
    "ja": ("{}のお見積り", "{}に関するご質問", "{}の打ち合わせ"),
    "fr": ("Proposition {}", "Question au sujet de {}", "Réunion {}"),
    "en": ("Proposal for {}", "Question about {}", "Meeting on {}"),
}


def acting_owner(deal: Deal, at: int) -> str:
    """The owner id under which somebody acts: the owner, or the boss of one who left."""
    rep = BY_OWNER.get(deal.at(deal.owners, at) or "", ROSTER[0])
    day = business_date(at)
    return rep.owner_id if rep.row(day) else boss_of(rep, at).owner_id


class Diary:
    """Writes activities of deals into the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = random.Random(f"{world.seed}:activities")
        self.last_mail: dict[str, Activity] = {}

    def note(
        self, deal: Deal, kind: str, at: int, direction: str = "out", *, done: bool = True
    ) -> None:
        """One activity on a deal; e-mails of a deal answer each other in one thread."""
        contact = deal.contacts[0]
        # The tail of the id keeps two threads of one contact apart by subject, too.
        topic = f"{deal.name.split(' - ')[-1]} {deal.id[-6:]}"
        phrases = SUBJECTS.get(deal.account.country.language, SUBJECTS["en"])
        activity = Activity(
            id=self.world.next_id("activities"),
            kind=kind,
            at=at,
            direction=direction,
            owner_id=acting_owner(deal, min(at, self.world.today)),
            deal=deal,
            contact=contact,
            subject=phrases[int(deal.id) % len(phrases)].format(topic),
            done=done,
            created=min(at, self.world.today - 16 * HOUR),
        )
        if kind == "emails":
            previous = self.last_mail.get(deal.id)
            host = contact.account.domain if direction == "in" else "mail.nordlicht.example"
            activity.message_id = f"crm-{activity.id}@{host}"
            activity.thread = f"deal-{deal.id}"
            if previous:
                activity.reply_to = previous.message_id
            self.last_mail[deal.id] = activity
        self.world.activities.append(activity)

    def past(self, deal: Deal) -> None:
        """What happened while the deal went through its stages."""
        rng = self.rng
        quiet_from = deal.stages[-1].at - DAY
        for before, after in zip(deal.stages, deal.stages[1:], strict=False):
            if after.at - before.at < 3 * DAY or after.at > quiet_from + DAY:
                continue
            at = office_time(rng, before.at + DAY)
            draw = rng.random()
            if draw < 0.16:
                self.note(deal, "emails", at)
                self.note(deal, "emails", at + rng.randint(2, 20) * HOUR, "in")
            elif draw < 0.26:
                self.note(deal, "meetings", at)
            elif draw < 0.36:
                self.note(deal, "calls", at)
            elif draw < 0.42:
                self.note(deal, "tasks", at)
            elif draw < 0.45:
                self.note(deal, "notes", at)

    def present(self, deal: Deal) -> None:
        """What makes an open deal well or unwell today."""
        rng, today, entered = self.rng, self.world.today, deal.stages[-1].at
        if deal.health in {"healthy", "old_but_alive"}:
            answered = today - rng.randint(3, 5) * DAY - rng.randint(0, 8) * HOUR
            floor = deal.created + HOUR
            self.note(deal, "emails", max(answered - 2 * DAY, floor))
            self.note(deal, "meetings", max(answered - DAY, floor))
            self.note(deal, "emails", answered, "in")
            self.note(deal, "emails", answered + 20 * HOUR)
            kind = rng.choice(("tasks", "meetings"))
            self.note(deal, kind, today + rng.randint(1, 10) * DAY + 3 * HOUR, done=False)
        elif deal.health == "new":
            self.note(deal, "emails", deal.created + 20 * MINUTE)
            self.note(deal, "tasks", today + 2 * DAY, done=False)
        elif deal.health == "ghosted":
            self.note(deal, "emails", entered - 2 * DAY)
            self.note(deal, "emails", entered - DAY, "in")
            self.note(deal, "emails", today - 14 * DAY + 3 * HOUR)
            self.note(deal, "emails", today - 9 * DAY + 4 * HOUR)
        elif deal.health == "ghosted_cold":
            self.note(deal, "emails", entered + HOUR)
            self.note(deal, "emails", entered + 2 * HOUR, "in")
            self.note(deal, "emails", entered + 12 * DAY)
            self.note(deal, "emails", entered + 16 * DAY)
        else:
            self.note(deal, "emails", entered - 2 * DAY)
            self.note(deal, "emails", entered - DAY, "in")
            if deal.health == "stalled_but_touched":
                self.note(deal, "meetings", today - rng.randint(19, 24) * DAY)
            elif deal.health == "stalled" and rng.random() < 0.5:
                self.note(deal, "tasks", entered + 9 * DAY, done=False)


def fill_diary(world: World) -> None:
    """Write the activities of all deals, in order of time."""
    diary = Diary(world)
    for deal in world.deals:
        diary.past(deal)
        if deal.status == "open" and deal.archived_at is None:
            diary.present(deal)
    mark_health(world)


def mark_health(world: World) -> None:
    """Tag what can be seen of deals: stages skipped, dates pushed, who left, what is late."""
    day = business_date(world.today)
    for deal in world.live_deals:
        orders = [STAGES[edit.value].order for edit in deal.stages if edit.value in STAGES]
        steps = [after - before for before, after in pairwise(orders)]
        kinds = [STAGES[edit.value].kind for edit in deal.stages]
        if any(step > 1 and kind == "open" for step, kind in zip(steps, kinds[1:], strict=True)):
            world.mark("stage_skipped", deal.id)
        if any(
            step < 0 and kinds[place] == kinds[place + 1] == "open"
            for place, step in enumerate(steps)
        ):
            world.mark("moved_backward", deal.id)
        dates = [edit.value for edit in deal.closes if edit.value and edit.source == PERSON]
        periods = [quarter(business_date(value)) for value in dates]
        if any(later > earlier for earlier, later in pairwise(periods)):
            world.mark("pushed_over_quarter_end", deal.id)
        if deal.status != "open":
            continue
        owner = BY_OWNER.get(deal.owners[-1].value or "")
        if owner and owner.row(day) is None:
            world.mark("owner_left", deal.id)
        close = deal.closes[-1].value
        if close is not None and business_date(close) < day:
            world.mark("close_date_past", deal.id)


def find_leads(world: World, customers: Customers) -> None:
    """About 6 000 leads at scale 1; a third became the deal they point at."""
    rng = random.Random(f"{world.seed}:leads")
    converted = [
        deal
        for deal in world.deals
        if deal.pipelines[0].value == NEW_BUSINESS.id and rng.random() < 0.62
    ]
    leads: list[Lead] = []
    for deal in converted:
        created = max(deal.created - rng.randint(1, 40) * DAY, START - 60 * DAY)
        leads.append(_lead(rng, deal.contacts[0].owner_id, deal, created, world))
    span = (world.today - START) // DAY - 2
    market = [account for account in world.accounts if not (account.quiet or account.solo)]
    while len(leads) < round(6_000 * world.scale):
        created = office_time(rng, START + rng.randint(0, span) * DAY)
        account = rng.choice(market)
        if rng.random() < 0.6:
            contact = customers.contact(account, max(created - HOUR, account.created))
        else:
            contact = rng.choice(account.contacts)
        lead = _lead(rng, contact.owner_id, None, created, world)
        lead.contact = contact
        leads.append(lead)
    leads.sort(key=lambda lead: lead.created)
    for lead in leads:
        lead.id = world.next_id("leads")
    world.leads = leads
    for lead in rng.sample(leads, max(2, round(40 * world.scale))):
        if lead.deal is None:
            at = max(world.today - rng.randint(2, 80) * DAY, lead.stages[-1].at)
            lead.archived_at = min(at, world.today - 15 * HOUR)
            world.mark("deleted_leads", lead.id)


def _lead(
    rng: random.Random, owner_id: str | None, deal: Deal | None, created: int, world: World
) -> Lead:
    order = [stage[0] for stage in LEAD_STAGES]
    owner = owner_id if owner_id and rng.random() < 0.95 else QUEUE_OWNER_ID
    stages = [Edit(created, order[0], None)]
    goal = 3 if deal else rng.choice((0, 0, 1, 1, 2, 4, 4, 4))
    latest = deal.created if deal else world.today - 14 * HOUR
    path = (1, 2, 3) if goal == 3 else (1, 4) if goal == 4 else tuple(range(1, goal + 1))
    for place, step in enumerate(path, 1):
        at = created + place * rng.randint(1, 8) * DAY
        last = place == len(path)
        at = deal.created + MINUTE if deal and last else min(at, latest - (9 - place) * MINUTE)
        if at > stages[-1].at:
            stages.append(Edit(at, order[step], None))
    contact = deal.contacts[0] if deal else None
    return Lead(
        "",
        contact,  # type: ignore[arg-type]  # an unconverted lead gets its contact next
        created,
        owner,
        deal.channel if deal else rng.choice(CHANNELS),
        stages,
        rng.choice(("NEW_BUSINESS", "NEW_BUSINESS", "RE_ATTEMPTING", "UPSELL")),
        deal,
    )

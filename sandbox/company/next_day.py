"""One more day in the life of the company, between the first sync and the second."""

import random
from decimal import Decimal
from typing import Any

from sandbox.company import journeys
from sandbox.company.accounts import Customers
from sandbox.company.billing import Biller
from sandbox.company.clock import DAY, HOUR, MINUTE, SECOND, SECOND_DAY, instant
from sandbox.company.collection import Collector
from sandbox.company.deals import DealDesk
from sandbox.company.ledger import CreditNote, Invoice, vendor_id
from sandbox.company.letters import Letter, compose
from sandbox.company.mailboxes import MAILBOXES, SHARED, MailMessage, Post
from sandbox.company.model import Activity, Alias, Contact, Deal, Edit, Lead, World
from sandbox.company.money import minor
from sandbox.company.people import BY_EMAIL, BY_OWNER
from sandbox.company.pipelines import LEAD_STAGES, NEW_BUSINESS


class NextDay:
    """Lives one day in a world; every moment lies between the two syncs."""

    def __init__(self, world: World, post: Post) -> None:
        self.world = world
        self.post = post
        self.rng = random.Random(f"{world.seed}:day-two")
        self.clock = world.today + HOUR
        self.customers = Customers(world, self.rng)
        self.customers.names = {one.name for one in world.accounts}
        self.customers.domains = {one.domain for one in world.accounts}
        self.customers.addresses = {one.email for one in world.contacts}

    def moment(self) -> int:
        """The next moment of the day."""
        self.clock += self.rng.randint(20, 200) * SECOND
        return self.clock

    def some(self, pool: list[Any], count: int) -> list[Any]:
        """At most ``count`` (at scale 1) of a pool, at least one."""
        wanted = max(1, round(count * self.world.scale))
        return self.rng.sample(pool, min(len(pool), wanted))

    def live(self) -> None:
        """The whole day, deals first."""
        self.move_deals()
        self.new_deals()
        self.merge()
        self.delete_and_restore()
        self.touch()
        self.bill()
        self.mail()
        self.world.today = SECOND_DAY

    # --- the CRM -----------------------------------------------------------

    def _plain_open(self) -> list[Deal]:
        return [
            deal
            for deal in self.world.live_deals
            if deal.health == "healthy" and deal.status == "open" and deal.tags <= {"plain"}
        ]

    def move_deals(self) -> None:
        """Stages forward, wins, losses, pushes, amounts, and one win taken back."""
        moving = self.some(self._plain_open(), 60)
        for place, deal in enumerate(moving):
            at, user = self.moment(), deal.stages[-1].by
            what = ("forward", "won", "lost", "push", "amount")[place % 5]
            stages = deal.pipeline.open_stages
            if what == "forward" and deal.stage is not stages[-1]:
                deal.stages.append(Edit(at, stages[deal.stage.order].id, user))
            elif what == "won":
                self._close(deal, deal.pipeline.won.id, at)
            elif what == "lost":
                self._close(deal, deal.pipeline.lost.id, at)
                deal.loss_reason = "Price"
            elif what == "push" and deal.closes[-1].value:
                deal.closes.append(Edit(at, deal.closes[-1].value + 95 * DAY, user))
            elif deal.amount:
                value = journeys.changed_amount(self.rng, deal.amount, deal.currency)
                deal.amounts.append(Edit(at, value, user))
            self.world.mark(f"day_two_{what}", deal.id)
        won = [
            deal
            for deal in self.world.live_deals
            if deal.status == "won" and len(deal.wins) == 1 and deal.booked and not deal.merged_ids
        ]
        for deal in self.some(won, 3):
            deal.stages.append(
                Edit(self.moment(), deal.pipeline.open_stages[-1].id, deal.stages[-1].by)
            )
            deal.health = "new"
            self.world.mark("day_two_reopened", deal.id)

    def _close(self, deal: Deal, stage: str, at: int) -> None:
        user = deal.stages[-1].by
        deal.stages.append(Edit(at, stage, user))
        deal.closes.append(Edit(at + 40, at, user, "CALCULATED"))
        deal.health = None

    def new_deals(self) -> None:
        """New companies with new deals, and leads of which some became one at once."""
        desk = DealDesk(self.world, self.customers)
        desk.rng = self.rng
        for _ in range(max(2, round(12 * self.world.scale))):
            at = self.moment()
            account = self.customers.account(at - 10 * MINUTE, people=1)
            stage = NEW_BUSINESS.stages[0].id
            rep = self.rng.choice([BY_EMAIL[box] for box in MAILBOXES[1:4]])
            contact = account.contacts[0]
            contact.owner_id = rep.owner_id
            currency = account.country.currency
            deal = Deal(
                id=self.world.next_id("deals"),
                name=f"{account.name} - Platform",
                account=account,
                contacts=[contact],
                created=at,
                stages=[Edit(at, stage, rep.user_id)],
                pipelines=[Edit(at, NEW_BUSINESS.id, rep.user_id)],
                amounts=[Edit(at, journeys.draw_amount(self.rng, currency), rep.user_id)],
                closes=[Edit(at, journeys.close_instant(self.rng, at + 70 * DAY), rep.user_id)],
                owners=[Edit(at, rep.owner_id, rep.user_id)],
                currencies=[Edit(at, currency, rep.user_id)],
                channel="REFERRALS",
                health="new",
            )
            self.world.deals.append(deal)
            self.world.mark("day_two_created", deal.id)
            self._lead(contact, at - 5 * MINUTE, deal)
        for contact in self.some([one for one in self.world.contacts if not one.account.quiet], 10):
            self._lead(contact, self.moment(), None)

    def _lead(self, contact: Contact, at: int, deal: Deal | None) -> None:
        stages = [Edit(at, LEAD_STAGES[0][0], None)]
        if deal:
            stages.append(Edit(deal.created + MINUTE, LEAD_STAGES[3][0], None))
        owner = contact.owner_id or BY_EMAIL[MAILBOXES[1]].owner_id
        lead = Lead(
            self.world.next_id("leads"),
            contact,
            at,
            owner,
            "REFERRALS",
            stages,
            "NEW_BUSINESS",
            deal,
        )
        self.world.leads.append(lead)

    def merge(self) -> None:
        """Duplicates into their first, and a merged deal into yet another one."""
        deals = {deal.id: deal for deal in self.world.live_deals}
        twins = [deal for deal in deals.values() if deal.name.endswith(" (2)")]
        for twin in self.some(twins, 4):
            first = next(
                deal
                for deal in deals.values()
                if deal.account is twin.account and f"{deal.name} (2)" == twin.name
            )
            self._merge_into(first, twin)
        again = [deal for deal in deals.values() if deal.merged_ids and deal.status == "lost"]
        lost = [deal for deal in deals.values() if deal.status == "lost" and not deal.merged_ids]
        for deal in self.some(again, 2):
            other = self.rng.choice(lost)
            if other in self.world.deals:
                self._merge_into(deal, other)
        mergeable = [one for one in self.world.contacts if not one.account.quiet]
        for contact in self.some([one for one in mergeable if len(one.account.contacts) > 2], 3):
            loser = next(one for one in contact.account.contacts if one is not contact)
            self._merge_contacts(contact, loser)

    def _merge_into(self, deal: Deal, loser: Deal) -> None:
        world, at, primary = self.world, self.moment(), deal.id
        deal.merged_ids += [*loser.merged_ids, loser.id, primary]
        deal.id = world.next_id("merged_deals")
        deal.touched = at
        world.deals.remove(loser)
        for old in (loser.id, primary):
            world.aliases.append(Alias("deals", old, deal.id, at))
        for activity in world.activities:
            if activity.deal is loser:
                activity.deal = deal
        for lead in world.leads:
            if lead.deal is loser:
                lead.deal = deal
        for invoice in world.books.invoices:
            for link in invoice.links:
                if link.deal is loser:
                    link.deal = deal
        deal.lines += loser.lines
        deal.quotes += loser.quotes
        world.mark("day_two_merged", deal.id)

    def _merge_contacts(self, contact: Contact, loser: Contact) -> None:
        world, at = self.world, self.moment()
        contact.merged_ids += [*loser.merged_ids, loser.id]
        contact.old_emails += [loser.email, *loser.old_emails]
        contact.modified = at
        world.aliases.append(Alias("contacts", loser.id, contact.id, at))
        world.contacts.remove(loser)
        loser.account.contacts.remove(loser)
        for deal in world.deals:
            if loser in deal.contacts:
                deal.contacts = _replaced(deal.contacts, loser, contact)
        for activity in world.activities:
            if activity.contact is loser:
                activity.contact = contact
        for lead in world.leads:
            if lead.contact is loser:
                lead.contact = contact
        world.mark("day_two_merged_contacts", contact.id)

    def delete_and_restore(self) -> None:
        """Some open deals go, some deleted ones come back, as do their leads' links."""
        for deal in self.some(self._plain_open(), 5):
            deal.archived_at = self.moment()
            self.world.mark("day_two_deleted", deal.id)
        # A restored open deal would have a touch that readers may date in two ways.
        gone = [
            deal
            for deal in self.world.deals
            if deal.status != "open" and 0 < (deal.archived_at or 0) < self.world.today
        ]
        for deal in self.some(gone, 3):
            deal.archived_at = None
            deal.touched = self.moment()
            self.world.mark("restored", deal.id)

    def touch(self) -> None:
        """Meetings wake some stalled deals; a title changes; an association appears."""
        asleep = [deal for deal in self.world.live_deals if deal.health == "stalled"]
        for deal in self.some(asleep, 4):
            self._activity(deal, "meetings", "out")
            deal.health = "stalled_but_touched"
        ghosts = [deal for deal in self.world.live_deals if deal.health == "ghosted"]
        for deal in self.some(ghosts, 3):
            self._activity(deal, "emails", "in")
            deal.health = "new"
            self.world.mark("day_two_answered", deal.id)
        for contact in self.some(self.world.contacts, 20):
            contact.title = "VP Operations"
            contact.modified = self.moment()

    def _activity(self, deal: Deal, kind: str, direction: str) -> None:
        at = self.moment()
        earlier = [
            one for one in self.world.activities if one.deal is deal and one.kind == "emails"
        ]
        activity = Activity(
            id=self.world.next_id("activities"),
            kind=kind,
            at=at,
            direction=direction,
            owner_id=earlier[-1].owner_id,
            deal=deal,
            contact=deal.contacts[0],
            subject=earlier[-1].subject,
            created=at,
        )
        if kind == "emails":
            activity.message_id = f"crm-{activity.id}@{deal.account.domain}"
            activity.reply_to, activity.thread = earlier[-1].message_id, earlier[-1].thread
        self.world.activities.append(activity)

    # --- billing -----------------------------------------------------------

    def bill(self) -> None:
        """Invoices for what was forgotten, money, a credit, a void, and a write-off."""
        world, rng = self.world, self.rng
        biller = Biller(world, world.books, day=2)
        collector = Collector(world, world.books, rng)
        collector.notes = sum(len(one.credits) for one in world.books.invoices)
        billed = {link.deal.id for one in world.books.invoices for link in one.links}
        number = max(int((one.number or "-0").split("-")[-1]) for one in world.books.invoices)
        unbilled = [
            deal
            for deal in world.live_deals
            if deal.status == "won"
            and deal.booked
            and deal.id not in billed
            and not deal.account.solo
        ]
        for deal in self.some(unbilled, 10):
            net = minor(deal.booked or Decimal(0), deal.currency)
            invoice = biller.bill(deal, net, self.moment(), 1)
            number += 1
            invoice.number = f"NL7A21C4-{number:05d}"
            invoice.created = (invoice.finalized or 0) - MINUTE
            world.mark("day_two_billed", invoice.id)
        owing = [one for one in world.books.invoices if one.status == "open" and one.due]
        before = [one for one in owing if (one.finalized or 0) < world.today]
        for place, invoice in enumerate(self.some(before, 18)):
            if place % 6 == 5 and not invoice.payments:
                invoice.voided_at = self.moment()
                world.mark("day_two_voided", invoice.id)
            elif place % 6 == 4 and not invoice.payments:
                self._credit(collector, invoice)
            elif place % 6 == 3:
                invoice.written_off_at = self.moment()
                world.mark("day_two_written_off", invoice.id)
            else:
                collector.pay(invoice, invoice.remaining, self.moment())
                world.mark("day_two_paid", invoice.id)

    def _credit(self, collector: Collector, invoice: Invoice) -> None:
        collector.notes += 1
        note = CreditNote(
            vendor_id(self.rng, "cn"),
            f"NL7A21C4-CN-{collector.notes:04d}",
            self.moment(),
            invoice.net,
            invoice.tax,
            "due",
            "order_change",
        )
        invoice.credits.append(note)
        self.world.mark("day_two_credited", note.id)

    # --- mail --------------------------------------------------------------

    def mail(self) -> None:
        """The logged answers, inquiries from new people, and a message thrown away."""
        for one in self.world.activities:
            if one.kind == "emails" and one.at > self.world.today and one.thread:
                chain = [
                    letter.message_id or ""
                    for letter in self.post.letters
                    if letter.thread == one.thread and letter.kind == "person"
                ]
                rep = BY_OWNER[one.owner_id]
                self._deliver(
                    Letter(
                        one.message_id,
                        one.at,
                        (f"{one.contact.given} {one.contact.family}", one.contact.email),
                        [(rep.name, rep.email)],
                        [("Sales", SHARED)],
                        f"Re: {one.subject}",
                        one.contact.account.country.language,
                        one.thread,
                        references=chain,
                    )
                )
        for number in range(max(2, round(20 * self.world.scale))):
            address = f"neu.{number}@morgen-{number}.test"
            at = self.moment()
            self._deliver(
                Letter(
                    f"{self.rng.getrandbits(64):016x}@mail.morgen-{number}.test",
                    at,
                    (f"Neu {number}", address),
                    [("Sales", SHARED)],
                    [],
                    f"Anfrage für Montag {number}",
                    "de",
                    f"day-two-{number}",
                )
            )
            self.post.candidates[address] = at

    def _deliver(self, letter: Letter) -> None:
        letter.number = len(self.post.letters) + 1
        letter.boxes = [
            (address, "INBOX") for _, address in (*letter.to, *letter.cc) if address in MAILBOXES
        ]
        self.post.letters.append(letter)
        for box, name in letter.boxes:
            folder = self.post.mailboxes[box][name]
            uid = folder.messages[-1].uid + 1 if folder.messages else 1
            arrived = instant(letter.at // SECOND * SECOND + 2 * SECOND)
            folder.messages.append(MailMessage(uid, arrived, (), compose(letter, box)))


def _replaced(people: list[Contact], loser: Contact, winner: Contact) -> list[Contact]:
    kept = [winner if one is loser else one for one in people]
    return [one for place, one in enumerate(kept) if one not in kept[:place]]

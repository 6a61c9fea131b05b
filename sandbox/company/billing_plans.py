"""How the company bills what it won, and what goes wrong with it.

Every won deal gets one billing plan. Amounts of plans differ from the booked amount by
nothing, by at most 0.3 per cent, or by at least 5 per cent, and dates keep five days'
distance from the 30 days of grace, so no status hangs on a boundary.
"""

from collections.abc import Iterator
from decimal import Decimal

from sandbox.company.billing import Biller
from sandbox.company.clock import DAY, HOUR
from sandbox.company.collection import Collector
from sandbox.company.ledger import (
    Books,
    Customer,
    Invoice,
    Link,
    Subscription,
)
from sandbox.company.model import Deal, World
from sandbox.company.money import minor, share_of

LATE_PLANS = {
    "full": 56,
    "deposit": 7,
    "installments": 6,
    "installments_running": 5,
    "subscription": 8,
    "over_billed": 4,
    "reversed": 4,
    "partly_credited": 4,
    "credited_within_tolerance": 1,
    "reissued": 3,
    "written_off": 2,
    "disputed": 2,
    "won_never_billed": 6,
}
"""Weights of the plans of deals won more than 34 days ago."""


class PlanBiller(Biller):
    """Bills deals by plans, and customers that no deal stands behind."""

    # --- plans -------------------------------------------------------------

    def bill_won(self, deal: Deal) -> None:
        """Bill a deal that was won, at its latest win, by a plan."""
        rng, world = self.rng, self.world
        won = deal.wins[-1]
        age = (world.today - won) // DAY
        if not deal.booked:
            return
        net = minor(deal.booked, deal.currency)
        if age <= 25:
            plan = rng.choice(("unbilled_in_grace", "unbilled_in_grace", "full", "deposit_only"))
        elif age <= 36:
            plan = "full"
        else:
            plan = rng.choices(list(LATE_PLANS), list(LATE_PLANS.values()))[0]
        if deal.account.solo and age > 130:
            plan = rng.choice(("full", "full", "candidate_only"))
        elif deal.status != "won" or deal.archived_at is not None:
            plan = "full"
        at = self.workday(won + rng.randint(1, min(18, max(1, age - 4))) * DAY)
        if at > self.end:
            plan = "unbilled_in_grace"
        world.mark(f"plan_{plan}", deal.id)
        getattr(self, f"_{plan}")(deal, net, at)

    def _unbilled_in_grace(self, deal: Deal, net: int, at: int) -> None:
        """Nothing yet."""

    def _won_never_billed(self, deal: Deal, net: int, at: int) -> None:
        """Forgotten: the leak."""

    def _full(self, deal: Deal, net: int, at: int) -> Invoice:
        return self.bill(deal, net, at, self.method(deal))

    def _candidate_only(self, deal: Deal, net: int, at: int) -> None:
        """The right invoice, but only the mail domain hints at it: never accepted alone."""
        customer = self.customer_of(deal.account, deal.currency, mapped=False)
        invoice = self.invoice(customer, [(net, "Services", None)], at)
        invoice.candidate_for, invoice.unlinked_class = deal, "unmatched"

    def _deposit_only(self, deal: Deal, net: int, at: int) -> None:
        self.bill(deal, share_of(net, 3, 10), at, 1, kind="deposit")

    def _deposit(self, deal: Deal, net: int, at: int) -> None:
        """A deposit, and a final invoice that takes it off again."""
        first = self.bill(deal, share_of(net, 3, 10), at, 1, kind="deposit")
        later = self.workday(at + self.rng.randint(20, 28) * DAY)
        if later > self.end:
            return
        final = self.invoice(
            first.customer,
            [(net, "Project", None), (-first.net, f"less deposit {first.id[-6:]}", None)],
            later,
        )
        self.tie(final, deal, 1)

    def _installments(self, deal: Deal, net: int, at: int, share: int = 4) -> None:
        part, method = net // 4, self.method(deal) if not deal.account.solo else 1
        for place in range(share):
            when = self.workday(at + place * 30 * DAY)
            if when < self.end:
                amount = part if place < 3 else net - 3 * part
                self.bill(deal, amount, when, method)

    def _installments_running(self, deal: Deal, net: int, at: int) -> None:
        self._installments(deal, net, at, self.rng.randint(1, 3))

    def _subscription(self, deal: Deal, net: int, at: int) -> None:
        """Twelve monthly invoices that add up to the deal; the last takes the rest."""
        customer = self.customer_of(deal.account, deal.currency, mapped=None)
        part = net // 12
        subscription = Subscription(
            self.new_id("sub"), customer, at - HOUR, part, self.rng.randrange(2), deal.id
        )
        self.books.subscriptions.append(subscription)
        # Metadata entered late is not in the snapshot of the first invoices.
        noted_from = self.rng.choice((0, 0, 0, 2))
        for place in range(12):
            when = at + place * 30 * DAY + place * 10 * HOUR
            if when > self.end:
                return
            amount = part if place < 11 else net - 11 * part
            invoice = self.invoice(
                customer,
                [(amount, "Platform, monthly", None)],
                when,
                kind="recurring",
                reason="subscription_cycle" if place else "subscription_create",
            )
            invoice.subscription = subscription
            if place >= noted_from:
                invoice.subscription_note = {"crm_deal_id": deal.id}
            self.tie(invoice, deal, 3)
        subscription.canceled_at = min(at + 366 * DAY, self.end)

    def _over_billed(self, deal: Deal, net: int, at: int) -> None:
        self.bill(deal, share_of(net, self.rng.randint(108, 125), 100), at, 1)

    def _reversed(self, deal: Deal, net: int, at: int) -> None:
        way = self.rng.choice(("refund", "refund", "balance", "due", "outside"))
        self.bill(deal, net, at, 1, plan=f"credit_100_{way}")

    def _partly_credited(self, deal: Deal, net: int, at: int) -> None:
        way = self.rng.choice(("refund", "balance", "due"))
        self.bill(deal, net, at, 1, plan=f"credit_{self.rng.randint(10, 45)}_{way}")

    def _credited_within_tolerance(self, deal: Deal, net: int, at: int) -> None:
        self.bill(deal, net, at, 1, plan="credit_0_due")

    def _written_off(self, deal: Deal, net: int, at: int) -> None:
        self.bill(deal, net, at, 1, plan="written_off")

    def _disputed(self, deal: Deal, net: int, at: int) -> None:
        self.bill(deal, net, at, 1, plan=self.rng.choice(("dispute_lost", "dispute_open")))

    def _reissued(self, deal: Deal, net: int, at: int) -> None:
        """A wrong invoice, voided, and the right one in its place."""
        wrong = self.bill(deal, share_of(net, 11, 10), at, 1, plan="voided")
        voided_at = at + self.rng.randint(2, 9) * DAY
        if voided_at > self.end:
            wrong.plan = "usual"
            return
        wrong.voided_at = voided_at
        again = self.bill(deal, net, min(self.workday(voided_at + HOUR), self.end), 1)
        again.replaces, wrong.replaced_by = wrong.id, again.id

    def bill_together(self, deals: list[Deal]) -> None:
        """One invoice for several deals: lines name them, so does the invoice."""
        customer = self.customer_of(deals[0].account, deals[0].currency, mapped=None)
        at = self.workday(max(deal.wins[-1] for deal in deals) + 6 * DAY)
        nets: list[tuple[int, str, str | None]] = [
            (minor(deal.booked or Decimal(0), deal.currency), deal.name, deal.id) for deal in deals
        ]
        invoice = self.invoice(customer, nets, at)
        invoice.metadata["crm_deal_id"] = ",".join(deal.id for deal in deals)
        for deal, (net, _, _) in zip(deals, nets, strict=True):
            invoice.links.append(Link(deal, net, 1))
        self.world.mark("one_invoice_for_several_deals", invoice.id)

    def bill_unwon(self, deal: Deal) -> None:
        """An invoice for a deal that nobody won."""
        if not deal.amount:
            return
        at = self.workday(min(deal.stages[-1].at + 10 * DAY, self.end - 9 * DAY))
        self.bill(deal, minor(deal.amount, deal.currency), at, 1)
        self.world.mark("billed_never_won", deal.id)

    # --- customers without deals -------------------------------------------

    def side_business(self) -> None:
        """Invoices no deal stands behind: self-serve, follow-ups, and the unexplained."""
        rng, scale = self.rng, self.world.scale
        market = [one for one in self.world.accounts if not (one.quiet or one.solo)]
        for _ in range(max(3, round(260 * scale))):
            at = self.world.today - rng.randint(2, 1_000) * DAY + rng.randint(0, 20) * HOUR
            customer = self.stranger(at - 2 * HOUR)
            price = rng.randint(49, 390)
            net = price * 160 if customer.currency == "JPY" else price * 100
            one = self.invoice(customer, [(net, "Starter pack", None)], at, kind="self_serve")
            one.unlinked_class = "self_serve"
        for place in range(max(2, round(46 * scale))):
            start = self.world.today - rng.randint(40, 900) * DAY
            if place % 3:
                customer = self.stranger(start - DAY)
            else:
                # A known company; its small monthly sums fit none of its deals.
                account = rng.choice([one for one in market if one.created < start])
                customer = self.customer_of(account, account.country.currency, mapped=None)
            self._follow_ups(customer, start)
        for _ in range(max(2, round(60 * scale))):
            at = self.workday(self.world.today - rng.randint(8, 900) * DAY)
            customer = self.stranger(at - DAY)
            euro = rng.randint(900, 18_000)
            net = euro * 160 if customer.currency == "JPY" else euro * 100 + rng.randint(0, 99)
            one = self.invoice(customer, [(net, "Consulting", None)], at)
            one.unlinked_class = "unmatched"
        for _ in range(max(1, round(9 * scale))):
            customer = rng.choice(self.books.customers)
            draft = self.invoice(
                customer, [(123_400, "Draft", None)], self.end - rng.randint(1, 9) * DAY
            )
            draft.finalized, draft.number, draft.due = None, None, None

    def _follow_ups(self, customer: Customer, start: int) -> None:
        price = self.rng.randint(79, 560)
        monthly = price * 160 if customer.currency == "JPY" else price * 100
        subscription = Subscription(self.new_id("sub"), customer, start - HOUR, monthly, 0)
        self.books.subscriptions.append(subscription)
        for place in range(self.rng.randint(2, 20)):
            at = start + place * 30 * DAY + place * 10 * HOUR
            if at > self.end:
                return
            one = self.invoice(
                customer,
                [(monthly, "Platform, monthly", None)],
                at,
                kind="recurring",
                reason="subscription_cycle" if place else "subscription_create",
            )
            one.subscription, one.unlinked_class = subscription, "recurring_follow_up"
        subscription.canceled_at = min(at + 29 * DAY, self.end)


def pairs_to_bill_together(world: World) -> Iterator[list[Deal]]:
    """Won deals of one company and currency, closed within 45 days: two at a time."""
    seen: dict[tuple[str, str], Deal] = {}
    for deal in sorted(world.live_deals, key=lambda one: one.stages[-1].at):
        if deal.status != "won" or not deal.booked or deal.account.solo or len(deal.wins) > 1:
            continue
        key = (deal.account.id, deal.currency)
        before = seen.pop(key, None)
        recent = world.today - deal.stages[-1].at < 60 * DAY
        if before and not recent and deal.stages[-1].at - before.stages[-1].at < 45 * DAY:
            yield [before, deal]
        else:
            seen[key] = deal


def do_billing(world: World) -> Books:
    """Bill everything that was won, some things that were not, and collect."""
    biller = PlanBiller(world)
    rng = biller.rng
    together: set[str] = set()
    for pair in pairs_to_bill_together(world):
        if len(together) < max(2, 2 * round(24 * world.scale)):
            biller.bill_together(pair)
            together |= {deal.id for deal in pair}
    for deal in world.deals:
        if deal.wins and deal.id not in together:
            biller.bill_won(deal)
    unwon = [deal for deal in world.live_deals if not deal.wins and not deal.account.solo]
    lost = [deal for deal in unwon if deal.status == "lost"]
    open_ = [deal for deal in unwon if deal.health == "healthy" and deal.tags <= {"plain"}]
    for deal in rng.sample(lost, min(len(lost), max(2, round(12 * world.scale)))):
        biller.bill_unwon(deal)
    for deal in rng.sample(open_, min(len(open_), max(2, round(6 * world.scale)))):
        biller.bill_unwon(deal)
    biller.side_business()
    Collector(world, biller.books, rng).collect()
    return biller.books

"""How the company bills: who gets which invoice for which deal, and what goes wrong.

Every won deal gets one billing plan. Amounts of plans differ from the booked amount by
nothing, by at most 0.3 per cent, or by at least 5 per cent, and dates keep five days'
distance from the 30 days of grace, so no status hangs on a boundary.
"""

import random
from collections.abc import Iterator
from decimal import Decimal

from sandbox.company.clock import DAY, HOUR, business_date, is_workday, local
from sandbox.company.collection import Collector
from sandbox.company.ledger import (
    BilledLine,
    BilledQuote,
    Books,
    Customer,
    Invoice,
    Link,
    Subscription,
    vendor_id,
)
from sandbox.company.model import Account, Deal, World
from sandbox.company.money import minor, share_of
from sandbox.company.names import BY_CODE, FIRM_STEMS, PRODUCTS

VAT = {"DE": (19, 100), "AT": (20, 100), "JP": (10, 100)}
"""Tax of a customer's country; the rest of the EU is reverse charge, the US untaxed."""

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


class Biller:
    """Draws invoices for deals and for customers the CRM does not know."""

    def __init__(self, world: World, books: Books | None = None, day: int = 1) -> None:
        self.world = world
        self.rng = random.Random(f"{world.seed}:billing:{day}")
        self.books = books or Books()
        self.customers: dict[tuple[str, str], Customer] = {
            (one.account.id, one.currency): one for one in self.books.customers if one.account
        }
        self.end = world.today - 13 * HOUR

    def new_id(self, prefix: str) -> str:
        """An id of Stripe's form."""
        return vendor_id(self.rng, prefix)

    # --- customers ---------------------------------------------------------

    def customer_of(self, account: Account, currency: str, *, mapped: bool | None) -> Customer:
        """The customer of a CRM company in a currency; ``mapped`` names the company."""
        key = (account.id, currency)
        if key not in self.customers:
            named = self.rng.random() < 0.5 if mapped is None else mapped
            # Some systems still know the company by the id it had before a merge.
            ids = [*account.merged_ids, account.id]
            self.customers[key] = customer = Customer(
                self.new_id("cus"),
                account.name,
                f"billing@{account.domain}" if named else account.contacts[0].email,
                account.country.code,
                currency,
                max(account.created, self.world.today - 1_095 * DAY),
                account,
                self.rng.choice(ids) if named else None,
            )
            self.books.customers.append(customer)
        return self.customers[key]

    def stranger(self, created: int) -> Customer:
        """A customer that no CRM record stands for."""
        country = BY_CODE[self.rng.choice(("DE", "FR", "US", "US", "JP"))]
        given, family = self.rng.choice(country.given), self.rng.choice(country.family)
        stem = self.rng.choice(FIRM_STEMS).lower()
        number = len(self.books.customers)
        customer = Customer(
            self.new_id("cus"),
            f"{given[0]} {family[0]}",
            f"{given[1]}@{stem}-shop{number}.example",
            country.code,
            country.currency,
            created,
        )
        self.books.customers.append(customer)
        return customer

    # --- one invoice -------------------------------------------------------

    def workday(self, at: int) -> int:
        """Half past ten of the first working day on or after the day of an instant."""
        day = business_date(at)
        while not is_workday(day):
            day = business_date(local(day, 12) + DAY)
        return local(day, 10, 30) + self.rng.randint(0, 3_600) * 1_000

    def invoice(
        self,
        customer: Customer,
        nets: list[tuple[int, str, str | None]],
        at: int,
        *,
        kind: str = "standard",
        reason: str = "manual",
        plan: str = "usual",
    ) -> Invoice:
        """A finalised invoice of lines given as (net, text, deal the line names)."""
        rng = self.rng
        rate = VAT.get(customer.country, (0, 100))
        inclusive = customer.country == "JP" and rng.random() < 0.2
        discounted = not inclusive and nets[0][0] > 10_000 and rng.random() < 0.03
        lines = []
        for net, text, deal_ref in nets:
            discount = share_of(net, 1, 9) if discounted and net > 0 else 0
            lines.append(
                BilledLine(
                    self.new_id("il"),
                    net,
                    discount,
                    share_of(net, *rate),
                    rng.randrange(len(PRODUCTS)),
                    text,
                    at,
                    at + 365 * DAY,
                    deal_ref=deal_ref,
                )
            )
        automatic = kind in {"recurring", "self_serve"}
        invoice = Invoice(
            self.new_id("in"),
            "",
            customer,
            customer.currency,
            at - HOUR,
            at,
            None if automatic else at + 30 * DAY,
            lines,
            kind=kind,
            reason=reason,
            tax_inclusive=inclusive,
            plan=plan,
        )
        if kind in {"deposit", "self_serve"}:
            invoice.metadata["kind" if kind == "deposit" else "channel"] = kind
        self.books.invoices.append(invoice)
        return invoice

    def lines_for(self, deal: Deal, net: int) -> list[tuple[int, str, str | None]]:
        """The net in one line, in a few, or now and then in more than ten."""
        draw = self.rng.random()
        count = self.rng.randint(11, 32) if draw < 0.04 else 2 if draw < 0.2 else 1
        if net < 100 * count:
            count = 1
        part = net // count
        parts = [part] * (count - 1) + [net - part * (count - 1)]
        product = deal.name.split(" - ")[-1]
        return [(one, f"{product} {place}", None) for place, one in enumerate(parts, 1)]

    # --- evidence ----------------------------------------------------------

    def method(self, deal: Deal) -> int:
        """By which evidence a reader can tell that an invoice is a deal's."""
        if deal.account.solo:
            return self.rng.choice((1, 5, 5, 5))
        draw = self.rng.random()
        if deal.quotes and draw < 0.35:
            return 2
        if deal.po_number and draw < 0.7:
            return 4
        return 4 if draw > 0.93 else 1

    def tie(self, invoice: Invoice, deal: Deal, method: int, net: int | None = None) -> None:
        """Leave the evidence on the invoice and note the truth."""
        # A merged deal may be known to billing by the id it lost.
        ids = [*deal.merged_ids, deal.id]
        invoice.links.append(Link(deal, invoice.net if net is None else net, method))
        if method == 1:
            key, form = self.rng.choice(
                (("crm_deal_id", "{}"), ("crm_deal_id", "hubspot:{}"), ("hubspot_deal_id", "{}"))
            )
            invoice.metadata[key] = form.format(self.rng.choice(ids))
        elif method == 2:
            quote = deal.quotes[-1]
            quote.stripe_id = quote.stripe_id or self.new_id("qt")
            invoice.quote_id = quote.stripe_id
            invoice.reason = "quote_accept"
            made = BilledQuote(quote.stripe_id, invoice.customer, deal.id, invoice, quote.created)
            if all(one.id != made.id for one in self.books.quotes):
                self.books.quotes.append(made)
        elif method == 4 and deal.po_number:
            invoice.po_number = deal.po_number
        elif method == 4:
            invoice.description = f"Ihr Auftrag / your order, deal {deal.id}, thank you"

    def bill(self, deal: Deal, net: int, at: int, method: int, **options: str) -> Invoice:
        """One invoice for one deal."""
        mapped = True if method == 5 else None
        customer = self.customer_of(deal.account, deal.currency, mapped=mapped)
        invoice = self.invoice(customer, self.lines_for(deal, net), at, **options)
        self.tie(invoice, deal, method)
        return invoice

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
    biller = Biller(world)
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

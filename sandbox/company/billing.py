"""How an invoice comes about: its customer, its lines and tax, and what it says of its deal."""

import random

from sandbox.company.clock import DAY, HOUR, business_date, is_workday, local
from sandbox.company.ledger import (
    BilledLine,
    BilledQuote,
    Books,
    Customer,
    Invoice,
    Link,
    vendor_id,
)
from sandbox.company.model import Account, Deal, World
from sandbox.company.money import share_of
from sandbox.company.names import BY_CODE, FIRM_STEMS, PRODUCTS

VAT = {"DE": (19, 100), "AT": (20, 100), "JP": (10, 100)}
"""Tax of a customer's country; the rest of the EU is reverse charge, the US untaxed."""


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

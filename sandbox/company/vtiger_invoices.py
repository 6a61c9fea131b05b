"""The books as Vtiger's invoices tell them.

There is no module of payments: what came in is a sum, ``received``, and the last edit is the
only date. Credits and write-offs are not there either; where nothing is due any more, somebody
sets the status to *Paid*. Every other invoice is taxed by line, if the rates make up the
ledger's tax to the cent; the rest as a whole.
"""

from decimal import Decimal
from typing import TypeAlias

from sandbox.company.clock import business_date, instant
from sandbox.company.hubspot_work import product_id
from sandbox.company.ledger import BilledLine, Invoice
from sandbox.company.model import World
from sandbox.company.money import HOME, rounded
from sandbox.company.names import PRODUCTS

Row: TypeAlias = dict[str, str | None]
FIRST = 700_000
"""Where the numbers of invoices begin, so that no other record has them."""
CURRENCIES = {"EUR": 1, "USD": 2, "JPY": 3}
_THOUSANDTH = Decimal("0.001")


def invoice_number(world: World, one: Invoice) -> int:
    """The number of an invoice in the installation."""
    return FIRST + world.books.invoices.index(one)


def is_settled(one: Invoice) -> bool:
    """Whether somebody set it to Paid, and no lost dispute had them set it back."""
    return one.status == "paid" and not any(paid.dispute_lost for paid in one.payments)


def received(one: Invoice) -> int:
    """The money that came in and stayed, in minor units."""
    return sum(paid.amount for paid in one.payments if not paid.dispute_lost)


def changed_at(one: Invoice) -> int:
    """When an invoice was last edited, by which its status and its money are dated."""
    moments = [one.finalized or one.created, one.voided_at or 0, one.paid_at or 0]
    moments += [paid.at for paid in one.payments]
    return max([*moments, *(paid.dispute_at for paid in one.payments)])


def status(one: Invoice) -> str:
    """The word of its picklist."""
    if one.status in {"draft", "void"}:
        return {"draft": "Created", "void": "Cancel"}[one.status]
    return "Paid" if is_settled(one) else "Sent"


def _rate(line: BilledLine, one: Invoice) -> Decimal | None:
    """A line's tax in per cent, three places; None where no such rate makes up its tax."""
    if not line.net:
        return None if line.tax else Decimal(0)
    rate = (Decimal(100 * line.tax) / line.net).quantize(Decimal(1))
    tax = rounded(one.amount(line.net) * rate / 100, one.currency)
    return rate.quantize(_THOUSANDTH) if tax == one.amount(line.tax) else None


def _money(amount: Decimal) -> str:
    return f"{amount:.8f}"


def _line(number: int, place: int, one: Invoice, part: BilledLine, rate: Decimal | None) -> Row:
    full = one.amount(part.net + part.discount)
    quantity = part.quantity or 1
    price = full / quantity
    if quantity * Decimal(f"{price:.8f}") != full:
        quantity, price = 1, full
    return {
        "id": f"50x{number * 100 + place}",
        "productid": f"14x{product_id(part.product)}",
        "product_name": PRODUCTS[part.product][0],
        "comment": part.text,
        "quantity": f"{quantity}.000",
        "listprice": _money(price),
        "discount_amount": _money(one.amount(part.discount)) if part.discount else "",
        "discount_percent": "",
        "tax1": "" if rate is None else str(rate),
    }


def invoice(world: World, one: Invoice) -> tuple[int, Row, list[Row]]:
    """The number, the row and the lines of an invoice."""
    number = invoice_number(world, one)
    issued = one.finalized or one.created
    rates = [_rate(part, one) for part in one.lines]
    by_line = number % 2 == 0 and None not in rates
    net, gross = one.amount(one.net), one.amount(one.gross)
    deal = next((text for key, text in one.metadata.items() if "deal" in key), None)
    day = business_date(issued)
    buys = Decimal(1) if one.currency == HOME else 1 / world.rates.on(one.currency, day)
    row: Row = {
        "subject": one.description or one.lines[0].text,
        "invoice_no": one.number,
        "invoicestatus": status(one),
        "invoicedate": day.isoformat(),
        "duedate": business_date(one.due or issued).isoformat(),
        "potential_id": f"13x{deal}" if deal and deal.isdecimal() else None,
        "account_id": f"11x{one.customer.company_ref}" if one.customer.company_ref else None,
        "currency_id": f"21x{CURRENCIES[one.currency]}",
        "conversion_rate": f"{buys:.3f}",
        "hdnTaxType": "individual" if by_line else "group",
        # Where lines are taxed, their sum holds the tax.
        "hdnSubTotal": _money(gross if by_line else net),
        "pre_tax_total": _money(gross if by_line else net),
        "hdnGrandTotal": _money(gross),
        "received": _money(one.amount(received(one))),
        "balance": _money(one.amount(one.gross - received(one))),
        "createdtime": f"{instant(one.created):%Y-%m-%d %H:%M:%S}",
        "modifiedtime": f"{instant(max(one.created, changed_at(one))):%Y-%m-%d %H:%M:%S}",
    }
    lines = [
        _line(number, place, one, part, rate if by_line else None)
        for place, (part, rate) in enumerate(zip(one.lines, rates, strict=True))
    ]
    return number, row, lines

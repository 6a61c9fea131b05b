"""The books as Zoho CRM's invoices tell them.

The CRM knows no payments and no credits: an invoice is paid when its status says so, and what
was credited or written off it does not say. Prices are without tax; a line's tax stands beside
its amount.
"""

from decimal import Decimal

from sandbox.company.clock import business_date
from sandbox.company.hubspot_work import product_id
from sandbox.company.ledger import Invoice
from sandbox.company.model import World
from sandbox.company.names import PRODUCTS
from sandbox.company.zoho_record import Row, entry, link, own_id, plain

FIRST = 700_000
"""Where the numbers of invoices begin, so that no other record has them."""
_PLACES = Decimal("0.000001")


def invoice_number(world: World, one: Invoice) -> int:
    """The number of an invoice in the organisation."""
    return FIRST + world.books.invoices.index(one)


def invoice_id(world: World, one: Invoice) -> str:
    """The id of an invoice in Zoho."""
    return own_id(invoice_number(world, one))


def is_settled(one: Invoice) -> bool:
    """Whether somebody set it to paid, and no lost dispute had them set it back."""
    return one.status == "paid" and not any(paid.dispute_lost for paid in one.payments)


def status(one: Invoice) -> str:
    """The word of its picklist."""
    if one.status in {"draft", "void"}:
        return {"draft": "Created", "void": "Cancelled"}[one.status]
    return "Paid" if is_settled(one) else "Sent"


def changed_at(one: Invoice) -> int:
    """When an invoice was last edited, by which its status is dated."""
    moments = [one.finalized or one.created, one.voided_at or 0, one.paid_at or 0]
    return max([*moments, *(paid.dispute_at for paid in one.payments)])


def invoice(world: World, one: Invoice) -> Row:
    """An invoice with its lines."""
    number = invoice_number(world, one)
    issued = one.finalized or one.created
    deal = next((text for key, text in one.metadata.items() if "deal" in key), None)
    lines = [
        {
            "id": own_id(number * 100 + place),
            "Product_Name": {
                **(link(product_id(part.product)) or {}),
                "name": PRODUCTS[part.product][0],
            },
            "Description": part.text,
            "Quantity": part.quantity,
            "List_Price": plain(
                (one.amount(part.net + part.discount) / (part.quantity or 1)).quantize(_PLACES)
            ),
            "Total": plain(one.amount(part.net + part.discount)),
            "Discount": plain(one.amount(part.discount)),
            "Tax": plain(one.amount(part.tax)),
            "Net_Total": plain(one.amount(part.net + part.tax)),
        }
        for place, part in enumerate(one.lines)
    ]
    row: Row = {
        "Subject": one.description or one.lines[0].text,
        "Invoice_Number": one.number,
        "Status": status(one),
        "Invoice_Date": business_date(issued).isoformat(),
        "Due_Date": business_date(one.due or issued).isoformat(),
        "Purchase_Order": one.po_number,
        "Deal_Name": link(deal) if deal and deal.isdecimal() else None,
        "Account_Name": link(one.customer.company_ref),
        "Currency": one.currency,
        "Sub_Total": plain(one.amount(one.gross)),
        "Discount": 0,
        "Tax": 0,
        "Adjustment": 0,
        "Grand_Total": plain(one.amount(one.gross)),
    }
    return entry(number, row, one.created, changed_at(one), lines=lines)

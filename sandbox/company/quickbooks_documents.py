"""Invoices, credits, payments and customers of the books in QuickBooks."""

import hashlib
from decimal import Decimal
from typing import Any

from sandbox.company.clock import DAY, business_date
from sandbox.company.ledger import BilledLine, BilledQuote, CreditNote, Customer, Invoice, Payment
from sandbox.company.model import World
from sandbox.company.money import HOME
from sandbox.company.names import PRODUCTS

Object = dict[str, Any]
SALES, BAD_DEBTS = "79", "86"
_CENT = Decimal("0.01")


def number(kind: str, id_: str) -> str:
    """The digits by which QuickBooks knows an object of the books."""
    digest = hashlib.sha256(f"{kind}:{id_}".encode()).digest()
    return str(int.from_bytes(digest[:6], "big"))


def invoice_id(one: Invoice) -> str:
    """The id of an invoice in QuickBooks."""
    return number("invoice", one.id)


def credit_memo_id(id_: str) -> str:
    """The id of a credit memo in QuickBooks."""
    return number("credit memo", id_)


def amount(one: Invoice, units: int) -> Decimal:
    """Minor units as QuickBooks writes them: two decimals, for yen too."""
    return one.amount(units).quantize(_CENT)


def item(place: int) -> Object:
    """A product; the one before the first gives claims up."""
    if place < 0:
        return {"Id": "1", "Name": "Bad debts", "IncomeAccountRef": {"value": BAD_DEBTS}}
    name, euro = PRODUCTS[place]
    return {
        "Id": str(place + 2),
        "Name": name,
        "Type": "Service",
        "UnitPrice": Decimal(euro),
        "IncomeAccountRef": {"value": SALES, "name": "Sales"},
    }


def customer_name(one: Customer, times: int) -> str:
    """A name that no other customer has: QuickBooks refuses a second one."""
    return one.name if times == 1 else f"{one.name} ({times})"


def customer(one: Customer, name: str) -> Object:
    """A customer."""
    given, _, family = one.email.partition("@")[0].partition(".")
    return {
        "Id": number("customer", one.id),
        "DisplayName": name,
        "CompanyName": one.name,
        "GivenName": given.capitalize(),
        "FamilyName": family.capitalize(),
        "PrimaryEmailAddr": {"Address": one.email},
        "BillAddr": {"Line1": "PRIVATE-STREET 1", "Country": one.country},
        "PrimaryPhone": {"FreeFormNumber": "PRIVATE-PHONE"},
        "CurrencyRef": {"value": one.currency},
        "Notes": "PRIVATE-NOTE",
    }


def estimate_id(one: BilledQuote) -> str:
    """The id of an estimate in QuickBooks."""
    return number("estimate", one.id)


def deposit(one: Invoice) -> int:
    """What was taken with the invoice: half of the payment of every third that was paid at once."""
    if len(one.payments) != 1 or int(invoice_id(one)) % 3:
        return 0
    paid, at = one.payments[0], one.finalized or one.created
    is_same_day = business_date(paid.at) == business_date(at)
    return paid.amount // 2 if is_same_day and not paid.dispute_lost else 0


def _tax(one: Invoice) -> Object:
    """How the document counts its tax; line amounts are net either way."""
    kind = "TaxInclusive" if one.tax_inclusive else "TaxExcluded"
    return {"GlobalTaxCalculation": kind, "TxnTaxDetail": {"TotalTax": amount(one, one.tax)}}


def _head(world: World, one: Invoice, at: int) -> Object:
    """What every transaction says: customer, day, currency and its rate."""
    day = business_date(at)
    rate = Decimal(1) if one.currency == HOME else world.rates.on(one.currency, day)
    return {
        "TxnDate": day.isoformat(),
        "CurrencyRef": {"value": one.currency},
        "ExchangeRate": rate,
        "CustomerRef": {"value": number("customer", one.customer.id), "name": one.customer.name},
    }


def _sales_line(place: int, text: str, net: Decimal, quantity: int, item_id: str) -> Object:
    return {
        "Id": str(place),
        "LineNum": place,
        "Description": text,
        "Amount": net,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {
            "ItemRef": {"value": item_id},
            "UnitPrice": net / quantity if quantity else Decimal(0),
            "Qty": quantity,
        },
    }


def _line(one: Invoice, place: int, part: BilledLine) -> Object:
    full = amount(one, part.net + part.discount)
    found = _sales_line(place, part.text, full, part.quantity, str(part.product + 2))
    if one.tax_inclusive:
        found["SalesItemLineDetail"]["TaxInclusiveAmt"] = amount(one, part.net + part.tax)
    found["SalesItemLineDetail"]["ServiceDate"] = business_date(part.start).isoformat()
    return found


def _lines(one: Invoice) -> list[Object]:
    """Lines before discount, their sum, and the discount that is taken off it."""
    lines = [_line(one, place, part) for place, part in enumerate(one.lines, 1)]
    full = sum(part.net + part.discount for part in one.lines)
    lines.append({"Amount": amount(one, full), "DetailType": "SubTotalLineDetail"})
    discount = sum(part.discount for part in one.lines)
    if discount:
        lines.append({"Amount": amount(one, discount), "DetailType": "DiscountLineDetail"})
    return lines


def invoice(world: World, one: Invoice, quote: BilledQuote | None = None) -> Object:
    """An invoice with its lines and what is due of it; a void one is zero throughout."""
    at = one.finalized or one.created
    is_void = one.status == "void"
    lost = sum(paid.amount for paid in one.payments if paid.dispute_lost)
    due = 0 if one.status == "uncollectible" else one.remaining + lost
    deal = next((text for key, text in one.metadata.items() if "deal" in key), None)
    fields: list[Object] = [
        {"DefinitionId": "1", "Name": "PO Number", "Type": "StringType"},
        {"DefinitionId": "2", "Name": "Deal ID", "Type": "StringType"},
    ]
    for field, text in zip(fields, (one.po_number, deal), strict=True):
        if text:
            field["StringValue"] = text
    note = f"Voided {one.description or ''}".strip() if is_void else one.description
    found: Object = {
        "Id": invoice_id(one),
        "DocNumber": one.number,
        "CustomField": fields,
        "Line": _lines(one),
        **_tax(one),
        "DueDate": business_date(one.due or at).isoformat(),
        "TotalAmt": amount(one, one.gross),
        "Balance": amount(one, due),
        "BillEmail": {"Address": one.customer.email},
        **_head(world, one, at),
    }
    if note:
        found["PrivateNote"] = note
    taken = deposit(one)
    if taken:
        found["Deposit"] = amount(one, taken)
    if quote:
        found["LinkedTxn"] = [{"TxnId": estimate_id(quote), "TxnType": "Estimate"}]
    if is_void:
        zero = Decimal(0)
        found |= {"TotalAmt": zero, "Balance": zero, "TxnTaxDetail": {"TotalTax": zero}}
        for line in found["Line"]:
            line["Amount"] = zero
            if "SalesItemLineDetail" in line:
                line["SalesItemLineDetail"] |= {"Qty": 0, "UnitPrice": zero}
    return found


def estimate(world: World, quote: BilledQuote) -> Object:
    """An estimate that was accepted and became its invoice."""
    one = quote.invoice
    expires = business_date(quote.created + 30 * DAY)
    return {
        "Id": estimate_id(quote),
        "DocNumber": f"E-{quote.id[-8:].upper()}",
        "Line": _lines(one),
        **_tax(one),
        "TotalAmt": amount(one, one.gross),
        "TxnStatus": "Closed",
        "ExpirationDate": expires.isoformat(),
        "AcceptedDate": business_date(quote.created).isoformat(),
        "LinkedTxn": [{"TxnId": invoice_id(one), "TxnType": "Invoice"}],
        "PrivateNote": f"deal {quote.deal_ref}",
        **_head(world, one, quote.created),
    }


def credit_memo(world: World, one: Invoice, note: CreditNote, left: int) -> Object:
    """A credit memo, and what of it is the customer's still."""
    return {
        "Id": credit_memo_id(note.id),
        "DocNumber": note.number,
        "Line": [_sales_line(1, f"Credit on {one.number}", amount(one, note.net), 1, "2")],
        "TxnTaxDetail": {"TotalTax": amount(one, note.tax)},
        "TotalAmt": amount(one, note.gross),
        "Balance": amount(one, left),
        "RemainingCredit": amount(one, left),
        "CustomerMemo": {"value": note.reason},
        **_head(world, one, note.at),
    }


def refund_receipt(world: World, one: Invoice, note: CreditNote) -> Object:
    """A credit and its repayment in one; it names no invoice."""
    found = credit_memo(world, one, note, 0)
    del found["RemainingCredit"]
    return found | {"Id": number("refund", note.id)}


def bad_debt(world: World, one: Invoice, at: int) -> Object:
    """A memo of the item that gives claims up."""
    gone = amount(one, one.remaining)
    return {
        "Id": credit_memo_id(f"{one.id}:write-off"),
        "Line": [_sales_line(1, f"Bad debt {one.number}", gone, 1, "1")],
        "TotalAmt": gone,
        "Balance": Decimal(0),
        "RemainingCredit": Decimal(0),
        **_head(world, one, at),
    }


def _linked(one: Invoice, units: int, kind: str, id_: str) -> Object:
    return {"Amount": amount(one, units), "LinkedTxn": [{"TxnId": id_, "TxnType": kind}]}


def payment(world: World, one: Invoice, paid: Payment) -> Object:
    """Money for an invoice, but for its deposit."""
    units = paid.amount - deposit(one)
    return {
        "Id": number("payment", paid.id),
        "TotalAmt": amount(one, units),
        "UnappliedAmt": Decimal(0),
        "Line": [_linked(one, units, "Invoice", invoice_id(one))],
        **_head(world, one, paid.at),
    }


def applied(world: World, one: Invoice, memo: str, units: int, at: int) -> Object:
    """A payment of zero that applies a credit memo to an invoice."""
    return {
        "Id": number("application", f"{memo}:{one.id}"),
        "TotalAmt": Decimal(0),
        "UnappliedAmt": Decimal(0),
        "Line": [
            _linked(one, units, "Invoice", invoice_id(one)),
            _linked(one, units, "CreditMemo", memo),
        ],
        **_head(world, one, at),
    }

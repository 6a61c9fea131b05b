"""Invoices, credit notes, payments, quotes and contacts of the books in Xero."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.company.clock import DAY, business_date, millis
from sandbox.company.credit_use import CreditUse
from sandbox.company.ledger import BilledLine, BilledQuote, CreditNote, Customer, Invoice
from sandbox.company.model import World
from sandbox.company.money import HOME
from sandbox.company.names import PRODUCTS

Object = dict[str, Any]
BANK, SALES, BAD_DEBTS = "090", "200", "416"
_CENT = Decimal("0.01")
_FOUR = Decimal("0.0001")


def identity(kind: str, id_: str) -> str:
    """The UUID that Xero gave an object of the books."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}:{id_}"))


def invoice_id(one: Invoice) -> str:
    """The id of an invoice in Xero."""
    return identity("invoice", one.id)


def note_id(note: CreditNote) -> str:
    """The id of a credit note in Xero."""
    return identity("credit note", note.id)


def contact_id(customer: str) -> str:
    """The id of a contact in Xero."""
    return identity("contact", customer)


def account_id(code: str) -> str:
    """The id of an account in Xero."""
    return identity("account", code)


def day(at: int, name: str = "Date") -> Object:
    """A business day, as Xero writes it twice: midnight of the organisation's day, said in UTC."""
    on = business_date(at)
    written = f"{on.isoformat()}T00:00:00"
    midnight = datetime(on.year, on.month, on.day, tzinfo=UTC)
    return {name: f"/Date({millis(midnight)}+0000)/", f"{name}String": written}


def amount(one: Invoice, units: int) -> Decimal:
    """Minor units as Xero writes them: two decimals, for yen too."""
    return one.amount(units).quantize(_CENT)


def item_code(place: int) -> str:
    """A product's code."""
    return f"NL-{place + 1:03d}"


def item(place: int) -> Object:
    """A product."""
    name, euro = PRODUCTS[place]
    return {
        "ItemID": identity("item", str(place)),
        "Code": item_code(place),
        "Name": name,
        "IsSold": True,
        "SalesDetails": {"UnitPrice": Decimal(euro).quantize(_FOUR), "AccountCode": SALES},
    }


def contact(one: Customer, name: str) -> Object:
    """A customer; the CRM company stands in its number, where somebody entered it."""
    given, _, family = one.email.partition("@")[0].partition(".")
    found: Object = {
        "ContactID": contact_id(one.id),
        "ContactStatus": "ACTIVE",
        "Name": name,
        "FirstName": given.capitalize(),
        "LastName": family.capitalize(),
        "EmailAddress": one.email,
        "BankAccountDetails": "PRIVATE-ACCOUNT",
        "TaxNumber": "PRIVATE-TAX",
        "Addresses": [
            {"AddressType": "STREET", "AddressLine1": "PRIVATE-STREET 1", "Country": one.country}
        ],
        "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "PRIVATE-PHONE"}],
        "IsCustomer": True,
        "IsSupplier": False,
        "DefaultCurrency": one.currency,
        "ContactPersons": [
            {
                "FirstName": "Accounts",
                "LastName": "Payable",
                "EmailAddress": f"ap@{one.email.partition('@')[2]}",
                "IncludeInEmails": True,
            }
        ],
        "ContactGroups": [],
        "HasValidationErrors": False,
    }
    return found | ({"ContactNumber": one.company_ref} if one.company_ref else {})


def _stub(one: Customer) -> Object:
    return {"ContactID": contact_id(one.id), "Name": one.name, "EmailAddress": one.email}


def _rate(world: World, one: Invoice, at: int) -> Object:
    """Units of the document's currency per euro; left out where it is euro."""
    if one.currency == HOME:
        return {"CurrencyCode": one.currency, "CurrencyRate": Decimal("1.0000000000")}
    rate = 1 / world.rates.on(one.currency, business_date(at))
    return {"CurrencyCode": one.currency, "CurrencyRate": rate.quantize(Decimal("1E-10"))}


def line(one: Invoice, part: BilledLine) -> Object:
    """A line: its amount is after discount, and with tax only where prices hold it."""
    inclusive = part.tax if one.tax_inclusive else 0
    full = one.amount(part.net + part.discount + inclusive)
    found: Object = {
        "LineItemID": identity("line", part.id),
        "Description": part.text,
        "ItemCode": item_code(part.product),
        "AccountCode": SALES,
        "TaxType": "OUTPUT" if part.tax else "NONE",
        "Quantity": Decimal(part.quantity).quantize(_FOUR),
        "UnitAmount": (full / part.quantity).quantize(_FOUR),
        "LineAmount": amount(one, part.net + inclusive),
        "TaxAmount": amount(one, part.tax),
        "Tracking": [],
    }
    if part.discount:
        found["DiscountAmount"] = amount(one, part.discount)
    if part.deal_ref:
        found["Tracking"] = [{"Name": "CRM deal", "Option": part.deal_ref}]
    return found


def _totals(one: Invoice, net: int, tax: int) -> Object:
    shown = net + (tax if one.tax_inclusive else 0)
    kind = "Inclusive" if one.tax_inclusive else "Exclusive" if tax else "NoTax"
    return {
        "LineAmountTypes": kind,
        "SubTotal": amount(one, shown),
        "TotalTax": amount(one, tax),
        "Total": amount(one, net + tax),
    }


def reference(one: Invoice) -> str:
    """What somebody typed: an order number, a deal, or the words of the invoice."""
    deal = next((text for key, text in one.metadata.items() if "deal" in key), None)
    return one.po_number or (f"deal {deal}" if deal else one.description) or ""


def invoice(world: World, one: Invoice, used: list[CreditUse]) -> Object:
    """An invoice with its lines and what was paid and credited."""
    issued = one.finalized or one.created
    lost = sum(paid.amount for paid in one.payments if paid.dispute_lost)
    written_off = one.remaining if one.status == "uncollectible" else 0
    due = one.remaining + lost - written_off
    if one.status == "draft":
        state, due = "DRAFT", one.gross
    elif one.status == "void":
        state, due = "VOIDED", 0
    else:
        state = "AUTHORISED" if due else "PAID"
    credited = one.lowered + sum(part.amount for part in used)
    found: Object = {
        "Type": "ACCREC",
        "InvoiceID": invoice_id(one),
        "InvoiceNumber": one.number or "",
        "Reference": reference(one),
        "Contact": _stub(one.customer),
        "Status": state,
        "LineItems": [line(one, part) for part in one.lines],
        "AmountDue": amount(one, due),
        "AmountPaid": amount(one, one.paid - lost + written_off),
        "AmountCredited": amount(one, credited),
        "SentToContact": one.finalized is not None,
        "HasAttachments": False,
        "HasErrors": False,
        **_totals(one, one.net, one.tax),
        **_rate(world, one, issued),
        **day(issued),
        **day(one.due or issued, "DueDate"),
    }
    if one.subscription is not None:
        found["RepeatingInvoiceID"] = identity("repeating", one.subscription.id)
    if state == "PAID":
        moments = [paid.at for paid in one.payments if not paid.dispute_lost]
        moments += [part.at for part in used] + [one.written_off_at or issued]
        moments += [note.at for note in one.credits if note.way == "due"]
        found["FullyPaidOnDate"] = day(max(moments))["Date"]
    return found


def credit_note(world: World, one: Invoice, note: CreditNote, spent: list[CreditUse]) -> Object:
    """A credit note with its dated allocations."""
    is_paid_out = note.way in {"refund", "outside"}
    left = 0 if is_paid_out else note.gross - sum(part.amount for part in spent)
    inclusive = note.tax if one.tax_inclusive else 0
    return {
        "Type": "ACCRECCREDIT",
        "CreditNoteID": note_id(note),
        "CreditNoteNumber": note.number,
        "Reference": note.reason,
        "Contact": _stub(one.customer),
        "Status": "AUTHORISED" if left else "PAID",
        "RemainingCredit": amount(one, left),
        "LineItems": [
            {
                "LineItemID": identity("credit line", note.id),
                "Description": f"Credit on {one.number}",
                "AccountCode": SALES,
                "Quantity": Decimal("1.0000"),
                "UnitAmount": one.amount(note.net + inclusive).quantize(_FOUR),
                "LineAmount": amount(one, note.net + inclusive),
                "TaxAmount": amount(one, note.tax),
                "Tracking": [],
            }
        ],
        "Allocations": [
            {
                "AllocationID": identity("allocation", f"{note.id}:{part.invoice.id}"),
                "Amount": amount(one, part.amount),
                "Invoice": {
                    "InvoiceID": invoice_id(part.invoice),
                    "InvoiceNumber": part.invoice.number,
                },
                "IsDeleted": False,
                "Date": day(part.at)["Date"],
            }
            for part in spent
        ],
        **_totals(one, note.net, note.tax),
        **_rate(world, one, note.at),
        **day(note.at),
    }


def payment(one: Invoice, id_: str, units: int, at: int, account: str, state: str) -> Object:
    """Money for an invoice, or the account of bad debts in its place."""
    return {
        "PaymentID": identity("payment", id_),
        "PaymentType": "ACCRECPAYMENT",
        "Status": state,
        "Amount": amount(one, units),
        "Account": {"AccountID": account_id(account), "Code": account},
        "Invoice": {
            "Type": "ACCREC",
            "InvoiceID": invoice_id(one),
            "InvoiceNumber": one.number,
            "CurrencyCode": one.currency,
            "Contact": _stub(one.customer),
        },
        "IsReconciled": True,
        "Date": day(at)["Date"],
    }


def refund(one: Invoice, note: CreditNote, at: int) -> Object:
    """Cash that paid a credit note out; its note stands where invoices do."""
    return {
        **payment(one, f"{note.id}:refund", note.gross, at, BANK, "AUTHORISED"),
        "PaymentType": "ARCREDITPAYMENT",
        "Invoice": {
            "Type": "ACCRECCREDIT",
            "InvoiceID": note_id(note),
            "InvoiceNumber": note.number,
            "CurrencyCode": one.currency,
            "Contact": _stub(one.customer),
        },
    }


def quote(one: BilledQuote) -> Object:
    """A quote that was accepted and became its invoice."""
    billed = one.invoice
    return {
        "QuoteID": identity("quote", one.id),
        "QuoteNumber": f"QU-{one.id[-8:].upper()}",
        "Reference": f"deal {one.deal_ref}",
        "Title": billed.lines[0].text,
        "Contact": _stub(one.customer),
        "Status": "INVOICED",
        "CurrencyCode": billed.currency,
        "LineItems": [
            {**line(billed, part), "LineItemID": identity("quote line", part.id)}
            for part in billed.lines
        ],
        **{
            name: text.upper() if name == "LineAmountTypes" else text
            for name, text in _totals(billed, billed.net, billed.tax).items()
        },
        **day(one.created),
        **day(one.created + 30 * DAY, "ExpiryDate"),
    }

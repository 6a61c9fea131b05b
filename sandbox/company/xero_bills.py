"""Suppliers' bills in Xero, what was paid of them, and the suppliers.

A void keeps its bill. Xero takes no payment above what is due: the second payment of a bill is
an overpayment, which names none, and is left out.
"""

from datetime import datetime
from decimal import Decimal

from sandbox.company.clock import instant, midnight
from sandbox.company.goods import SUPPLIERS, Bill
from sandbox.company.model import World
from sandbox.company.money import HOME
from sandbox.company.xero_documents import BANK, Object, account_id, contact_id, day, identity

Rows = list[tuple[Object, datetime]]
ACCOUNTS = {"goods": "310", "hosting": "463", "rent": "469"}
"""The account of each kind of cost."""


def bill_id(one: Bill) -> str:
    """The id of a bill in Xero."""
    return identity("bill", one.id)


def _bill(world: World, one: Bill) -> Object:
    paid = sum((amount for _, _, amount in one.payments[:1]), Decimal(0))
    due = Decimal("0.00") if one.voided else one.gross - paid
    rate = Decimal(1) if one.currency == HOME else 1 / world.rates.on(one.currency, one.issued)
    line: Object = {"LineItemID": identity("bill line", one.id), "Description": one.supplier[2]}
    line |= {"AccountCode": ACCOUNTS[one.supplier[2]], "TaxType": "INPUT", "Tracking": []}
    line |= {"Quantity": Decimal("1.0000"), "UnitAmount": one.net}
    line |= {"LineAmount": one.net, "TaxAmount": one.tax}
    return {
        "Type": "ACCPAY",
        "InvoiceID": bill_id(one),
        "InvoiceNumber": one.id,
        "Contact": {"ContactID": contact_id(one.supplier[0]), "Name": one.supplier[1]},
        "Status": "VOIDED" if one.voided else "AUTHORISED" if due else "PAID",
        "LineAmountTypes": "Exclusive",
        "LineItems": [line],
        "SubTotal": one.net,
        "TotalTax": one.tax,
        "Total": one.gross,
        "AmountDue": due,
        "AmountPaid": paid,
        "AmountCredited": Decimal("0.00"),
        "CurrencyCode": one.currency,
        "CurrencyRate": rate.quantize(Decimal("1E-10")),
        **day(midnight(one.issued)),
        **day(midnight(one.due), "DueDate"),
    }


def _payment(one: Bill) -> Object:
    id_, on, amount = one.payments[0]
    named = {"InvoiceID": bill_id(one), "Type": "ACCPAY", "CurrencyCode": one.currency}
    return {
        "PaymentID": identity("bill payment", id_),
        "PaymentType": "ACCPAYPAYMENT",
        "Status": "AUTHORISED",
        "Amount": amount,
        "Account": {"AccountID": account_id(BANK), "Code": BANK},
        "Invoice": named | {"Contact": {"ContactID": contact_id(one.supplier[0])}},
        **day(midnight(on)),
    }


def bills(world: World) -> dict[str, Rows]:
    """Objects by list, each with the instant of its last change."""
    first = instant(midnight(min(one.issued for one in world.goods.bills)))
    found: dict[str, Rows] = {"Invoices": [], "Payments": [], "Contacts": [], "Accounts": []}
    for id_, name, cost in SUPPLIERS:
        contact: Object = {"ContactID": contact_id(id_), "ContactStatus": "ACTIVE", "Name": name}
        contact |= {"IsCustomer": False, "IsSupplier": True, "ContactPersons": []}
        found["Contacts"].append((contact, first))
        account: Object = {"AccountID": account_id(ACCOUNTS[cost]), "Code": ACCOUNTS[cost]}
        account |= {"Name": cost, "Type": "EXPENSE", "Class": "EXPENSE", "Status": "ACTIVE"}
        found["Accounts"].append((account, first))
    for one in world.goods.bills:
        last = max([one.issued, one.voided or one.issued, *(on for _, on, _ in one.payments)])
        found["Invoices"].append((_bill(world, one), instant(midnight(last))))
        if one.payments:
            on = one.payments[0][1]
            found["Payments"].append((_payment(one), instant(midnight(on))))
    return found

"""Suppliers' bills in QuickBooks, what was paid of them, and the suppliers.

A bill cannot be voided: one that was is deleted, and no list shows it. No more is applied to a
bill than is due of it, so that the second payment of a bill hangs on nothing.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sandbox.company.clock import instant, midnight
from sandbox.company.goods import SUPPLIERS, Bill
from sandbox.company.model import World
from sandbox.company.money import HOME
from sandbox.company.quickbooks_documents import number

Object = dict[str, Any]
Rows = list[tuple[Object, datetime]]


def bill_id(one: Bill) -> str:
    """The id of a bill in QuickBooks."""
    return number("bill", one.id)


def _head(world: World, one: Bill, day: date) -> Object:
    rate = Decimal(1) if one.currency == HOME else world.rates.on(one.currency, day)
    supplier, name, _ = one.supplier
    return {
        "TxnDate": day.isoformat(),
        "CurrencyRef": {"value": one.currency},
        "ExchangeRate": rate,
        "VendorRef": {"value": number("vendor", supplier), "name": name},
    }


def _bill(world: World, one: Bill) -> Object:
    paid = sum((amount for _, _, amount in one.payments), Decimal(0))
    account = {"value": number("account", one.supplier[2]), "name": one.supplier[2]}
    line: Object = {"Id": "1", "Amount": one.net, "DetailType": "AccountBasedExpenseLineDetail"}
    line |= {"AccountBasedExpenseLineDetail": {"AccountRef": account}}
    return {
        "Id": bill_id(one),
        "DocNumber": one.id,
        "DueDate": one.due.isoformat(),
        "Line": [line],
        "GlobalTaxCalculation": "TaxExcluded",
        "TxnTaxDetail": {"TotalTax": one.tax},
        "TotalAmt": one.gross,
        "Balance": max(one.gross - paid, Decimal(0)),
        **_head(world, one, one.issued),
    }


def _payment(world: World, one: Bill, id_: str, day: date, paid: Decimal, due: Decimal) -> Object:
    linked = {"Amount": paid, "LinkedTxn": [{"TxnId": bill_id(one), "TxnType": "Bill"}]}
    return {
        "Id": number("bill payment", id_),
        "PayType": "Check",
        "TotalAmt": paid,
        "Line": [linked] if due else [],
        **_head(world, one, day),
    }


def bills(world: World) -> dict[str, Rows]:
    """Rows by entity, each with the instant of its last change."""
    first = min(one.issued for one in world.goods.bills)
    found: dict[str, Rows] = {"Bill": [], "BillPayment": [], "Vendor": []}
    for id_, name, _ in SUPPLIERS:
        vendor = {"Id": number("vendor", id_), "DisplayName": name, "AcctNum": "PRIVATE-ACCOUNT"}
        found["Vendor"].append((vendor, instant(midnight(first))))
    for one in world.goods.bills:
        if one.voided is not None:
            continue
        due, last = one.gross, one.issued
        for id_, day, paid in one.payments:
            row = _payment(world, one, id_, day, paid, due)
            found["BillPayment"].append((row, instant(midnight(day))))
            due, last = max(due - paid, Decimal(0)), max(last, day)
        found["Bill"].append((_bill(world, one), instant(midnight(last))))
    return found

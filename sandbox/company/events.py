"""Stripe's event log of the last thirty days, some of it in the shapes before 2025.

An event is rendered in the API version of the day it was created, not in the caller's:
a third of the invoice events here come in version 2024-06-20.
"""

from copy import deepcopy
from typing import Any
from zlib import crc32

from sandbox.company.clock import DAY
from sandbox.company.model import World

Object = dict[str, Any]
PINNED, OLD = "2026-06-24.dahlia", "2024-06-20"
KEPT_DAYS = 30


def events(world: World, found: dict[str, Any]) -> list[Object]:
    """The events of objects that came to be or moved in the last thirty days, oldest first."""
    since, until = (world.today - KEPT_DAYS * DAY) // 1_000, world.today // 1_000
    rows: list[tuple[int, str, Object]] = []
    payments: dict[str, Object] = {one["invoice"]: one for one in found["invoice_payments"]}
    charges = {one["payment_intent"]: one for one in found["charges"] if one["paid"]}
    invoices = {one["id"]: one for one in found["invoices"]}
    customers = {one["id"]: one for one in found["customers"]}
    of_charge = {one["id"]: one for one in found["charges"]}
    for kind, word in (("customers", "customer"), ("credit_notes", "credit_note")):
        rows += [(one["created"], f"{word}.created", one) for one in found[kind]]
    rows += [(one["created"], "charge.dispute.created", one) for one in found["disputes"]]
    for one in found["subscriptions"]:
        rows.append((one["created"], "customer.subscription.created", one))
        if one["canceled_at"]:
            rows.append((one["canceled_at"], "customer.subscription.deleted", one))
    for one in found["charges"]:
        rows.append((one["created"], f"charge.{one['status']}", one))
    for one in found["payment_intents"]:
        rows.append((one["created"] + 3_600, "payment_intent.succeeded", one))
    for one in found["invoice_payments"]:
        rows.append((one["status_transitions"]["paid_at"], "invoice_payment.paid", one))
        rows.append(
            (one["status_transitions"]["paid_at"], "invoice.updated", invoices[one["invoice"]])
        )
    for one in found["credit_notes"]:
        rows.append((one["created"], "invoice.updated", invoices[one["invoice"]]))
    for moves in found["customer_balance_transactions"].values():
        rows += [(one["created"], "customer.updated", customers[one["customer"]]) for one in moves]
    for one in found["refunds"]:
        if one["status"] == "succeeded":
            rows.append((one["created"], "charge.refunded", of_charge[one["charge"]]))
        word = "refund.failed" if one["status"] == "failed" else "refund.created"
        rows.append((one["created"], word, one))
    for one in found["quotes"]:
        rows.append((one["created"], "quote.created", one))
        rows.append((one["status_transitions"]["accepted_at"], "quote.accepted", one))
    for one in found["invoices"]:
        rows += _invoice_moments(one)
    rows = [row for row in rows if since <= row[0] < until]
    rows.sort(key=lambda row: (row[0], row[1], row[2]["id"]))
    return [_event(at, word, one, payments, charges) for at, word, one in rows]


def _invoice_moments(one: Object) -> list[tuple[int, str, Object]]:
    moved = one["status_transitions"]
    moments = [(one["created"], "invoice.created", one)]
    for field, word in (
        ("finalized_at", "finalized"),
        ("paid_at", "paid"),
        ("voided_at", "voided"),
        ("marked_uncollectible_at", "marked_uncollectible"),
    ):
        if moved[field] is not None:
            moments.append((moved[field], f"invoice.{word}", one))
    return moments


def _event(
    at: int,
    word: str,
    one: Object,
    payments: dict[str, Object],
    charges: dict[str, Object],
) -> Object:
    version, shown = PINNED, one
    if one["object"] == "invoice":
        shown = deepcopy(one)
        if word == "invoice.created":
            shown |= {"status": "draft", "number": None, "amount_paid": 0}
        if sum(map(ord, one["id"])) % 3 == 0:
            version = OLD
            payment = payments.get(one["id"])
            intent = payment["payment"].get("payment_intent") if payment else None
            before_basil(shown, intent, charges.get(intent or "", {}).get("id"))
    return {
        # The same moment of the same object has the same id on every day.
        "id": f"evt_1{at:011d}{crc32((word + one['id']).encode()):010d}",
        "object": "event",
        "api_version": version,
        "created": at,
        "data": {"object": shown, "previous_attributes": {}},
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None},
        "type": word,
    }


def before_basil(shown: Object, intent: str | None, charge: str | None) -> None:
    """Turn an invoice into the shape it had before 2025-03-31, in place."""
    parent = shown.pop("parent") or {}
    subscribed = parent.get("subscription_details") or {}
    shown["subscription"] = subscribed.get("subscription")
    shown["subscription_details"] = {"metadata": subscribed.get("metadata")}
    shown["quote"] = (parent.get("quote_details") or {}).get("quote")
    shown["payment_intent"], shown["charge"] = intent, charge
    shown["paid"] = shown["status"] == "paid"
    shown["paid_out_of_band"] = shown["paid"] and shown["amount_paid"] > 0 and intent is None
    if shown["paid_out_of_band"]:
        shown["amount_paid"] = 0
    shown["application_fee_amount"] = shown["transfer_data"] = None
    taxes = shown.pop("total_taxes")
    shown["tax"] = sum(entry["amount"] for entry in taxes) if taxes else None
    shown["total_tax_amounts"] = [_old_tax(entry) for entry in taxes]
    shown.pop("amount_overpaid")
    for entry in shown["lines"]["data"]:
        origin, pricing = entry.pop("parent"), entry.pop("pricing")
        details = origin[origin["type"]]
        product = pricing["price_details"]
        entry["price"] = {"id": product["price"], "object": "price", "product": product["product"]}
        entry["plan"] = None
        entry["proration"] = details["proration"]
        entry["subscription"] = details["subscription"]
        entry["subscription_item"] = details.get("subscription_item")
        entry["invoice_item"] = details.get("invoice_item")
        entry["type"] = "subscription" if details["subscription"] else "invoiceitem"
        entry["tax_amounts"] = [_old_tax(tax) for tax in entry.pop("taxes")]
        entry["unit_amount_excluding_tax"] = pricing["unit_amount_decimal"]


def _old_tax(entry: Object) -> Object:
    return {
        "amount": entry["amount"],
        "inclusive": entry["tax_behavior"] == "inclusive",
        "tax_rate": entry["tax_rate_details"]["tax_rate"],
        "taxability_reason": entry["taxability_reason"],
        "taxable_amount": entry["taxable_amount"],
    }

"""Invoices, credit notes and transactions of the books in Chargebee."""

from typing import Any

from sandbox.company.clock import business_date
from sandbox.company.credit_use import CreditUse
from sandbox.company.ledger import BilledLine, CreditNote, Invoice, Payment
from sandbox.company.model import World
from sandbox.company.money import HOME

Object = dict[str, Any]


def seconds(ms: int) -> int:
    """Unix seconds."""
    return ms // 1_000


def stamped(one: Object, kind: str, changed: int) -> Object:
    """An object with what all of them bear: its kind and its last change."""
    return {**one, "object": kind, "updated_at": seconds(changed), "resource_version": changed}


def price_id(place: int, currency: str) -> str:
    """The id of a product's monthly price."""
    return f"nl-{place:03d}-{currency}-Monthly"


def refund_id(id_: str) -> str:
    """The transaction of a refund."""
    return f"txn_{id_.removeprefix('re_')}"


def invoice_number(one: Invoice) -> str:
    """An invoice's id; Chargebee numbers drafts, too."""
    return one.number or f"DRAFT-{one.id[-8:]}"


def status_of(one: Invoice, today: int) -> str:
    """Chargebee's word for how an invoice stands."""
    if one.status == "draft":
        return "pending"
    if one.status == "void":
        return "voided"
    if one.status in {"paid", "uncollectible"}:
        return "paid"
    due = one.due or one.finalized or today
    if due > today:
        return "posted"
    return "payment_due" if today - due < 60 * 86_400_000 else "not_paid"


def line(one: Invoice, part: BilledLine) -> Object:
    """A line: its amount is before discounts, and with tax only where inclusive."""
    amount = part.net + part.discount + (part.tax if one.tax_inclusive else 0)
    subscribed = {"subscription_id": one.subscription.id} if one.subscription else {}
    return {
        "id": f"li_{part.id.removeprefix('il_')}",
        "date_from": seconds(part.start),
        "date_to": seconds(part.end),
        "unit_amount": amount // part.quantity,
        "quantity": part.quantity,
        "amount": amount,
        "pricing_model": "per_unit",
        "is_taxed": part.tax != 0,
        "tax_amount": part.tax,
        "discount_amount": part.discount,
        "item_level_discount_amount": 0,
        "customer_id": one.customer.id,
        "description": part.text,
        "entity_type": "plan_item_price" if one.subscription else "charge_item_price",
        "entity_id": price_id(part.product, one.currency),
        "metered": False,
        "object": "line_item",
        **subscribed,
    }


def invoice(world: World, one: Invoice, applied: list[CreditUse]) -> Object:
    """An invoice with its lines and all that was applied to it."""
    number = invoice_number(one)
    issued = one.finalized or one.created
    written_off = one.remaining if one.status == "uncollectible" else 0
    discount = sum(part.discount for part in one.lines)
    due_notes = [note for note in one.credits if note.way == "due"]
    later_notes = [note for note in one.credits if note.way != "due"]
    is_live = one.status in {"open", "paid", "uncollectible"}
    # Credit may be counted as used before the day of the invoice's number.
    credit = sum(part.amount for part in applied)
    moments = [issued, one.created, one.voided_at or 0, one.written_off_at or 0]
    moments += [money.at for money in one.payments] + [note.at for note in one.credits]
    found: Object = {
        "id": number,
        "customer_id": one.customer.id,
        "recurring": one.subscription is not None,
        "first_invoice": one.reason == "subscription_create",
        "status": status_of(one, world.today),
        "price_type": "tax_inclusive" if one.tax_inclusive else "tax_exclusive",
        "date": seconds(issued),
        "due_date": seconds(one.due or issued),
        "currency_code": one.currency,
        "base_currency_code": HOME,
        "exchange_rate": float(world.rates.on(one.currency, business_date(issued))),
        "total": one.gross,
        "sub_total": sum(line(one, part)["amount"] for part in one.lines),
        "tax": one.tax,
        "amount_paid": one.paid,
        "amount_adjusted": one.lowered,
        "credits_applied": credit,
        "write_off_amount": written_off,
        "amount_due": one.remaining - written_off if is_live else 0,
        "round_off_amount": 0,
        "term_finalized": one.finalized is not None,
        "deleted": False,
        "line_items": [line(one, part) for part in one.lines],
        "discounts": (
            [{"amount": discount, "entity_type": "document_level_coupon", "entity_id": "NL10",
              "object": "discount"}] if discount else []
        ),
        "line_item_discounts": [
            {"line_item_id": line(one, part)["id"], "discount_type": "document_level_coupon",
             "discount_amount": part.discount, "entity_id": "NL10"}
            for part in one.lines if part.discount
        ],
        "taxes": [{"name": "VAT", "amount": one.tax, "object": "tax"}] if one.tax else [],
        "linked_payments": [
            {"txn_id": money.id, "applied_amount": money.amount, "applied_at": seconds(money.at),
             "txn_status": "success", "txn_date": seconds(money.at), "txn_amount": money.amount}
            for money in one.payments
        ],
        "applied_credits": [
            {"cn_id": part.note.number, "applied_amount": part.amount,
             "applied_at": seconds(part.at), "cn_reason_code": "other",
             "cn_date": seconds(part.note.at), "cn_status": "adjusted"}
            for part in applied
        ],
        "adjustment_credit_notes": [
            {"cn_id": note.number, "cn_reason_code": "other", "cn_date": seconds(note.at),
             "cn_total": note.gross, "cn_status": "adjusted"}
            for note in due_notes
        ],
        "issued_credit_notes": [
            {"cn_id": note.number, "cn_reason_code": "other", "cn_date": seconds(note.at),
             "cn_total": note.gross, "cn_status": "refunded"}
            for note in later_notes
        ],
        "notes": [{"note": one.description}] if one.description else [],
        "billing_address": {
            "first_name": "Accounts",
            "last_name": "Payable",
            "email": one.customer.email,
            "company": one.customer.name,
            "line1": "PRIVATE-STREET 1",
            "country": one.customer.country,
            "object": "billing_address",
        },
    }  # fmt: skip
    if one.subscription:
        found["subscription_id"] = one.subscription.id
    if one.po_number:
        found["po_number"] = one.po_number
    if one.metadata.get("crm_deal_id"):
        found["cf_crm_deal_id"] = one.metadata["crm_deal_id"]
    if one.paid_at or one.written_off_at:
        found["paid_at"] = seconds(one.paid_at or one.written_off_at or 0)
    if one.voided_at:
        found["voided_at"] = seconds(one.voided_at)
    if written_off:
        found["adjustment_credit_notes"].append(
            {"cn_id": f"WO-{number}", "cn_reason_code": "write_off",
             "cn_create_reason_code": "Write Off", "cn_date": seconds(one.written_off_at or 0),
             "cn_total": written_off, "cn_status": "adjusted"}
        )  # fmt: skip
    return stamped(found, "invoice", max(moments))


def _note(one: Invoice, number: str, kind: str, at: int, total: int, tax: int) -> Object:
    """What all credit notes hold."""
    shown = total if one.tax_inclusive else total - tax
    return stamped(
        {
            "id": number,
            "customer_id": one.customer.id,
            "reference_invoice_id": invoice_number(one),
            "type": kind,
            "status": "adjusted",
            "date": seconds(at),
            "price_type": "tax_inclusive" if one.tax_inclusive else "tax_exclusive",
            "currency_code": one.currency,
            "base_currency_code": HOME,
            "sub_total": shown,
            "total": total,
            "amount_allocated": total if kind == "adjustment" else 0,
            "amount_refunded": 0,
            "amount_available": 0 if kind == "adjustment" else total,
            "deleted": False,
            "line_items": [
                {
                    "id": f"li_{number}",
                    "amount": shown,
                    "unit_amount": shown,
                    "quantity": 1,
                    "tax_amount": tax,
                    "discount_amount": 0,
                    "date_from": seconds(at),
                    "date_to": seconds(at),
                    "description": "Credit",
                    "entity_type": "adhoc",
                    "object": "line_item",
                }
            ],
            "taxes": [{"name": "VAT", "amount": tax, "object": "tax"}] if tax else [],
            "linked_refunds": [],
            "allocations": [],
        },
        "credit_note",
        at,
    )


def credit_note(one: Invoice, note: CreditNote, spent: list[CreditUse]) -> Object:
    """A credit note: an adjustment before payment, refundable after it."""
    if note.way == "due":
        found = _note(one, note.number, "adjustment", note.at, note.gross, note.tax)
        found |= {"reason_code": "other", "create_reason_code": note.reason}
        return found
    found = _note(one, note.number, "refundable", note.at, note.gross, note.tax)
    used = sum(part.amount for part in spent)
    found |= {"reason_code": "other", "create_reason_code": note.reason,
              "amount_allocated": used}  # fmt: skip
    if note.way == "balance":
        found["amount_available"] = note.gross - used
        found["status"] = "refund_due" if used < note.gross else "adjusted"
        return found
    transaction = refund(one, note)
    found |= {
        "status": "refunded",
        "amount_available": 0,
        "amount_refunded": note.gross,
        "linked_refunds": [
            {
                "txn_id": transaction["id"],
                "applied_amount": note.gross,
                "applied_at": transaction["date"],
                "txn_status": "success",
                "txn_date": transaction["date"],
                "txn_amount": note.gross,
            }
        ],
    }
    return found


def write_off_note(one: Invoice) -> Object:
    """The adjustment by which Chargebee books what was given up."""
    number = f"WO-{invoice_number(one)}"
    found = _note(one, number, "adjustment", one.written_off_at or 0, one.remaining, 0)
    return {**found, "reason_code": "write_off", "create_reason_code": "Write Off"}


def chargeback_note(one: Invoice, money: Payment) -> Object:
    """The refundable note by which Chargebee books a lost dispute."""
    number = f"CB-{invoice_number(one)}"
    found = _note(one, number, "refundable", money.dispute_at, money.amount, 0)
    at = seconds(money.dispute_at)
    return {
        **found,
        "status": "refunded",
        "reason_code": "chargeback",
        "create_reason_code": "Chargeback",
        "amount_available": 0,
        "amount_refunded": money.amount,
        "linked_refunds": [
            {
                "txn_id": f"txn_{money.dispute}",
                "applied_amount": money.amount,
                "applied_at": at,
                "txn_status": "success",
                "txn_date": at,
                "txn_amount": money.amount,
            }
        ],
    }


def payment(one: Invoice, money: Payment) -> Object:
    """A payment on one invoice: by card, or recorded by hand."""
    return stamped(
        {
            "id": money.id,
            "customer_id": one.customer.id,
            "type": "payment",
            "payment_method": "bank_transfer" if money.outside else "card",
            "gateway": "not_applicable" if money.outside else "stripe",
            "date": seconds(money.at),
            "currency_code": one.currency,
            "amount": money.amount,
            "amount_unused": 0,
            "status": "success",
            "deleted": False,
            "masked_card_number": "PRIVATE-CARD",
            "linked_invoices": [
                {
                    "invoice_id": invoice_number(one),
                    "applied_amount": money.amount,
                    "applied_at": seconds(money.at),
                    "invoice_total": one.gross,
                }
            ],
        },
        "transaction",
        money.at,
    )


def refund(one: Invoice, note: CreditNote) -> Object:
    """The transaction that gave a note's money back: by the gateway, or recorded by hand."""
    at = note.refund.at if note.refund else note.at
    id_ = note.refund.id if note.refund else f"re_{note.id.removeprefix('cn_')}"
    given = note.refund.payment if note.refund else one.payments[0]
    return {
        **payment(one, given),
        "id": refund_id(id_),
        "type": "refund",
        "payment_method": "card" if note.refund else "bank_transfer",
        "refunded_txn_id": given.id,
        "date": seconds(at),
        "updated_at": seconds(at),
        "amount": note.gross,
        "linked_invoices": [],
        "linked_credit_notes": [{"cn_id": note.number, "applied_amount": note.gross}],
    }

"""Invoices, their lines and taxes, and credit notes in Stripe."""

from typing import Any

from sandbox.company.ledger import (
    BilledLine,
    CreditNote,
    Invoice,
)

Object = dict[str, Any]
INLINE_LINES = 10


def seconds(ms: int | None) -> int | None:
    """Unix seconds."""
    return None if ms is None else ms // 1_000


def listing(url: str, data: list[Object], *, has_more: bool = False) -> Object:
    """A list inside an object."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def product_id(place: int) -> str:
    """The Stripe id of a product."""
    return f"prod_NL{place:012d}"


def price_id(place: int, currency: str) -> str:
    """The Stripe id of a product's list price."""
    return f"price_NL{place:09d}{currency}"


def tax_entries(one: Invoice, tax: int, taxable: int) -> list[Object]:
    """The ``taxes`` of a line or the ``total_taxes`` of an invoice."""
    reverse = tax == 0 and one.customer.country not in {"US", "DE", "AT", "JP"}
    if tax == 0 and not reverse:
        return []
    return [
        {
            "amount": tax,
            "tax_behavior": "inclusive" if one.tax_inclusive else "exclusive",
            "tax_rate_details": {"tax_rate": f"txr_{one.customer.country}"},
            "taxability_reason": "reverse_charge" if reverse else "standard_rated",
            "taxable_amount": taxable,
            "type": "tax_rate_details",
        }
    ]


def line(one: Invoice, part: BilledLine) -> Object:
    """An invoice line: ``amount`` before discount, and with tax only where inclusive."""
    amount = part.net + part.discount + (part.tax if one.tax_inclusive else 0)
    discounts = [{"amount": part.discount, "discount": "di_NL10"}] if part.discount else []
    details: Object = {"proration": False, "proration_details": {"credited_items": None}}
    subscribed = one.subscription
    if subscribed:
        item = f"si_{subscribed.id.removeprefix('sub_')}"
        details |= {"subscription": subscribed.id, "subscription_item": item}
        price_of_line = f"price_{subscribed.id.removeprefix('sub_')}"
    else:
        details |= {"subscription": None, "invoice_item": f"ii_{part.id.removeprefix('il_')}"}
        price_of_line = price_id(part.product, one.currency.lower())
    kind = "subscription_item_details" if subscribed else "invoice_item_details"
    other = "invoice_item_details" if subscribed else "subscription_item_details"
    return {
        "id": part.id,
        "object": "line_item",
        "amount": amount,
        "currency": one.currency.lower(),
        "description": part.text,
        "discount_amounts": discounts,
        "discountable": True,
        "discounts": [entry["discount"] for entry in discounts],
        "invoice": one.id,
        "livemode": False,
        "metadata": {"crm_deal_id": part.deal_ref} if part.deal_ref else {},
        "parent": {"type": kind, kind: details, other: None},
        "period": {"start": seconds(part.start), "end": seconds(part.end)},
        "pretax_credit_amounts": [],
        "pricing": {
            "type": "price_details",
            "price_details": {"price": price_of_line, "product": product_id(part.product)},
            "unit_amount_decimal": str(amount // part.quantity),
        },
        "quantity": part.quantity,
        "quantity_decimal": str(part.quantity),
        "subtotal": amount,
        "taxes": tax_entries(one, part.tax, part.net),
    }


def parent_of(one: Invoice) -> Object | None:
    """What the invoice came from; subscription metadata is the snapshot of that day."""
    if one.subscription:
        details = {"metadata": one.subscription_note, "subscription": one.subscription.id}
        kind = "subscription_details"
        return {"type": kind, "quote_details": None, kind: details}
    if one.quote_id:
        kind = "quote_details"
        return {"type": kind, kind: {"quote": one.quote_id}, "subscription_details": None}
    return None


def invoice(one: Invoice) -> Object:
    """An invoice with its first ten lines."""
    lines = [line(one, part) for part in one.lines]
    discount = sum(part.discount for part in one.lines)
    subtotal = sum(entry["amount"] for entry in lines)
    without_tax = subtotal - (one.tax if one.tax_inclusive else 0)
    due = 0 if one.status == "void" else one.gross - one.from_balance - one.lowered
    after = sum(note.gross for note in one.credits if note.way != "due")
    url = f"/v1/invoices/{one.id}/lines"
    remaining = 0 if one.status == "void" else one.remaining
    revised = {"action": "revision", "invoice": one.replaces} if one.replaces else None
    return {
        "id": one.id,
        "object": "invoice",
        "account_country": "DE",
        "account_name": "Nordlicht Systems",
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": one.paid,
        "amount_remaining": remaining,
        "amount_shipping": 0,
        "attempt_count": 1 if one.finalized else 0,
        "attempted": one.finalized is not None,
        "auto_advance": False,
        "billing_reason": one.reason,
        "collection_method": "send_invoice" if one.due else "charge_automatically",
        "created": seconds(one.created),
        "currency": one.currency.lower(),
        "custom_fields": [{"name": "PO number", "value": one.po_number}] if one.po_number else None,
        "customer": one.customer.id,
        "customer_email": one.customer.email,
        "customer_name": one.customer.name,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "description": one.description,
        "discounts": ["di_NL10"] if discount else [],
        "due_date": seconds(one.due),
        "effective_at": seconds(one.finalized),
        "ending_balance": 0 if one.finalized else None,
        "footer": None,
        "from_invoice": revised,
        "hosted_invoice_url": f"https://invoice.stripe.example/i/SECRET-{one.id}",
        "invoice_pdf": f"https://pay.stripe.example/SECRET-{one.id}/pdf",
        "last_finalization_error": None,
        "latest_revision": one.replaced_by,
        "lines": listing(url, lines[:INLINE_LINES], has_more=len(lines) > INLINE_LINES),
        "livemode": False,
        "metadata": one.metadata,
        "next_payment_attempt": None,
        "number": one.number,
        "parent": parent_of(one),
        "period_end": seconds(one.finalized or one.created),
        "period_start": seconds(one.finalized or one.created),
        "post_payment_credit_notes_amount": after,
        "pre_payment_credit_notes_amount": one.lowered,
        "starting_balance": -one.from_balance,
        "status": one.status,
        "status_transitions": {
            "finalized_at": seconds(one.finalized),
            "marked_uncollectible_at": seconds(one.written_off_at),
            "paid_at": seconds(one.paid_at),
            "voided_at": seconds(one.voided_at),
        },
        "subtotal": subtotal,
        "subtotal_excluding_tax": without_tax,
        "test_clock": None,
        "total": one.gross,
        "total_discount_amounts": [{"amount": discount, "discount": "di_NL10"}] if discount else [],
        "total_excluding_tax": one.net,
        "total_pretax_credit_amounts": [],
        "total_taxes": tax_entries(one, one.tax, one.net),
        "webhooks_delivered_at": seconds(one.finalized),
    }


def credit_note(one: Invoice, note: CreditNote, balance_move: str | None) -> Object:
    """A credit note; its parts before and after payment add up to its total."""
    before = note.gross if note.way == "due" else 0
    single = len(one.lines) == 1
    shown = note.gross if one.tax_inclusive else note.net
    part = {
        "id": f"cnli_{note.id.removeprefix('cn_')}",
        "object": "credit_note_line_item",
        "amount": shown,
        "description": one.lines[0].text if single else "Credit",
        "discount_amount": 0,
        "discount_amounts": [],
        "invoice_line_item": one.lines[0].id if single else None,
        "livemode": False,
        "pretax_credit_amounts": [],
        "quantity": 1,
        "tax_rates": [],
        "taxes": tax_entries(one, note.tax, note.net),
        "type": "invoice_line_item" if single else "custom_line_item",
        "unit_amount": shown,
        "unit_amount_decimal": str(shown),
    }
    refunds = (
        [{"amount_refunded": note.gross, "refund": note.refund.id, "type": "refund"}]
        if note.refund
        else []
    )
    return {
        "id": note.id,
        "object": "credit_note",
        "amount": note.gross,
        "amount_shipping": 0,
        "created": seconds(note.at),
        "currency": one.currency.lower(),
        "customer": one.customer.id,
        "customer_balance_transaction": balance_move,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": seconds(note.at),
        "invoice": one.id,
        "lines": listing(f"/v1/credit_notes/{note.id}/lines", [part]),
        "livemode": False,
        "memo": None,
        "metadata": {},
        "number": note.number,
        "out_of_band_amount": note.gross if note.way == "outside" else None,
        "pdf": f"https://pay.stripe.example/credit_notes/SECRET-{note.id}/pdf",
        "post_payment_amount": note.gross - before,
        "pre_payment_amount": before,
        "pretax_credit_amounts": [],
        "reason": note.reason,
        "refunds": refunds,
        "shipping_cost": None,
        "status": "issued",
        "subtotal": shown,
        "subtotal_excluding_tax": note.net,
        "total": note.gross,
        "total_excluding_tax": note.net,
        "total_taxes": tax_entries(one, note.tax, note.net),
        "type": "pre_payment" if before else "post_payment",
        "voided_at": None,
    }

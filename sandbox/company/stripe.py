"""The books as Stripe's API holds them, in the shape of version 2026-06-24.dahlia.

Plain dicts, amounts in Stripe's minor units, times in Unix seconds. An invoice carries
its first ten lines and ``has_more``; all of them stand in ``invoice_line_items`` by
invoice. ``payments`` is an expansion, so the server joins it from ``invoice_payments``.
Shapes: docs/sources/stripe.md.
"""

from typing import Any

from sandbox.company.clock import DAY, HOUR, business_date
from sandbox.company.events import events
from sandbox.company.ledger import (
    BilledLine,
    Books,
    CreditNote,
    Customer,
    Invoice,
    Payment,
    Refund,
    Subscription,
)
from sandbox.company.model import World
from sandbox.company.money import major, minor, share_of
from sandbox.company.names import PRODUCTS

Object = dict[str, Any]
INLINE_LINES = 10
CURRENCIES = ("eur", "usd", "jpy")


def seconds(ms: int | None) -> int | None:
    """Unix seconds."""
    return None if ms is None else ms // 1_000


def listing(url: str, data: list[Object], *, has_more: bool = False) -> Object:
    """A list inside an object."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def customer(one: Customer) -> Object:
    """A customer; the CRM company stands in its metadata where somebody entered it."""
    return {
        "id": one.id,
        "object": "customer",
        "address": {"country": one.country, "line1": "PRIVATE-STREET 1"},
        "balance": one.balance,
        "created": seconds(one.created),
        "currency": one.currency.lower(),
        "delinquent": False,
        "description": None,
        "email": one.email,
        "livemode": False,
        "metadata": {"crm_company_id": one.company_ref} if one.company_ref else {},
        "name": one.name,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def product_id(place: int) -> str:
    """The Stripe id of a product."""
    return f"prod_NL{place:012d}"


def price_id(place: int, currency: str) -> str:
    """The Stripe id of a product's list price."""
    return f"price_NL{place:09d}{currency}"


def products() -> list[Object]:
    """The products."""
    return [
        {
            "id": product_id(place),
            "object": "product",
            "active": place != 5,
            "created": 1_696_000_000 + place,
            "default_price": price_id(place, "eur"),
            "description": None,
            "livemode": False,
            "metadata": {"sku": f"NL-{place + 1:03d}"},
            "name": name,
            "type": "service",
            "updated": 1_696_000_000 + place,
        }
        for place, (name, _) in enumerate(PRODUCTS)
    ]


def price(id_: str, place: int, currency: str, amount: int, created: int, every: str) -> Object:
    """A price; ``every`` is month, or empty for a one-off."""
    recurring = {"interval": every, "interval_count": 1, "usage_type": "licensed"}
    return {
        "id": id_,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": created,
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "nickname": None,
        "product": product_id(place),
        "recurring": recurring if every else None,
        "tax_behavior": "exclusive",
        "type": "recurring" if every else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


def prices(books: Books) -> list[Object]:
    """List prices, and one price per subscription: those are agreed one by one."""
    found = [
        price(
            price_id(place, currency),
            place,
            currency,
            euro * (160 if currency == "jpy" else 100),
            1_696_000_100 + place,
            "",
        )
        for place, (_, euro) in enumerate(PRODUCTS)
        for currency in CURRENCIES
    ]
    return found + [subscription_price(one) for one in books.subscriptions]


def subscription_price(one: Subscription) -> Object:
    """The monthly price of a subscription."""
    currency = one.customer.currency.lower()
    id_ = f"price_{one.id.removeprefix('sub_')}"
    return price(id_, one.product, currency, one.monthly, one.created // 1_000, "month")


def subscription(one: Subscription, today: int) -> Object:
    """A subscription with its one item; the period lies on the item since 2025-03-31."""
    started = one.created // 1_000
    month = 30 * 86_400
    periods = (min(today, one.canceled_at or today) // 1_000 - started) // month
    start = started + periods * month
    return {
        "id": one.id,
        "object": "subscription",
        "billing_cycle_anchor": started,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": seconds(one.canceled_at),
        "collection_method": "charge_automatically",
        "created": started,
        "currency": one.customer.currency.lower(),
        "customer": one.customer.id,
        "discounts": [],
        "ended_at": seconds(one.canceled_at),
        "items": listing(
            f"/v1/subscription_items?subscription={one.id}",
            [
                {
                    "id": f"si_{one.id.removeprefix('sub_')}",
                    "object": "subscription_item",
                    "created": started,
                    "current_period_end": start + month,
                    "current_period_start": start,
                    "discounts": [],
                    "metadata": {},
                    "price": subscription_price(one),
                    "quantity": 1,
                    "subscription": one.id,
                    "tax_rates": [],
                }
            ],
        ),
        "latest_invoice": None,
        "livemode": False,
        "metadata": {"crm_deal_id": one.deal_ref} if one.deal_ref else {},
        "pause_collection": None,
        "start_date": started,
        "status": "canceled" if one.canceled_at else "active",
        "test_clock": None,
        "trial_end": None,
        "trial_start": None,
    }


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


def invoice_payment(one: Invoice, payment: Payment) -> Object:
    """Which payment settled how much of an invoice."""
    how = (
        {"type": "payment_record", "payment_record": f"prec_{payment.id.removeprefix('inpay_')}"}
        if payment.outside
        else {"type": "payment_intent", "payment_intent": payment.intent}
    )
    return {
        "id": payment.id,
        "object": "invoice_payment",
        "amount_paid": payment.amount,
        "amount_requested": payment.amount,
        "created": seconds(payment.at),
        "currency": one.currency.lower(),
        "invoice": one.id,
        "is_default": payment is one.payments[0],
        "livemode": False,
        "payment": how,
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": seconds(payment.at)},
    }


def charge(one: Invoice, payment: Payment, *, failed: bool = False) -> Object:
    """The charge of a payment, or the one that failed an hour earlier."""
    id_ = f"{payment.charge}F" if failed else payment.charge
    return {
        "id": id_,
        "object": "charge",
        "amount": payment.amount,
        "amount_captured": 0 if failed else payment.amount,
        "amount_refunded": 0 if failed else payment.refunded,
        "balance_transaction": None if failed else f"txn_{payment.charge}",
        "billing_details": {"email": one.customer.email, "address": {"line1": "PRIVATE"}},
        "captured": not failed,
        "created": seconds(payment.at - (HOUR if failed else 0)),
        "currency": one.currency.lower(),
        "customer": one.customer.id,
        "description": f"Payment for Invoice {one.number}",
        "disputed": not failed and payment.dispute is not None,
        "failure_code": "card_declined" if failed else None,
        "livemode": False,
        "metadata": {},
        "paid": not failed,
        "payment_intent": payment.intent,
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242"}},
        "receipt_url": f"https://pay.stripe.example/receipts/SECRET-{id_}",
        "refunded": not failed and payment.refunded >= payment.amount,
        "status": "failed" if failed else "succeeded",
    }


def payment_intent(one: Invoice, payment: Payment) -> Object:
    """The payment intent of a payment."""
    return {
        "id": payment.intent,
        "object": "payment_intent",
        "amount": payment.amount,
        "amount_received": payment.amount,
        "client_secret": f"{payment.intent}_secret_SECRET",
        "created": seconds(payment.at - HOUR),
        "currency": one.currency.lower(),
        "customer": one.customer.id,
        "latest_charge": payment.charge,
        "livemode": False,
        "metadata": {},
        "payment_method_types": ["card", "sepa_debit"],
        "status": "succeeded",
    }


def balance_transaction(
    world: World, currency: str, source: str, kind: str, amount: int, at: int
) -> Object:
    """An entry of the account's ledger, settled in euro; the rate is a JSON number."""
    rate = world.rates.on(currency, business_date(at))
    settled = minor(
        world.rates.to_home(major(amount, currency), currency, business_date(at)), "EUR"
    )
    fee = share_of(settled, 15, 1_000) + 25 if kind == "charge" else 0
    return {
        "id": f"txn_{source}",
        "object": "balance_transaction",
        "amount": settled,
        "available_on": seconds(at + 7 * DAY),
        "created": seconds(at),
        "currency": "eur",
        "description": None,
        "exchange_rate": None if currency == "EUR" else float(rate),
        "fee": fee,
        "fee_details": [{"amount": fee, "currency": "eur", "type": "stripe_fee"}] if fee else [],
        "net": settled - fee,
        "reporting_category": kind,
        "source": source,
        "status": "available" if at + 7 * DAY <= world.today else "pending",
        "type": kind,
    }


def refund(one: Invoice, given: Refund) -> Object:
    """Money given back on a charge."""
    return {
        "id": given.id,
        "object": "refund",
        "amount": given.amount,
        "balance_transaction": None if given.failed else f"txn_{given.id}",
        "charge": given.payment.charge,
        "created": seconds(given.at),
        "currency": one.currency.lower(),
        "failure_reason": "expired_or_canceled_card" if given.failed else None,
        "metadata": {},
        "payment_intent": given.payment.intent,
        "reason": "requested_by_customer",
        "status": "failed" if given.failed else "succeeded",
    }


def dispute(one: Invoice, payment: Payment) -> Object:
    """A contested charge."""
    return {
        "id": payment.dispute,
        "object": "dispute",
        "amount": payment.amount,
        "balance_transactions": [],
        "charge": payment.charge,
        "created": seconds(payment.dispute_at),
        "currency": one.currency.lower(),
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": payment.intent,
        "reason": "product_not_received",
        "status": "lost" if payment.dispute_lost else "needs_response",
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


def render(world: World) -> dict[str, Any]:
    """Every stream's objects, oldest first, and the last thirty days of events."""
    books = world.books
    found: dict[str, Any] = {
        "customers": [customer(one) for one in books.customers],
        "products": products(),
        "prices": prices(books),
        "subscriptions": [subscription(one, world.today) for one in books.subscriptions],
        "quotes": [
            {
                "id": one.id,
                "object": "quote",
                "amount_subtotal": one.invoice.net,
                "amount_total": one.invoice.gross,
                "created": seconds(one.created),
                "currency": one.invoice.currency.lower(),
                "customer": one.customer.id,
                "expires_at": seconds(one.created + 30 * DAY),
                "invoice": one.invoice.id,
                "livemode": False,
                "metadata": {"crm_deal_id": one.deal_ref},
                "number": f"QT-{one.id[-8:].upper()}-1",
                "status": "accepted",
                "status_transitions": {
                    "accepted_at": one.invoice.created // 1_000,
                    "canceled_at": None,
                    "finalized_at": seconds(one.created),
                },
                "subscription": None,
                "test_clock": None,
            }
            for one in books.quotes
        ],
        "invoices": [invoice(one) for one in books.invoices],
        "invoice_line_items": {
            one.id: [line(one, part) for part in one.lines] for one in books.invoices
        },
        "invoice_items": [],
        "invoice_payments": [],
        "credit_notes": [],
        "payment_intents": [],
        "charges": [],
        "refunds": [],
        "disputes": [],
        "balance_transactions": [],
        "payouts": [],
    }
    _money(world, found)
    moves: dict[str, list[Object]] = {}
    for move in books.balance_moves:
        moves.setdefault(move.customer.id, []).append(
            {
                "id": move.id,
                "object": "customer_balance_transaction",
                "amount": move.amount,
                "created": seconds(move.at),
                "credit_note": move.credit_note,
                "currency": move.customer.currency.lower(),
                "customer": move.customer.id,
                "description": None,
                "ending_balance": move.ending,
                "invoice": move.invoice,
                "livemode": False,
                "metadata": {},
                "type": move.kind,
            }
        )
    found["customer_balance_transactions"] = moves
    for kind, objects in found.items():
        if isinstance(objects, list) and kind != "products":
            objects.sort(key=lambda one: (one["created"], one["id"]))
    found["events"] = events(world, found)
    return found


def _money(world: World, found: dict[str, Any]) -> None:
    """Payments, refunds, disputes and credit notes, and their ledger entries."""
    moves = {move.credit_note: move.id for move in world.books.balance_moves}
    for one in world.books.invoices:
        entry = (world, one.currency)
        for payment in one.payments:
            found["invoice_payments"].append(invoice_payment(one, payment))
            if payment.outside:
                continue
            found["payment_intents"].append(payment_intent(one, payment))
            if sum(map(ord, payment.id)) % 19 == 0:
                found["charges"].append(charge(one, payment, failed=True))
            found["charges"].append(charge(one, payment))
            ledger = found["balance_transactions"]
            ledger.append(
                balance_transaction(*entry, payment.charge, "charge", payment.amount, payment.at)
            )
            if payment.dispute:
                found["disputes"].append(dispute(one, payment))
                ledger.append(
                    balance_transaction(
                        *entry, payment.dispute, "adjustment", -payment.amount, payment.dispute_at
                    )
                )
        for note in one.credits:
            found["credit_notes"].append(credit_note(one, note, moves.get(note.id)))
            if note.refund:
                found["refunds"].append(refund(one, note.refund))
                found["balance_transactions"].append(
                    balance_transaction(
                        *entry, note.refund.id, "refund", -note.refund.amount, note.refund.at
                    )
                )
    by_payment = {payment.id: one for one in world.books.invoices for payment in one.payments}
    for given in world.books.failed_refunds:
        found["refunds"].append(refund(by_payment[given.payment.id], given))

"""The books as Stripe's API holds them, in the shape of version 2026-06-24.dahlia.

Plain dicts, amounts in Stripe's minor units, times in Unix seconds. An invoice carries
its first ten lines and ``has_more``; all of them stand in ``invoice_line_items`` by
invoice. ``payments`` is an expansion, so the server joins it from ``invoice_payments``.
Shapes: docs/sources/stripe.md.
"""

from typing import Any

from sandbox.company.clock import DAY
from sandbox.company.events import events
from sandbox.company.ledger import (
    Books,
    Customer,
    Subscription,
)
from sandbox.company.model import World
from sandbox.company.names import PRODUCTS
from sandbox.company.stripe_invoices import (
    Object,
    credit_note,
    invoice,
    line,
    listing,
    price_id,
    product_id,
    seconds,
)
from sandbox.company.stripe_money import (
    balance_transaction,
    charge,
    dispute,
    invoice_payment,
    payment_intent,
    payment_record,
    refund,
)

CURRENCIES = ("eur", "usd", "jpy")


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


def coupons() -> list[Object]:
    """A fifth off for good, and half off the first invoice alone."""
    return [
        {
            "id": id_,
            "object": "coupon",
            "amount_off": None,
            "created": 1_696_000_000,
            "currency": None,
            "duration": duration,
            "duration_in_months": None,
            "livemode": False,
            "metadata": {},
            "name": id_,
            "percent_off": percent,
            "valid": True,
        }
        for id_, percent, duration in (("NL20", 20.0, "forever"), ("NLFIRST", 50.0, "once"))
    ]


def is_discounted(one: Subscription) -> bool:
    """Every third whose list price is a whole number gives a fifth of it away."""
    return sum(map(ord, one.id)) % 3 == 0 and one.monthly % 4 == 0


def discounts(one: Subscription) -> list[Object]:
    """What a subscription has off its price: for good, or off its first invoice."""
    coupon = coupons()[0 if is_discounted(one) else 1]
    if not is_discounted(one) and sum(map(ord, one.id)) % 3 != 1:
        return []
    return [
        {
            "id": f"di_{one.id.removeprefix('sub_')}",
            "object": "discount",
            "customer": one.customer.id,
            "end": None,
            "promotion_code": None,
            "source": {"coupon": coupon, "type": "coupon"},
            "start": one.created // 1_000,
            "subscription": one.id,
        }
    ]


def subscription_price(one: Subscription) -> Object:
    """The monthly price of a subscription, before its discount."""
    currency = one.customer.currency.lower()
    id_ = f"price_{one.id.removeprefix('sub_')}"
    listed = one.monthly * 5 // 4 if is_discounted(one) else one.monthly
    return price(id_, one.product, currency, listed, one.created // 1_000, "month")


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
        "discounts": discounts(one),
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


def render(world: World) -> dict[str, Any]:
    """Every stream's objects, oldest first, and the last thirty days of events."""
    books = world.books
    found: dict[str, Any] = {
        "customers": [customer(one) for one in books.customers],
        "products": products(),
        "prices": prices(books),
        "coupons": coupons(),
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
        "payment_records": [],
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
                found["payment_records"].append(payment_record(one, payment))
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
                withdrawn = balance_transaction(
                    *entry, payment.dispute, "adjustment", -payment.amount, payment.dispute_at
                )
                found["disputes"].append(dispute(one, payment, withdrawn))
                ledger.append(withdrawn)
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

"""The books as Chargebee's API holds them: a site of Product Catalog 2.0.

Plain dicts by list, amounts in Chargebee's minor unit, times in Unix seconds. An invoice's id
is its number; a draft is a pending invoice; a write-off leaves the invoice paid, with an
adjustment note of that reason; a lost dispute is a refundable note of reason chargeback that
was refunded. Credit of a customer's balance is that of its refundable notes, the oldest first.
Chargebee knows no field of a line: which deal a single line bills is lost.
Shapes: docs/sources/chargebee.md.
"""

from sandbox.company.chargebee_documents import (
    Object,
    chargeback_note,
    credit_note,
    invoice,
    invoice_number,
    line,
    payment,
    price_id,
    refund,
    refund_id,
    seconds,
    stamped,
    write_off_note,
)
from sandbox.company.clock import DAY
from sandbox.company.credit_use import credit_uses
from sandbox.company.ledger import BilledQuote, Customer, Subscription
from sandbox.company.model import World
from sandbox.company.money import HOME
from sandbox.company.names import PRODUCTS

FIRST = 1_696_000_000_000
"""When the catalogue was set up."""


def render(world: World) -> dict[str, list[Object]]:
    """Every list's objects, oldest first."""
    books = world.books
    found: dict[str, list[Object]] = {
        "customers": [customer(one) for one in books.customers],
        "item_families": [
            stamped({"id": "nordlicht", "name": "Nordlicht", "status": "active"}, "item_family",
                    FIRST)
        ],
        "items": items(),
        "item_prices": item_prices(),
        "subscriptions": [subscription(one) for one in books.subscriptions],
        "quotes": [quote(one) for one in books.quotes],
        "invoices": [],
        "credit_notes": [],
        "transactions": [],
    }  # fmt: skip
    applied = credit_uses(books)
    for one in books.invoices:
        found["invoices"].append(invoice(world, one, applied.get(one.id, [])))
        for note in one.credits:
            spent = [part for parts in applied.values() for part in parts if part.note is note]
            found["credit_notes"].append(credit_note(one, note, spent))
            if note.way in {"refund", "outside"}:
                found["transactions"].append(refund(one, note))
        if one.status == "uncollectible":
            found["credit_notes"].append(write_off_note(one))
        for money in one.payments:
            found["transactions"].append(payment(one, money))
            if money.dispute_lost:
                back = chargeback_note(one, money)
                found["credit_notes"].append(back)
                found["transactions"].append(
                    {
                        **payment(one, money),
                        "id": back["linked_refunds"][0]["txn_id"],
                        "type": "refund",
                        "payment_method": "chargeback",
                        "refunded_txn_id": money.id,
                        "date": seconds(money.dispute_at),
                        "linked_invoices": [],
                    }
                )
    by_payment = {money.id: one for one in books.invoices for money in one.payments}
    for given in books.failed_refunds:
        one = by_payment[given.payment.id]
        base = payment(one, given.payment)
        more = {"id": refund_id(given.id), "type": "refund", "status": "failure"}
        found["transactions"].append(
            {**base, **more, "refunded_txn_id": given.payment.id, "date": seconds(given.at),
             "amount": given.amount, "linked_invoices": []}
        )  # fmt: skip
    for objects in found.values():
        objects.sort(key=lambda one: (one.get("date", one.get("created_at", 0)), one["id"]))
    return found


def customer(one: Customer) -> Object:
    """A customer with one contact, its own person; the CRM company stands in a custom field."""
    given, _, family = one.email.partition("@")[0].partition(".")
    named = {"cf_crm_company_id": one.company_ref} if one.company_ref else {}
    return stamped(
        {
            "id": one.id,
            "company": one.name,
            "first_name": given.capitalize(),
            **({"last_name": family.capitalize()} if family else {}),
            "email": one.email,
            "phone": "PRIVATE-PHONE",
            "auto_collection": "off",
            "net_term_days": 30,
            "created_at": seconds(one.created),
            "created_from_ip": "PRIVATE-IP",
            "preferred_currency_code": one.currency,
            "refundable_credits": -one.balance,
            "deleted": False,
            "billing_address": {
                "line1": "PRIVATE-STREET 1",
                "country": one.country,
                "company": one.name,
                "validation_status": "not_validated",
                "object": "billing_address",
            },
            "contacts": [
                {
                    "id": f"contact_{one.id.removeprefix('cus_')}",
                    "first_name": "Accounts",
                    "last_name": "Payable",
                    "email": f"ap@{one.email.partition('@')[2]}",
                    "phone": "PRIVATE-PHONE",
                    "enabled": True,
                    "object": "contact",
                }
            ],
            **named,
        },
        "customer",
        one.created,
    )


def items() -> list[Object]:
    """The products."""
    return [
        stamped(
            {
                "id": f"nl-{place:03d}",
                "name": name,
                "status": "archived" if place == 5 else "active",
                "item_family_id": "nordlicht",
                "type": "plan",
            },
            "item",
            FIRST,
        )
        for place, (name, _) in enumerate(PRODUCTS)
    ]


def item_prices() -> list[Object]:
    """A monthly price of every product in every currency."""
    return [
        stamped(
            {
                "id": price_id(place, currency),
                "name": f"{name} {currency}",
                "item_id": f"nl-{place:03d}",
                "item_type": "plan",
                "status": "active",
                "pricing_model": "flat_fee",
                "price": euro * (160 if currency == "JPY" else 100),
                "period": 1,
                "period_unit": "month",
                "currency_code": currency,
                "accounting_detail": {"sku": f"NL-{place + 1:03d}"},
                "created_at": seconds(FIRST),
            },
            "item_price",
            FIRST,
        )
        for place, (name, euro) in enumerate(PRODUCTS)
        for currency in ("EUR", "USD", "JPY")
    ]


def subscription(one: Subscription) -> Object:
    """A monthly subscription at a price of its own."""
    ended = {"cancelled_at": seconds(one.canceled_at)} if one.canceled_at else {}
    named = {"cf_crm_deal_id": one.deal_ref} if one.deal_ref else {}
    return stamped(
        {
            "id": one.id,
            "customer_id": one.customer.id,
            "currency_code": one.customer.currency,
            "base_currency_code": HOME,
            "status": "cancelled" if one.canceled_at else "active",
            "billing_period": 1,
            "billing_period_unit": "month",
            "created_at": seconds(one.created),
            "started_at": seconds(one.created),
            "mrr": 0 if one.canceled_at else one.monthly,
            "has_scheduled_changes": False,
            "deleted": False,
            "subscription_items": [
                {
                    "item_price_id": price_id(one.product, one.customer.currency),
                    "item_type": "plan",
                    "quantity": 1,
                    "unit_price": one.monthly,
                    "amount": one.monthly,
                    "object": "subscription_item",
                }
            ],
            **ended,
            **named,
        },
        "subscription",
        one.canceled_at or one.created,
    )


def quote(one: BilledQuote) -> Object:
    """A quote that was accepted and became its invoice."""
    billed = one.invoice
    inclusive = billed.tax_inclusive
    taxes = [{"name": "VAT", "amount": billed.tax, "object": "tax"}] if billed.tax else []
    return stamped(
        {
            "id": f"QT-{one.id[-8:].upper()}",
            "customer_id": one.customer.id,
            "invoice_id": invoice_number(billed),
            "status": "invoiced",
            "operation_type": "onetime_invoice",
            "price_type": "tax_inclusive" if inclusive else "tax_exclusive",
            "currency_code": billed.currency,
            "date": seconds(one.created),
            "valid_till": seconds(one.created + 30 * DAY),
            "sub_total": sum(part.net + part.discount for part in billed.lines),
            "total": billed.gross,
            "deleted": False,
            "line_items": [line(billed, part) for part in billed.lines],
            "taxes": taxes,
            "cf_crm_deal_id": one.deal_ref,
        },
        "quote",
        billed.created,
    )

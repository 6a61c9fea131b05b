"""Money in Stripe: payments, charges, the ledger, refunds, disputes."""

from sandbox.company.clock import DAY, HOUR, business_date
from sandbox.company.ledger import (
    Invoice,
    Payment,
    Refund,
)
from sandbox.company.model import World
from sandbox.company.money import major, minor, share_of
from sandbox.company.stripe_invoices import Object, seconds


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


def payment_record(one: Invoice, payment: Payment) -> Object:
    """A payment that reached the company past Stripe, as somebody reported it there."""
    nothing = {"currency": one.currency.lower(), "value": 0}
    return {
        "id": f"prec_{payment.id.removeprefix('inpay_')}",
        "object": "payment_record",
        "amount": {"currency": one.currency.lower(), "value": payment.amount},
        "amount_canceled": nothing,
        "amount_failed": nothing,
        "amount_guaranteed": {"currency": one.currency.lower(), "value": payment.amount},
        "amount_refunded": nothing,
        "amount_requested": {"currency": one.currency.lower(), "value": payment.amount},
        "created": seconds(payment.at),
        "customer_details": {"customer": one.customer.id, "phone": "PRIVATE"},
        "description": f"Payment for Invoice {one.number}",
        "livemode": False,
        "metadata": {},
        "payment_method_details": {"type": "custom", "custom": {"display_name": "transfer"}},
        "processor_details": {"type": "custom", "custom": {"payment_reference": payment.id}},
        "shipping_details": None,
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


def dispute(one: Invoice, payment: Payment, withdrawn: Object) -> Object:
    """A contested charge; ``withdrawn`` is the ledger entry that took the money back."""
    return {
        "id": payment.dispute,
        "object": "dispute",
        "amount": payment.amount,
        "balance_transactions": [withdrawn],
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

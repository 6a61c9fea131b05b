"""The objects that are read, and the events that tell of their changes.

Objects carry no time of change: the event log of the last 30 days is the change feed.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object.

    ``events`` are the types whose object is of this kind; ``follows`` are types of another
    kind (an invoice's) after which the objects of this kind below it are listed again by
    ``follow_filter``. ``unsettled`` are list filters re-read weekly, for edits that leave no
    event.
    """

    name: str
    path: str
    object: str
    right: str
    events: tuple[str, ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    follows: tuple[str, ...] = ()
    follow_filter: str = ""
    unsettled: tuple[tuple[str, str], ...] = ()
    lines: str | None = None
    """The stream for lines past the ten that an answer shows."""
    can_vanish: bool = False
    """Can be deleted for good, which an event tells for 30 days only."""


def _types(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names.split())


INVOICE_EVENTS = _types(
    "invoice",
    "created updated deleted finalized finalization_failed sent overdue paid overpaid "
    "payment_succeeded payment_failed payment_action_required payment_attempt_required "
    "marked_uncollectible voided",
)
# Never invoice.upcoming: its object has no id.

KINDS: tuple[Kind, ...] = (
    Kind(
        "customers",
        "/v1/customers",
        "customer",
        "Customers",
        _types("customer", "created updated deleted"),
        can_vanish=True,
    ),
    Kind(
        "products",
        "/v1/products",
        "product",
        "Products",
        _types("product", "created updated deleted"),
        can_vanish=True,
    ),
    Kind(
        "prices",
        "/v1/prices",
        "price",
        "Prices",
        _types("price", "created updated deleted"),
        can_vanish=True,
    ),
    Kind(
        "subscriptions",
        "/v1/subscriptions",
        "subscription",
        "Subscriptions",
        _types(
            "customer.subscription",
            "created updated deleted paused resumed pending_update_applied "
            "pending_update_expired trial_will_end",
        ),
        # Left out, cancelled ones would never be listed.
        params=(("status", "all"),),
        unsettled=(("status", "active"), ("status", "past_due"), ("status", "trialing")),
    ),
    Kind(
        "quotes",
        "/v1/quotes",
        "quote",
        "Quotes",
        _types("quote", "created finalized accepted canceled"),
        unsettled=(("status", "draft"), ("status", "open")),
    ),
    Kind(
        "invoices",
        "/v1/invoices",
        "invoice",
        "Invoices",
        INVOICE_EVENTS,
        unsettled=(("status", "draft"), ("status", "open")),
        lines="invoice_line_items",
        can_vanish=True,
    ),
    Kind(
        "invoice_payments",
        "/v1/invoice_payments",
        "invoice_payment",
        "Invoices",
        ("invoice_payment.paid",),
        # Their other changes have no event of their own.
        follows=_types("invoice", "paid payment_succeeded overpaid voided updated"),
        follow_filter="invoice",
    ),
    Kind(
        "invoice_items",
        "/v1/invoiceitems",
        "invoiceitem",
        "Invoices",
        _types("invoiceitem", "created deleted"),
        can_vanish=True,
    ),
    Kind(
        "credit_notes",
        "/v1/credit_notes",
        "credit_note",
        "Credit notes",
        _types("credit_note", "created updated voided"),
        lines="credit_note_line_items",
    ),
    Kind(
        "payment_intents",
        "/v1/payment_intents",
        "payment_intent",
        "PaymentIntents",
        _types(
            "payment_intent",
            "created succeeded payment_failed processing requires_action canceled "
            "amount_capturable_updated partially_funded",
        ),
    ),
    Kind(
        "charges",
        "/v1/charges",
        "charge",
        "Charges and Refunds",
        _types("charge", "pending succeeded captured failed updated refunded expired"),
    ),
    Kind(
        "refunds",
        "/v1/refunds",
        "refund",
        "Charges and Refunds",
        (*_types("refund", "created updated failed"), "charge.refund.updated"),
    ),
    Kind(
        "disputes",
        "/v1/disputes",
        "dispute",
        "Disputes",
        _types("charge.dispute", "created updated closed funds_reinstated funds_withdrawn"),
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}
BALANCE_TRANSACTIONS = Kind(
    "balance_transactions",
    "/v1/balance_transactions",
    "balance_transaction",
    "Balance transactions",
)

"""The objects that are read, and the events that tell of their changes.

Objects carry no time of change: the event log of the last 30 days is the change feed.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Children:
    """A list that an object shows the beginning of, and how the rest of it is asked for.

    ``inline`` is the object's field; ``parent`` the field that names the object in each
    landed child, put there by us where Stripe leaves it out (lines of credit notes and
    quotes do not say whose they are). ``by_filter`` lists come from a path of their own.
    """

    stream: str
    path: str
    inline: str
    parent: str
    by_filter: bool = False
    always: bool = False
    """Land the inline ones too; otherwise they are read out of the parent's payload."""

    def address(self, parent_path: str, parent_id: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The list's path and parameters."""
        if self.by_filter:
            return self.path, ((self.parent, parent_id),)
        return f"{parent_path}/{parent_id}/{self.path}", ()


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
    pointers: tuple[str, ...] = ()
    """Types of a third kind (a discount's) whose object names one of this kind, in a field that
    is called as this kind's object is."""
    unsettled: tuple[tuple[str, str], ...] = ()
    children: Children | None = None
    can_vanish: bool = False
    """Can be deleted for good, which an event tells for 30 days only."""
    expand: tuple[str, ...] = ()
    """Fields that Stripe leaves out of answers unless they are named."""
    is_dated: bool = True
    """The list can be cut into windows of ``created``."""

    @property
    def list_params(self) -> tuple[tuple[str, str], ...]:
        """Parameters of the whole list."""
        return (*self.params, *self.expanded("data."))

    def expanded(self, prefix: str = "") -> tuple[tuple[str, str], ...]:
        """The parameters that ask for the fields left out; lists hold them in ``data``."""
        return tuple(("expand[]", prefix + field) for field in self.expand)


def _types(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names.split())


INVOICE_EVENTS = _types(
    "invoice",
    "created updated deleted finalized finalization_failed sent overdue paid overpaid "
    "payment_succeeded payment_failed payment_action_required payment_attempt_required "
    "marked_uncollectible voided",
)
# Never invoice.upcoming: its object has no id.
DISCOUNT_EVENTS = _types("customer.discount", "created updated deleted")

KINDS: tuple[Kind, ...] = (
    Kind(
        "customers",
        "/v1/customers",
        "customer",
        "Customers",
        _types("customer", "created updated deleted"),
        pointers=DISCOUNT_EVENTS,
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
        expand=("tiers",),
    ),
    Kind(
        "coupons",
        "/v1/coupons",
        "coupon",
        "Coupons",
        _types("coupon", "created updated deleted"),
        can_vanish=True,
        expand=("applies_to", "currency_options"),
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
        # A discount that is taken off is not promised to be an update of what it was on.
        pointers=DISCOUNT_EVENTS,
        # An answer holds four levels at most: the coupon of an item's discount is a name.
        expand=("discounts.source.coupon", "items.data.discounts"),
        children=Children(
            "subscription_items",
            "/v1/subscription_items",
            "items",
            "subscription",
            by_filter=True,
        ),
    ),
    Kind(
        "quotes",
        "/v1/quotes",
        "quote",
        "Quotes",
        _types("quote", "created finalized accepted canceled"),
        unsettled=(("status", "draft"), ("status", "open")),
        children=Children("quote_line_items", "line_items", "line_items", "quote", always=True),
        expand=("line_items",),
        is_dated=False,
    ),
    Kind(
        "invoices",
        "/v1/invoices",
        "invoice",
        "Invoices",
        INVOICE_EVENTS,
        unsettled=(("status", "draft"), ("status", "open")),
        children=Children("invoice_line_items", "lines", "lines", "invoice"),
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
        children=Children("credit_note_line_items", "lines", "lines", "credit_note"),
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
    Kind(
        "payouts",
        "/v1/payouts",
        "payout",
        "Payouts",
        _types("payout", "created updated paid failed canceled reconciliation_completed"),
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}
BALANCE_TRANSACTIONS = Kind(
    "balance_transactions",
    "/v1/balance_transactions",
    "balance_transaction",
    "Balance transactions",
)
PAYMENT_RECORDS = Kind(
    "payment_records", "/v1/payment_records", "payment_record", "Payment Records"
)

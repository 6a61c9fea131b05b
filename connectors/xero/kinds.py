"""The lists that are read: where they are, what their records are called, how they end.

A list of documents is read by change, page after page. A list of settings is small and not
paged: it is read whole each time, and what is missing from it was deleted.
"""

from dataclasses import dataclass

INVOICES = "accounting.invoices.read"
PAYMENTS = "accounting.payments.read"
CONTACTS = "accounting.contacts.read"
SETTINGS = "accounting.settings.read"


@dataclass(frozen=True, slots=True)
class Kind:
    """One list.

    ``path`` is also the key of the records in an answer unless ``list_key`` says otherwise.
    ``key`` is the field of the record's id, ``state`` the one that says deleted or archived.
    """

    stream: str
    path: str
    key: str
    description: str
    scope: str
    list_key: str = ""
    state: str = "Status"
    params: tuple[tuple[str, str], ...] = ()
    is_whole: bool = False
    """Read in one answer each time; what is missing was deleted."""
    is_paged: bool = True
    takes_page_size: bool = True
    volatile: frozenset[str] = frozenset()

    @property
    def rows(self) -> str:
        """The key of the records in an answer."""
        return self.list_key or self.path


FOUR_PLACES = (("unitdp", "4"),)
"""Left out, unit prices are cut to two decimals."""

KINDS: tuple[Kind, ...] = (
    Kind(
        "invoices",
        "Invoices",
        "InvoiceID",
        "Sales invoices (ACCREC) and bills (ACCPAY) with their lines.",
        INVOICES,
        params=FOUR_PLACES,
    ),
    Kind(
        "credit_notes",
        "CreditNotes",
        "CreditNoteID",
        "Credit notes with lines and dated allocations.",
        INVOICES,
        params=FOUR_PLACES,
    ),
    Kind("payments", "Payments", "PaymentID", "Payments and cash refunds.", PAYMENTS),
    Kind(
        "overpayments",
        "Overpayments",
        "OverpaymentID",
        "Money beyond what was due, with dated allocations.",
        PAYMENTS,
        params=FOUR_PLACES,
    ),
    Kind(
        "prepayments",
        "Prepayments",
        "PrepaymentID",
        "Money before an invoice, with dated allocations.",
        PAYMENTS,
        params=FOUR_PLACES,
    ),
    Kind(
        "batch_payments",
        "BatchPayments",
        "BatchPaymentID",
        "Payments booked as one.",
        PAYMENTS,
        is_paged=False,
    ),
    Kind(
        "quotes",
        "Quotes",
        "QuoteID",
        "Quotes with their lines.",
        INVOICES,
        takes_page_size=False,
    ),
    Kind(
        "contacts",
        "Contacts",
        "ContactID",
        "Customers and suppliers, archived ones too.",
        CONTACTS,
        state="ContactStatus",
        params=(("includeArchived", "true"),),
        # Of the open invoices: they move with no change of the contact.
        volatile=frozenset({"Balances"}),
    ),
    Kind(
        "contact_groups",
        "ContactGroups",
        "ContactGroupID",
        "Groups of contacts.",
        CONTACTS,
        is_whole=True,
    ),
    Kind(
        "items",
        "Items",
        "ItemID",
        "Products.",
        INVOICES,
        state="",
        params=FOUR_PLACES,
        is_whole=True,
    ),
    Kind("accounts", "Accounts", "AccountID", "The chart of accounts.", SETTINGS, is_whole=True),
    Kind("tax_rates", "TaxRates", "TaxType", "Tax rates.", SETTINGS, is_whole=True),
    Kind(
        "tracking_categories",
        "TrackingCategories",
        "TrackingCategoryID",
        "Tracking categories with their options.",
        SETTINGS,
        params=(("includeArchived", "true"),),
        is_whole=True,
    ),
    Kind("currencies", "Currencies", "Code", "Currencies.", SETTINGS, state="", is_whole=True),
    Kind(
        "organisation",
        "Organisation",
        "OrganisationID",
        "The organisation: base currency, end of the financial year.",
        SETTINGS,
        list_key="Organisations",
        state="",
        is_whole=True,
    ),
)
BY_STREAM = {kind.stream: kind for kind in KINDS}
ALL_STREAMS = tuple(BY_STREAM)

BROAD = {
    INVOICES: ("accounting.transactions.read", "accounting.transactions", "accounting.invoices"),
    PAYMENTS: ("accounting.transactions.read", "accounting.transactions", "accounting.payments"),
    CONTACTS: ("accounting.contacts",),
    SETTINGS: ("accounting.settings",),
}
"""Scopes that hold another one: the older ones, which end in September 2027, and the writing."""

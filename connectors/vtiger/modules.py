"""The modules that are read, and how each differs from the others.

Every module of records has ``id`` and ``modifiedtime``; what a module holds beyond that,
custom fields included, lands as it comes unless ``kept`` names what may land.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Module:
    """A module of records and the stream that it becomes.

    ``has_lines``: an inventory document. A query joins its line items in and shows an
    arbitrary one of them, so changed ones are found by a query and fetched one by one.
    ``converts``: leaves every list when it is converted, without being deleted.
    ``is_core``: no sales warehouse is right without it, so its absence is a fault.
    ``kept``: the only fields that land, beside custom ones.
    ``moves_unmarked``: something of a record moves without its clock, so that the comparison of
    ids shows whole records and is due as often as where no deletes are told.
    """

    stream: str
    name: str
    description: str
    has_lines: bool = False
    converts: bool = False
    is_core: bool = False
    moves_unmarked: bool = False
    kept: frozenset[str] = frozenset()
    volatile: frozenset[str] = frozenset()


# Seen by one user only, or worked out anew at every look.
OWN_MARKS = frozenset({"starred", "tags"})

EMAIL_FIELDS = frozenset(
    {
        *("id", "subject", "date_start", "time_start", "from_email", "saved_toid", "ccmail"),
        *("bccmail", "parent_id", "parent_type", "assigned_user_id", "email_flag"),
        *("activitytype", "createdtime", "modifiedtime", "modifiedby", "created_user_id"),
        "source",
    }
)
"""No text of a message, and no count of its openings: it moves without an edit."""
USER_FIELDS = frozenset(
    {
        *("id", "user_name", "first_name", "last_name", "email1", "email2", "status"),
        *("is_admin", "is_owner", "roleid", "reports_to_id", "title", "department"),
        *("currency_id", "time_zone", "language", "phone_work", "userlabel", "createdtime"),
        *("modifiedtime", "date_entered", "date_modified", "deleted"),
    }
)
"""No password, no access key, no address, no private phone."""

MODULES: tuple[Module, ...] = (
    Module("deals", "Potentials", "Opportunities.", is_core=True, volatile=OWN_MARKS),
    Module("companies", "Accounts", "Organizations.", is_core=True, volatile=OWN_MARKS),
    Module("contacts", "Contacts", "Contacts.", is_core=True, volatile=OWN_MARKS),
    Module(
        "leads",
        "Leads",
        "Leads; converted ones are told apart from deleted ones.",
        converts=True,
        volatile=OWN_MARKS,
    ),
    # Orders and purchases write the stock into a product's row and leave its clock alone.
    Module(
        "products",
        "Products",
        "Products with price and stock.",
        moves_unmarked=True,
        volatile=OWN_MARKS,
    ),
    Module("services", "Services", "Services that quotes sell.", volatile=OWN_MARKS),
    Module("events", "Events", "Meetings and calls.", volatile=OWN_MARKS),
    Module("tasks", "Calendar", "Tasks.", volatile=OWN_MARKS),
    Module("emails", "Emails", "E-mails without their text.", kept=EMAIL_FIELDS),
    Module("tickets", "HelpDesk", "Service tickets.", volatile=OWN_MARKS),
    Module("quotes", "Quotes", "Quotes with their lines.", has_lines=True),
    Module("sales_orders", "SalesOrder", "Sales orders with their lines.", has_lines=True),
    Module("invoices", "Invoice", "Invoices with their lines.", has_lines=True),
    Module("purchase_orders", "PurchaseOrder", "Purchase orders with lines.", has_lines=True),
)
BY_STREAM = {module.stream: module for module in MODULES}
FINAL_DETAILS = "LineItems_FinalDetails"
"""Totals of a document worked out for its editor, with today's stock in them."""
OTHER_STREAMS = ("users", "groups", "currencies", "modules")
ALL_STREAMS = (*BY_STREAM, *OTHER_STREAMS)

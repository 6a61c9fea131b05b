"""The modules that are read, and how each differs from the others.

Every module of records has ``id`` and ``Modified_Time``. Its fields are discovered, an
administrator's own among them; only what a query cannot show is left out.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Module:
    """A module of records and the stream that it becomes.

    ``lines`` is the subform of an inventory document: a query cannot show it, so changed
    documents are found by a query and fetched one by one. ``converts``: leaves every list
    when it is converted, without being deleted. ``is_core``: no sales warehouse is right
    without it, so its absence is a fault. ``needed`` are fields without which money or
    stages would be missing: a profile that hides them is a fault.
    """

    stream: str
    name: str
    description: str
    lines: str | None = None
    converts: bool = False
    is_core: bool = False
    needed: tuple[str, ...] = ()


MODULES: tuple[Module, ...] = (
    Module("deals", "Deals", "Deals.", is_core=True, needed=("Amount", "Stage", "Closing_Date")),
    Module("accounts", "Accounts", "Companies.", is_core=True),
    Module("contacts", "Contacts", "Contacts.", is_core=True),
    Module("leads", "Leads", "Leads; converted ones are told apart.", converts=True),
    Module("tasks", "Tasks", "Tasks."),
    Module("events", "Events", "Meetings."),
    Module("calls", "Calls", "Calls."),
    Module("products", "Products", "Products with their price."),
    Module("campaigns", "Campaigns", "Campaigns."),
    Module("cases", "Cases", "Service cases."),
    Module(
        "quotes",
        "Quotes",
        "Quotes with their lines.",
        lines="Quoted_Items",
        needed=("Grand_Total",),
    ),
    Module(
        "sales_orders",
        "Sales_Orders",
        "Sales orders with their lines.",
        lines="Ordered_Items",
        needed=("Grand_Total",),
    ),
    Module(
        "invoices",
        "Invoices",
        "Invoices with their lines.",
        lines="Invoiced_Items",
        needed=("Grand_Total",),
    ),
    Module(
        "purchase_orders",
        "Purchase_Orders",
        "Purchase orders with their lines.",
        lines="Purchase_Items",
        needed=("Grand_Total",),
    ),
)
BY_STREAM = {module.stream: module for module in MODULES}

CHILD_STREAMS = ("deal_stage_history", "deal_contact_roles", "emails")
"""What is asked for deal by deal."""
LIST_STREAMS = (
    "users", "roles", "territories", "pipelines", "currencies", "organization", "modules", "fields",
)  # fmt: skip
ALL_STREAMS = (*BY_STREAM, *CHILD_STREAMS, *LIST_STREAMS, "custom_records")

NOT_QUERIED = frozenset(
    {
        *("subform", "multiselectlookup", "multiuserlookup", "multi_module_lookup"),
        *("fileupload", "imageupload", "profileimage", "consent_lookup"),
    }
)
"""Types of fields that a query refuses."""

# What the asking user may do with a record, or sees of it just now: not the record's own.
OF_THE_READER = frozenset(
    {
        *("$editable", "$locked_for_me", "$sharing_permission", "$in_merge", "$pathfinder"),
        *("$review_process", "$approval", "$process_flow", "$orchestration", "$zia_visions"),
        *("$field_states", "$zia_owner_assignment", "$has_more", "$canvas_id", "$wizard"),
        *("$currency_symbol", "$layout_id", "$is_duplicate", "$status", "$state"),
    }
)
# Worked out anew every day.
OF_THE_DAY = frozenset({"Stage_Duration_Calendar_Days", "Duration_Days"})

USER_FIELDS = frozenset(
    {
        *("id", "full_name", "first_name", "last_name", "email", "status", "type__s", "confirm"),
        *("role", "profile", "Reporting_To", "created_time", "Modified_Time", "time_zone"),
        *("language", "country_locale", "territories"),
    }
)
"""No birthday, private phone, street or picture."""
ORGANIZATION_FIELDS = frozenset(
    {
        *("id", "company_name", "iso_code", "currency", "currency_symbol", "currency_locale"),
        *("time_zone", "country_code", "domain_name", "created_time", "type"),
    }
)
EMAIL_FIELDS = frozenset(
    {
        *("message_id", "subject", "from", "to", "cc", "bcc", "time", "sent_time", "sent"),
        *("owner", "source", "status", "linked_record"),
    }
)
"""No text of a message, its summary neither."""

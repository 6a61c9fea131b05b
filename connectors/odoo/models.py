"""The models that are read, and which of their fields.

Every stored field lands, custom ones included, but no binary, no lists of other records'
ids (they move without a write_date) and nothing that looks like a secret.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Domain: TypeAlias = list[Any]


@dataclass(frozen=True, slots=True)
class Model:
    """A model and the stream that it becomes.

    ``is_small``: read whole each time. ``is_core``: its absence is a fault and not a module
    that was never installed. ``computed`` names fields that are not stored and cheap enough
    to be asked for. ``kept``: the only fields that land. ``domain`` narrows the records.
    ``appended``: rows are never edited, so they are read by id with an overlap.
    ``follows``: the link to the record whose fields ``computed`` shows as its own; an edit
    there moves that record's clock alone. ``is_thinned``: the server drops what we may not
    see after the limit has counted, so that even an empty page is no end.
    """

    stream: str
    name: str
    description: str
    is_small: bool = False
    is_core: bool = False
    appended: bool = False
    is_thinned: bool = False
    follows: str = ""
    computed: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    domain: tuple[Any, ...] = ()
    volatile: frozenset[str] = frozenset()


CUSTOMER_MOVES = ["out_invoice", "out_refund", "out_receipt"]
_MESSAGE_FIELDS = frozenset(
    {
        *("id", "date", "author_id", "email_from", "model", "res_id", "message_type"),
        *("subtype_id", "mail_activity_type_id", "subject", "parent_id", "message_id"),
        *("is_internal", "create_date", "write_date", "create_uid", "reply_to"),
        *("incoming_email_to", "incoming_email_cc", "outgoing_email_to"),
    }
)
"""No text of a message."""
_USER_FIELDS = frozenset(
    {
        *("id", "name", "login", "email", "active", "share", "partner_id", "company_id"),
        *("sale_team_id", "create_date", "write_date"),
    }
)
_COMPANY_FIELDS = frozenset(
    {
        *("id", "name", "active", "sequence", "currency_id", "partner_id", "parent_id"),
        *("fiscalyear_last_day", "fiscalyear_last_month", "create_date", "write_date"),
    }
)
"""No keys of services that apps keep there."""

MODELS: tuple[Model, ...] = (
    Model(
        "deals",
        "crm.lead",
        "Leads and opportunities, one table; lost ones are archived.",
        is_core=True,
        computed=frozenset({"company_currency"}),
        # Worked out anew by a nightly job for every open record.
        volatile=frozenset({"automated_probability"}),
    ),
    Model(
        "partners",
        "res.partner",
        "Contacts and companies, one table.",
        is_core=True,
        volatile=frozenset({"calendar_last_notif_ack"}),
    ),
    Model(
        "tracking_values",
        "mail.tracking.value",
        "Changes of the tracked fields of leads and opportunities.",
        appended=True,
    ),
    Model(
        "messages",
        "mail.message",
        "Messages on records of sales, without their text.",
        is_thinned=True,
        kept=_MESSAGE_FIELDS,
        domain=(["model", "in", ["crm.lead", "sale.order", "res.partner"]],),
    ),
    Model("activities", "mail.activity", "Activities to be done.", is_thinned=True),
    Model("events", "calendar.event", "Meetings."),
    Model("orders", "sale.order", "Quotations and sales orders."),
    Model("order_lines", "sale.order.line", "Their lines."),
    Model(
        "invoices",
        "account.move",
        "Customer invoices and credit notes.",
        domain=(["move_type", "in", CUSTOMER_MOVES],),
    ),
    Model("invoice_lines", "account.move.line", "Their lines, and what payments settle."),
    Model(
        "payments",
        "account.payment",
        "Customer payments.",
        follows="move_id",
        computed=frozenset({"name", "date", "state", "ref", "company_id", "journal_id"}),
        domain=(["partner_type", "=", "customer"],),
    ),
    Model(
        "journals",
        "account.journal",
        "Journals: a bank's entry is a payment, a general one a write-off.",
        is_small=True,
        kept=frozenset({"id", "name", "code", "type", "active", "company_id", "write_date"}),
    ),
    Model("reconciliations", "account.partial.reconcile", "Which payment settles which invoice."),
    Model(
        "products",
        "product.product",
        "Products.",
        follows="product_tmpl_id",
        computed=frozenset({"name", "list_price", "type", "categ_id", "uom_id"}),
    ),
    Model(
        "stock",
        "stock.quant",
        "Stock by product and location of our own.",
        # Customers, suppliers and losses are locations, too.
        domain=(["location_id.usage", "=", "internal"],),
    ),
    Model("deliveries", "stock.picking", "Transfers of goods."),
    Model("tickets", "helpdesk.ticket", "Service tickets."),
    Model("projects", "project.project", "Projects."),
    Model("project_tasks", "project.task", "Tasks of projects."),
    Model("currency_rates", "res.currency.rate", "Dated exchange rates."),
    Model(
        "tracked_fields",
        "ir.model.fields",
        "What the fields of leads are called that tracking values name by id.",
        is_small=True,
        kept=frozenset({"id", "name", "model", "ttype", "field_description", "write_date"}),
        domain=(["model", "=", "crm.lead"],),
    ),
    Model("stages", "crm.stage", "Stages.", is_small=True, is_core=True),
    Model("teams", "crm.team", "Sales teams with their monthly target.", is_small=True),
    Model("lost_reasons", "crm.lost.reason", "Reasons of losses.", is_small=True),
    Model("tags", "crm.tag", "Tags of deals.", is_small=True),
    Model("activity_types", "mail.activity.type", "Types of activities.", is_small=True),
    Model("sources", "utm.source", "Where leads come from.", is_small=True),
    Model("campaigns", "utm.campaign", "Marketing campaigns.", is_small=True),
    Model("countries", "res.country", "Countries with their code.", is_small=True),
    Model("industries", "res.partner.industry", "Industries.", is_small=True),
    Model(
        "own_companies",
        "res.company",
        "The companies of the database, with their currency.",
        is_small=True,
        kept=_COMPANY_FIELDS,
    ),
    Model("currencies", "res.currency", "Currencies.", is_small=True, is_core=True),
    Model(
        "users",
        "res.users",
        "Users without their secrets; deactivated ones too.",
        is_small=True,
        is_core=True,
        computed=frozenset({"name", "email"}),
        kept=_USER_FIELDS,
        domain=(["share", "=", False],),
    ),
)
BY_STREAM = {model.stream: model for model in MODELS}
ALL_STREAMS = (*BY_STREAM, "fields")

ALWAYS_VOLATILE = frozenset({"write_date", "write_uid", "__last_update"})
"""A write() moves them also where it changes nothing."""
NEVER_TYPES = frozenset({"binary", "image", "html", "one2many", "properties_definition"})
LISTED = frozenset({"tag_ids", "category_id", "team_ids"})
"""The only lists of ids that are read, beside custom ones; a stage's teams are one since 19."""
CUSTOM = "x_"
_SECRET = re.compile(r"passw|token|secret|totp|api_?key|signup_|private_key|session|access_key")


def fields_of(model: Model, described: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The fields to ask for, of those that the server describes (``fields_get``)."""
    wanted = {
        name
        for name, field in described.items()
        if (not model.kept or name in model.kept or name.startswith(CUSTOM))
        and not _SECRET.search(name)
        and _is_read(model, name, field)
    }
    return sorted(wanted | {"id"})


def _is_read(model: Model, name: str, field: Mapping[str, Any]) -> bool:
    kind = field.get("type")
    if kind in NEVER_TYPES - ({"html"} if name.startswith(CUSTOM) else set()):
        return False
    if kind == "many2many" and name not in LISTED and not name.startswith(CUSTOM):
        return False
    # Older servers and some proxies of fields_get do not say; a stored field is the rule.
    return field.get("store", True) is not False or name in model.computed


def domain_of(model: Model, described: Mapping[str, Mapping[str, Any]]) -> Domain:
    """The condition that a model's records meet, in the words of this release."""
    if model.name == "mail.tracking.value":
        link = "field_id" if "field_id" in described else "field"
        return [[f"{link}.model", "=", "crm.lead"]]
    if model.name == "account.move.line":
        if "account_internal_type" in described:
            receivable = ["account_internal_type", "=", "receivable"]
        else:
            receivable = ["account_id.account_type", "=", "asset_receivable"]
        return ["|", ["move_id.move_type", "in", CUSTOMER_MOVES], receivable]
    return [list(one) for one in model.domain]


def changed_since(model: Model, described: Mapping[str, Mapping[str, Any]], moment: str) -> Domain:
    """The condition that a record, or the one that it follows, was written since a moment."""
    own = ["write_date", ">=", moment]
    borrows = any(described.get(name, {}).get("store") is False for name in model.computed)
    if not borrows or model.follows not in described:
        return [own]
    return ["|", own, [f"{model.follows}.write_date", ">=", moment]]

"""The objects that are read, and which of their fields.

Every field that the describe shows lands, custom ones included, but no binary, no compound
of other fields, no text of a mail, and nothing that looks like a secret.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """An object and the stream that it becomes.

    ``clock`` is the field whose windows are read; a ``history`` object is only ever added to
    and goes with its parent. ``is_small``: read whole each time. ``is_core``: its absence is
    a fault and not a feature that is off. ``kept``: the only fields that land; ``dropped``:
    those that never do.
    """

    stream: str
    name: str
    description: str
    clock: str = "SystemModstamp"
    is_history: bool = False
    is_small: bool = False
    is_core: bool = False
    kept: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()


_USER = frozenset(
    {
        *("Id", "Username", "Name", "FirstName", "LastName", "Email", "Title", "Department"),
        *("IsActive", "UserRoleId", "ManagerId", "UserType", "DefaultCurrencyIsoCode"),
        *("ForecastEnabled", "CreatedDate", "SystemModstamp"),
    }
)
_MAIL_TEXT = frozenset({"TextBody", "HtmlBody", "Headers", "Description"})
_ORGANIZATION = frozenset(
    {
        *("Id", "Name", "DefaultCurrencyIsoCode", "FiscalYearStartMonth", "IsSandbox"),
        *("OrganizationType", "TimeZoneSidKey", "InstanceName", "SystemModstamp"),
    }
)

KINDS: tuple[Kind, ...] = (
    Kind("deals", "Opportunity", "Opportunities.", is_core=True),
    Kind("companies", "Account", "Accounts.", is_core=True),
    Kind("contacts", "Contact", "Contacts.", is_core=True),
    Kind("leads", "Lead", "Leads, converted ones too."),
    Kind("line_items", "OpportunityLineItem", "Products of opportunities."),
    Kind("contact_roles", "OpportunityContactRole", "Who takes part in an opportunity."),
    Kind("splits", "OpportunitySplit", "Shares in the credit of an opportunity."),
    Kind("split_types", "OpportunitySplitType", "Kinds of such shares.", is_small=True),
    Kind("team_members", "OpportunityTeamMember", "Who works on an opportunity."),
    Kind("quotes", "Quote", "Quotes."),
    Kind("quote_line_items", "QuoteLineItem", "Lines of quotes."),
    Kind("tasks", "Task", "Tasks, calls and logged mails, without their text.", dropped=_MAIL_TEXT),
    Kind("events", "Event", "Meetings, without their text.", dropped=_MAIL_TEXT),
    Kind("emails", "EmailMessage", "E-mails without their text.", dropped=_MAIL_TEXT),
    Kind("campaigns", "Campaign", "Campaigns."),
    Kind("campaign_members", "CampaignMember", "Who is in a campaign."),
    Kind("cases", "Case", "Service cases, without their text.", dropped=_MAIL_TEXT),
    Kind("orders", "Order", "Orders."),
    Kind("order_items", "OrderItem", "Lines of orders."),
    Kind("products", "Product2", "Products."),
    Kind("price_book_entries", "PricebookEntry", "List prices of products."),
    Kind(
        "stage_history",
        "OpportunityHistory",
        "Changes of stage, amount, probability and close date.",
        clock="CreatedDate",
        is_history=True,
    ),
    Kind(
        "deal_field_history",
        "OpportunityFieldHistory",
        "Changes of the fields that the org tracks.",
        clock="CreatedDate",
        is_history=True,
    ),
    Kind(
        "lead_field_history",
        "LeadHistory",
        "Changes of the fields of leads that the org tracks.",
        clock="CreatedDate",
        is_history=True,
    ),
    Kind("users", "User", "Users without their secrets.", is_core=True, kept=_USER),
    Kind("groups", "Group", "Queues and groups, which own leads.", is_small=True),
    Kind("roles", "UserRole", "Roles.", is_small=True),
    Kind("record_types", "RecordType", "Record types: what stands for pipelines.", is_small=True),
    Kind("stages", "OpportunityStage", "Stages.", is_small=True, is_core=True),
    Kind("lead_statuses", "LeadStatus", "States of leads.", is_small=True),
    Kind("quotas", "ForecastingQuota", "Quotas.", is_small=True),
    Kind("periods", "Period", "Periods that quotas name.", is_small=True),
    Kind("forecast_types", "ForecastingType", "Types of forecasts.", is_small=True),
    Kind("forecasts", "ForecastingItem", "Forecasts as of now.", is_small=True),
    Kind("forecast_submissions", "ForecastingSubmission", "Forecasts that were handed in."),
    Kind(
        "forecast_submission_items",
        "ForecastingSubmissionItem",
        "What was handed in, category by category.",
    ),
    Kind("currencies", "CurrencyType", "Currencies, in orgs of several.", is_small=True),
    Kind("dated_rates", "DatedConversionRate", "Dated exchange rates.", is_small=True),
    Kind(
        "organization",
        "Organization",
        "The org: its currency and fiscal year.",
        is_small=True,
        is_core=True,
        kept=_ORGANIZATION,
    ),
)
BY_STREAM = {kind.stream: kind for kind in KINDS}
ALL_STREAMS = (*BY_STREAM, "fields")

VOLATILE = frozenset(
    {"attributes", "LastViewedDate", "LastReferencedDate", "LastActivityDate", "SystemModstamp"}
)
"""Move without a business event, or say only that something else moved."""
NEVER_TYPES = frozenset({"base64", "address", "location", "complexvalue", "json"})
_SECRET = re.compile(r"passw|secret|token|apikey|api_key|sessionid|private_?key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Described:
    """What an org says of an object: its fields in order, by name their types."""

    fields: Mapping[str, str]
    has_formulas: bool
    is_replicateable: bool

    @property
    def names(self) -> Sequence[str]:
        """The fields to ask for."""
        return list(self.fields)


def described(kind: Kind, answer: Mapping[str, Any]) -> Described:
    """The fields of a describe that land."""
    fields: dict[str, str] = {}
    has_formulas = False
    for field in answer["fields"]:
        name, soap_type = field["name"], field["type"]
        if soap_type in NEVER_TYPES or name in kind.dropped or _SECRET.search(name):
            continue
        if kind.kept and name not in kind.kept and not name.endswith("__c"):
            continue
        fields[name] = soap_type
        has_formulas = has_formulas or bool(field.get("calculated"))
    return Described(fields, has_formulas, bool(answer.get("replicateable")))

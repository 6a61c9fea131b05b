"""What there is to read: the kinds of records, their addresses and what a call costs.

Costs are tokens of the company's daily budget, as the vendor's specification gives them
(`x-token-cost`).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A v2 list that can be read by update_time; ``recent`` is its name in /v1/recents."""

    name: str
    description: str
    scope: str
    recent: str
    archive: str | None = None
    fields: str | None = None
    statuses: str | None = None

    @property
    def path(self) -> str:
        """The list's address."""
        return f"/api/v2/{self.name}"


@dataclass(frozen=True, slots=True)
class Small:
    """A list that is read whole; ``is_optional`` where a company may lack the feature."""

    name: str
    description: str
    path: str
    scope: str
    cost: int
    key: str = "id"
    prefix: str = ""
    is_optional: bool = False


# Without `status` the list leaves deleted deals out; the vendor shows them for 30 days.
KINDS = (
    Kind(
        "deals",
        "Deals: open, won, lost, archived, and deleted ones while the vendor shows them.",
        "deals:read",
        "deal",
        archive="/api/v2/deals/archived",
        fields="source_lead_id,first_won_time,products_count",
        statuses="open,won,lost,deleted",
    ),
    Kind("persons", "People.", "contacts:read", "person"),
    Kind("organizations", "Companies.", "contacts:read", "organization"),
    Kind("activities", "Calls, meetings, tasks, done or planned.", "activities:read", "activity"),
    Kind("products", "The product catalogue.", "products:read", "product"),
)
BY_NAME = {kind.name: kind for kind in KINDS}
DEALS = BY_NAME["deals"]

V2_LIST_COST = 10
V2_ARCHIVE_COST = 20
V2_ONE_COST = 1
V1_LIST_COST = 20
V1_ARCHIVED_LEADS_COST = 40
V1_ONE_COST = 2
CHANGELOG_COST = 20

SMALL = (
    Small("pipelines", "Pipelines.", "/api/v2/pipelines", "deals:read", 5),
    Small("stages", "Stages: probability, days to rot.", "/api/v2/stages", "deals:read", 5),
    Small("users", "Users, those who left included.", "/v1/users", "users:read", 20),
    Small(
        "teams", "Teams and their members.", "/v1/legacyTeams", "users:read", 20, is_optional=True
    ),
    Small(
        "permission_sets",
        "Permission sets.",
        "/v1/permissionSets",
        "users:read",
        20,
        is_optional=True,
    ),
    Small("currencies", "Currencies of the company.", "/v1/currencies", "base", 20),
    Small("activity_types", "Activity types, deleted ones.", "/v1/activityTypes", "base", 20),
    Small("lead_labels", "Labels of leads.", "/v1/leadLabels", "leads:read", 20),
    Small("lead_sources", "Sources of leads.", "/v1/leadSources", "leads:read", 20, key="name"),
)
FIELDS = (
    Small("deal", "", "/api/v2/dealFields", "deals:read", 10, prefix="deal:"),
    Small("person", "", "/api/v2/personFields", "contacts:read", 10, prefix="person:"),
    Small(
        "organization", "", "/api/v2/organizationFields", "contacts:read", 10,
        prefix="organization:",
    ),
    Small("product", "", "/api/v2/productFields", "products:read", 10, prefix="product:"),
    Small("activity", "", "/api/v2/activityFields", "activities:read", 10, prefix="activity:"),
)  # fmt: skip
GOAL_TYPES = (
    "deals_won",
    "deals_progressed",
    "deals_started",
    "activities_completed",
    "activities_added",
    "revenue_forecast",
)

SMALL_BY_NAME = {small.name: small for small in SMALL}
OTHER_STREAMS = {
    "leads": ("leads:read",),
    "deal_changelog": ("deals:read",),
    "deal_products": ("deals:read", "products:read"),
    "goals": ("goals:read",),
    "fields": ("admin",),
    "mail_threads": ("mail:read",),
    "mail_messages": ("mail:read",),
}
ALL_STREAMS = (*BY_NAME, *OTHER_STREAMS, *SMALL_BY_NAME)

"""What there is to read: the kinds of records, their addresses and what a call costs.

Costs are tokens of the company's daily budget, as the vendor's specification gives them
(`x-token-cost`).
"""

from dataclasses import dataclass

V2_LIST_COST = 10
V2_ARCHIVE_COST = 20
V2_ONE_COST = 1
V1_LIST_COST = 20
V1_ARCHIVED_LEADS_COST = 40
V1_ONE_COST = 2
CHANGELOG_COST = 20


@dataclass(frozen=True, slots=True)
class Kind:
    """A v2 list; ``recent`` is its name in /v1/recents.

    ``is_bounded`` where it knows ``updated_since``; another one is read whole.
    """

    name: str
    description: str
    scope: str
    recent: str
    archive: str | None = None
    fields: str | None = None
    statuses: str | None = None
    is_bounded: bool = True

    @property
    def path(self) -> str:
        """The list's address."""
        return f"/api/v2/{self.name}"

    @property
    def lists(self) -> tuple[tuple[str, int], ...]:
        """Addresses of the list and of its archive, with what a page costs."""
        live = (self.path, V2_LIST_COST)
        return (live, (self.archive, V2_ARCHIVE_COST)) if self.archive else (live,)


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
    Kind("products", "The product catalogue.", "products:read", "product", is_bounded=False),
)
BY_NAME = {kind.name: kind for kind in KINDS}
DEALS = BY_NAME["deals"]

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
GOAL_ASSIGNEES = ("person", "team", "company")

SMALL_BY_NAME = {small.name: small for small in SMALL}
OTHER_STREAMS = {
    "leads": ("leads:read",),
    "deal_changelog": ("deals:read", "recents:read"),
    "deal_products": ("deals:read", "products:read"),
    "goals": ("goals:read",),
    "fields": ("admin",),
    "mail_threads": ("mail:read",),
    "mail_messages": ("mail:read",),
}
ALL_STREAMS = (*BY_NAME, *OTHER_STREAMS, *SMALL_BY_NAME)

"""Which parameters each address knows, and what a call to it costs.

v2 refuses a parameter that it does not know. The true v1 passes over one; this one refuses it
too, so that a reader who relies on what is not there is found out.
"""

import re
from datetime import datetime

from sandbox.exchange import Request

_PAGE = "limit cursor"
_SORT = "sort_by sort_direction"
_BOUNDS = "updated_since updated_until"
_DEALS = f"{_PAGE} {_SORT} {_BOUNDS} status include_fields custom_fields ids filter_id"
_OFFSET = "start limit"
_RULES: tuple[tuple[str, int, str], ...] = (
    ("/api/v2/deals", 10, _DEALS),
    ("/api/v2/deals/archived", 20, _DEALS),
    ("/api/v2/deals/(products|installments)", 10, f"{_PAGE} {_SORT} deal_ids"),
    (r"/api/v2/deals/\d+/discounts", 10, ""),
    (
        "/api/v2/(persons|organizations|activities)",
        10,
        f"{_PAGE} {_SORT} {_BOUNDS} include_fields custom_fields ids filter_id",
    ),
    # Products alone have no bounds by update_time.
    ("/api/v2/products", 10, f"{_PAGE} {_SORT} custom_fields ids filter_id"),
    ("/api/v2/(pipelines|stages)", 5, f"{_PAGE} {_SORT}"),
    (r"/api/v2/\w+Fields", 10, f"{_PAGE} include_fields"),
    (r"/api/v2/\w+/\d+", 1, "include_fields custom_fields"),
    ("/api/v1/users/me", 2, ""),
    ("/api/v1/leads", 20, f"{_OFFSET} sort updated_since owner_id filter_id"),
    ("/api/v1/leads/archived", 40, f"{_OFFSET} sort owner_id filter_id"),
    (r"/api/v1/leads/[\w-]+", 2, ""),
    ("/api/v1/recents", 20, f"{_OFFSET} since_timestamp items"),
    (r"/api/v1/deals/\d+/changelog", 20, _PAGE),
    ("/api/v1/mailbox/mailThreads", 20, f"{_OFFSET} folder"),
    (r"/api/v1/mailbox/mailThreads/\d+/mailMessages", 20, ""),
    ("/api/v1/goals/find", 20, "type.name assignee.type assignee.id is_active title"),
    (r"/api/v1/\w+", 20, ""),
)
_INCLUDED = frozenset({"source_lead_id", "first_won_time", "products_count", "participants_count"})
_SECOND = "%Y-%m-%dT%H:%M:%SZ"
MAX_LIMIT = 500


def cost_of(path: str) -> int:
    """Tokens that a call takes."""
    return next((cost for rule, cost, _ in _RULES if re.fullmatch(rule, path)), 0)


def complaint(request: Request) -> str | None:
    """What is wrong with a request's parameters."""
    known = next((names for rule, _, names in _RULES if re.fullmatch(rule, request.path)), None)
    if known is None:
        return None  # the router knows no such address
    for name, values in request.query.items():
        if name not in known.split() or len(values) != 1:
            return f"Parameter validation error: {name}"
    if not 1 <= int(request.param("limit") or 1) <= MAX_LIMIT:
        return "limit must be between 1 and 500"
    for name in _BOUNDS.split():
        text = request.param(name)
        if text is not None:
            try:
                datetime.strptime(text, _SECOND)  # noqa: DTZ007 - the form is what counts
            except ValueError:
                return f"{name} must be RFC 3339 in whole seconds"
    if not set((request.param("include_fields") or "first_won_time").split(",")) <= _INCLUDED:
        return "include_fields: unknown field"
    return None

"""What ``doctor`` asks: whose company this is, and which lists we may read."""

import msgspec

from connectors.base.decode import decode, partial
from connectors.base.errors import AccessDenied, SourceError
from connectors.base.stream import ScopeReport
from connectors.pipedrive.kinds import (
    CHANGELOG_COST,
    DEALS,
    KINDS,
    SMALL,
    V1_LIST_COST,
    V1_ONE_COST,
    V2_LIST_COST,
)
from connectors.pipedrive.session import Envelope, Session, is_lacking


class _Me(msgspec.Struct):
    id: int
    name: str | None = None
    company_id: int | None = None
    company_name: str | None = None
    is_admin: bool | int | None = None


class _Deal(msgspec.Struct):
    id: int


async def check(session: Session) -> ScopeReport:
    """Who we are there and what we may read: every list is asked for one record.

    Raises:
        AccessDenied: the credential itself is refused.
    """
    response = await session.get("/v1/users/me", cost=V1_ONE_COST)
    me = decode(response.decode(Envelope).content, _Me)
    account = f"{me.company_name or 'company'} ({me.company_id}), user {me.name or me.id}"
    notes: list[str] = []
    if not me.is_admin:
        notes.append(
            "the user is no administrator: what others own or hid is missing without a word"
        )
    asked = [(kind.name, kind.path, kind.scope, V2_LIST_COST, False) for kind in KINDS]
    asked += [(one.name, one.path, one.scope, one.cost, one.is_optional) for one in SMALL]
    asked += [
        ("leads", "/v1/leads", "leads:read", V1_LIST_COST, False),
        ("goals", "/v1/goals/find?assignee.type=person", "goals:read", V1_LIST_COST, False),
        ("mail_threads", "/v1/mailbox/mailThreads?folder=inbox", "mail:read", V1_LIST_COST, False),
        ("fields", "/api/v2/dealFields", "admin", V2_LIST_COST, False),
    ]
    history = await _a_history(session)
    if history is not None:
        asked.append(("deal_changelog", history, "recents:read", CHANGELOG_COST, False))
    granted: dict[str, None] = {}
    missing: dict[str, tuple[str, ...]] = {}
    for stream, path, scope, cost, is_optional in asked:
        if not session.settings.is_active(stream):
            continue
        try:
            # Only lists that are paged know a limit.
            is_paged = path.startswith("/api/v2/") or stream in {"leads", "deal_changelog"}
            await session.get(path, {"limit": "1"} if is_paged else {}, cost=cost)
        except AccessDenied as fault:
            if fault.whole_source:
                raise
            if is_optional and is_lacking(fault):
                notes.append(f"{stream} will be skipped: the company's plan has none")
            else:
                missing[stream] = (scope,)
        except SourceError as fault:
            if not is_lacking(fault):
                raise
            notes.append(f"{stream} will be skipped: {fault}")
        else:
            granted[scope] = None
    return ScopeReport(account, tuple(sorted(granted)), missing, (), tuple(notes))


async def _a_history(session: Session) -> str | None:
    """Where the changes of one deal are told; None where there is no deal to be seen."""
    if not session.settings.is_active("deal_changelog"):
        return None
    try:
        response = await session.get(DEALS.path, {"limit": "1"}, cost=V2_LIST_COST)
    except AccessDenied as fault:
        if fault.whole_source:
            raise
        return None
    deals = [partial(row, _Deal) for row in response.decode(Envelope).rows]
    return f"/v1/deals/{deals[0].id}/changelog" if deals else None

"""What ``doctor`` asks: whose company this is, and which lists we may read."""

import msgspec

from connectors.base.decode import decode
from connectors.base.errors import AccessDenied, SourceError
from connectors.base.stream import ScopeReport
from connectors.pipedrive.kinds import KINDS, SMALL, V1_LIST_COST, V1_ONE_COST, V2_LIST_COST
from connectors.pipedrive.session import Envelope, Session, is_lacking


class _Me(msgspec.Struct):
    id: int
    name: str | None = None
    company_id: int | None = None
    company_name: str | None = None
    is_admin: bool | int | None = None


async def check(session: Session) -> ScopeReport:
    """Who we are there and what we may read: every list is asked for one record.

    Raises:
        AccessDenied: the credential itself is refused.
    """
    response = await session.get("/v1/users/me", cost=V1_ONE_COST)
    me = decode(bytes(response.decode(Envelope).data), _Me)
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
        ("goals", "/v1/goals/find?type.name=deals_won", "goals:read", V1_LIST_COST, False),
        ("mail_threads", "/v1/mailbox/mailThreads?folder=inbox", "mail:read", V1_LIST_COST, False),
        ("fields", "/api/v2/dealFields", "admin", V2_LIST_COST, False),
    ]
    granted: dict[str, None] = {}
    missing: dict[str, tuple[str, ...]] = {}
    for stream, path, scope, cost, is_optional in asked:
        if not session.settings.is_active(stream):
            continue
        try:
            # Only lists that are paged know a limit.
            is_paged = path.startswith("/api/v2/") or stream == "leads"
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

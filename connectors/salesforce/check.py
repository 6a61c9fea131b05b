"""What ``doctor`` asks: which org this is, what its user may read, what is left of the day."""

import msgspec

from connectors.base.decode import decode
from connectors.base.errors import AccessDenied
from connectors.base.stream import ScopeReport
from connectors.salesforce.objects import KINDS
from connectors.salesforce.session import Session


class _Limit(msgspec.Struct):
    Max: int
    Remaining: int


class _Limits(msgspec.Struct):
    DailyApiRequests: _Limit


async def check(session: Session) -> ScopeReport:
    """Who we are there, what we may read, and what will be skipped.

    Raises:
        AccessDenied: the credential itself is refused.
    """
    limits = decode((await session.get("limits")).body, _Limits).DailyApiRequests
    granted: list[str] = []
    missing: dict[str, tuple[str, ...]] = {}
    notes = [f"{limits.Remaining} of {limits.Max} requests are left of the org's 24 hours"]
    for kind in KINDS:
        if not session.settings.is_active(kind.stream):
            continue
        try:
            shape = await session.describe(kind)
        except AccessDenied as fault:
            if fault.whole_source:
                raise
            missing[kind.stream] = (f"{kind.name}: read",)
            continue
        if shape is not None:
            granted.append(f"{kind.name}: read")
        elif kind.is_core:
            missing[kind.stream] = (f"{kind.name}: read",)
        else:
            notes.append(f"{kind.stream} will be skipped: no object {kind.name} here")
    notes.append("sharing hides records without a word: the user needs View All Data")
    name = f"Salesforce at {session.settings.base_url}, API {session.settings.api_version}"
    return ScopeReport(name, tuple(granted), missing, (), tuple(notes))

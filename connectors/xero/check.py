"""What ``doctor`` asks: which organisation it is, and which scopes the token holds."""

import base64
import binascii
from collections.abc import Iterable

import msgspec

from connectors.base.decode import decode
from connectors.base.errors import AccessDenied, ProtocolError
from connectors.base.stream import ScopeReport
from connectors.xero.kinds import BROAD, BY_STREAM, KINDS
from connectors.xero.session import Session

ABOUT_THE_USER = frozenset({"offline_access", "openid", "profile", "email"})
STARTER_CALLS = 1_000


class _Claims(msgspec.Struct):
    scope: list[str] | str = []


class _Organisation(msgspec.Struct):
    Name: str = ""
    BaseCurrency: str | None = None
    FinancialYearEndDay: int | None = None
    FinancialYearEndMonth: int | None = None


def scopes_of(token: str) -> tuple[str, ...] | None:
    """The scopes inside an access token; None where it is no readable JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        found = decode(claims, _Claims).scope
    except (binascii.Error, ValueError, ProtocolError):
        return None
    return tuple(found.split() if isinstance(found, str) else found)


def _holds(granted: Iterable[str], scope: str) -> bool:
    return any(one in granted for one in (scope, *BROAD[scope]))


async def check(session: Session) -> ScopeReport:
    """Which organisation is read, and what the token may and need not.

    Raises:
        AccessDenied: the sign-in is refused, or does not reach the organisation.
    """
    tenant = await session.tenant()
    reached = {one.tenantId.lower(): one for one in await session.tenants()}
    if tenant not in reached:
        listed = ", ".join(one.title for one in reached.values()) or "none"
        raise AccessDenied(
            f"the organisation {tenant} is not connected; these are: {listed}. "
            "Connect it in Xero, or correct `tenant_id`.",
            whole_source=True,
        )
    notes: list[str] = []
    account = f"organisation {reached[tenant].title}"
    granted = scopes_of(await session.token())
    if granted is None:
        notes.append("the token does not tell its scopes: a missing one fails its stream")
        missing: dict[str, tuple[str, ...]] = {}
        needless: tuple[str, ...] = ()
    else:
        active = [kind for kind in KINDS if session.settings.is_active(kind.stream)]
        missing = {kind.stream: (kind.scope,) for kind in active if not _holds(granted, kind.scope)}
        wanted = {kind.scope for kind in active}
        useful = ABOUT_THE_USER | wanted
        useful |= {old for one in wanted for old in BROAD[one] if old.endswith(".read")}
        needless = tuple(one for one in granted if one not in useful)
    if "organisation" not in missing:
        answer = await session.page(BY_STREAM["organisation"], None, order=None)
        found = [decode(bytes(one), _Organisation) for one in answer.rows]
        for one in found[:1]:
            account += f", base currency {one.BaseCurrency}"
            if one.FinancialYearEndMonth and one.FinancialYearEndDay:
                notes.append(
                    "the organisation's financial year ends on "
                    f"{one.FinancialYearEndDay}.{one.FinancialYearEndMonth}. (day.month): "
                    "`company.fiscal_year` should agree"
                )
        left = answer.response.headers.get("x-daylimit-remaining", "")
        if left.isdecimal() and int(left) <= STARTER_CALLS < session.settings.daily_calls:
            notes.append(
                f"{left} calls are left for the day: an app of the Starter tier has "
                f"{STARTER_CALLS}; then set `daily_calls` to that"
            )
    return ScopeReport(account, granted or (), missing, needless, tuple(notes))

"""What ``doctor`` asks: whose account this is, which scopes the credential has and lacks."""

import asyncio

import msgspec

from connectors.base.decode import decode
from connectors.base.errors import AccessDenied, SourceError
from connectors.base.stream import ScopeReport
from connectors.hubspot.objects import BY_NAME, CRM_VERSION, OBJECT_TYPES, scopes_of
from connectors.hubspot.session import Session

OWNERS_SCOPE = "crm.objects.owners.read"
CURRENCY_SCOPE = "multi-currency-read"
# Every app carries this one; it reads nothing by itself.
ALWAYS_GRANTED = frozenset({"oauth"})

OTHER_SCOPES: dict[str, tuple[str, ...]] = {
    "owners": (OWNERS_SCOPE,),
    "deal_pipelines": (BY_NAME["deals"].scope,),
    "lead_pipelines": (BY_NAME["leads"].scope,),
    "ticket_pipelines": (BY_NAME["tickets"].scope,),
    "exchange_rates": (CURRENCY_SCOPE,),
    "company_currency": (CURRENCY_SCOPE,),
    "properties": tuple(
        dict.fromkeys(
            kind.schema_scope or kind.scope for kind in OBJECT_TYPES if not kind.is_optional
        )
    ),
}


class _Account(msgspec.Struct):
    portalId: int  # noqa: N815 - the vendor's spelling
    portalName: str | None = None  # noqa: N815 - the vendor's spelling
    accountType: str | None = None  # noqa: N815 - the vendor's spelling
    timeZone: str | None = None  # noqa: N815 - the vendor's spelling
    companyCurrency: str | None = None  # noqa: N815 - the vendor's spelling


class _Granted(msgspec.Struct):
    scopes: list[str] = []
    active: bool = True


def scopes_by_stream(session: Session) -> dict[str, tuple[str, ...]]:
    """The scopes that each active stream takes under these settings."""
    needed = {kind.name: scopes_of(kind, session.targets(kind)) for kind in OBJECT_TYPES}
    needed["deal_associations"] = needed["deals"]
    needed |= OTHER_SCOPES
    return {
        stream: scopes for stream, scopes in needed.items() if session.settings.is_active(stream)
    }


async def check(session: Session) -> ScopeReport:
    """Who we are there and which rights we hold.

    The scopes come from HubSpot's own answer about the token. Where it gives none (some
    kinds of key), every object is asked for one record, and what is refused is missing.

    Raises:
        AccessDenied: the credential itself is refused.
    """
    response = await session.get(f"/account-info/{CRM_VERSION}/details")
    account = decode(response.body, _Account)
    name = f"{account.portalName or 'portal'} ({account.portalId}, {account.timeZone})"
    notes = []
    if account.accountType not in (None, "STANDARD"):
        notes.append(f"this is a {account.accountType} account, not a production one")
    if account.companyCurrency:
        notes.append(f"company currency {account.companyCurrency}")
    needed = scopes_by_stream(session)
    granted = await _granted(session)
    if granted is None:
        notes.append("HubSpot does not list this key's scopes: each object was tried instead")
        missing = await _try_each(session)
        return ScopeReport(name, missing=missing, notes=tuple(notes))
    missing = {
        stream: lacking
        for stream, scopes in needed.items()
        if (lacking := tuple(scope for scope in scopes if scope not in granted))
    }
    used = {scope for scopes in needed.values() for scope in scopes}
    needless = tuple(sorted(granted - used - ALWAYS_GRANTED))
    return ScopeReport(name, tuple(sorted(granted)), missing, needless, tuple(notes))


async def _granted(session: Session) -> frozenset[str] | None:
    """The credential's scopes as HubSpot names them; None where it does not."""
    try:
        granted = decode((await session.introspect()).body, _Granted)
    except AccessDenied as fault:
        if fault.whole_source:
            raise
        return None
    except SourceError:
        return None
    return frozenset(granted.scopes) if granted.active and granted.scopes else None


async def _try_each(session: Session) -> dict[str, tuple[str, ...]]:
    """Ask every object for one record; what is refused lacks its scope."""
    kinds = [kind for kind in OBJECT_TYPES if session.settings.is_active(kind.name)]

    async def refused(path: str) -> bool:
        try:
            await session.get(path, {"limit": "1"})
        except AccessDenied as fault:
            if fault.whole_source:
                raise
            return True
        return False

    verdicts = await asyncio.gather(
        *(refused(f"/crm/objects/{kind.version}/{kind.name}") for kind in kinds)
    )
    return {
        kind.name: (kind.scope,)
        for kind, is_refused in zip(kinds, verdicts, strict=True)
        if is_refused
    }

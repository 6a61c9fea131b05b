"""What ``doctor`` asks: whose organisation this is, and what the grant may and may not do."""

import msgspec

from connectors.base.decode import decode
from connectors.base.errors import AccessDenied, SourceError
from connectors.base.stream import ScopeReport
from connectors.zoho.modules import BY_STREAM, CHILD_STREAMS
from connectors.zoho.session import Session

MODULES_SCOPE = "ZohoCRM.modules.READ"
QUERY_SCOPE = "ZohoCRM.coql.READ"
SETTINGS_SCOPE = "ZohoCRM.settings.READ"
USERS_SCOPE = "ZohoCRM.users.READ"
ORG_SCOPE = "ZohoCRM.org.READ"
RECORD_SCOPES = (MODULES_SCOPE, QUERY_SCOPE, SETTINGS_SCOPE)
LIST_SCOPES: dict[str, tuple[str, ...]] = {
    "users": (USERS_SCOPE,),
    "roles": (SETTINGS_SCOPE,),
    "territories": (SETTINGS_SCOPE,),
    "pipelines": (SETTINGS_SCOPE,),
    "currencies": (SETTINGS_SCOPE,),
    "organization": (ORG_SCOPE,),
    "modules": (SETTINGS_SCOPE,),
    "fields": (SETTINGS_SCOPE,),
}
CREDITS_OF_FREE = 5_000


class _Organization(msgspec.Struct):
    id: str | int
    company_name: str | None = None
    iso_code: str | None = None
    time_zone: str | None = None


def scopes_of(stream: str) -> tuple[str, ...]:
    """The scopes that a stream takes."""
    return LIST_SCOPES.get(stream, RECORD_SCOPES)


def grants(granted: str, needed: str) -> bool:
    """Whether one scope of the grant covers a needed one, as ``…modules.ALL`` does."""
    if granted.lower() == needed.lower():
        return True
    group, _, right = needed.lower().rpartition(".")
    have = granted.lower()
    # ZohoCRM.modules.deals.READ is a part of ZohoCRM.modules.READ: it covers some streams.
    return have == f"{group}.all" or (
        have.startswith(f"{group}.") and have.rpartition(".")[2] in {right, "all"}
    )


async def check(session: Session) -> ScopeReport:
    """Who we are there, what we may read, and what will be weak.

    Raises:
        AccessDenied: the credential itself is refused.
    """
    settings = session.settings
    notes: list[str] = []
    granted = await session.auth.scopes()
    streams = [one for one in (*BY_STREAM, *CHILD_STREAMS, *LIST_SCOPES) if settings.is_active(one)]
    missing = _lacking(streams, granted)
    if not granted:
        notes.append("the vendor does not list the grant's scopes: what it lacks shows in a sync")
    name = await _organization(session, notes)
    try:
        modules = await session.modules()
    except AccessDenied as fault:
        if fault.whole_source:
            raise
        return ScopeReport(name, granted, missing, _needless(granted), (*notes, str(fault)))
    for stream in streams:
        module = BY_STREAM.get(stream)
        found = None if module is None else modules.get(module.name)
        if module is not None and found is None:
            notes.append(f"{stream} will be skipped: this organisation has no {module.name}")
        elif module is not None and found is not None and not found.viewable:
            missing.setdefault(stream, (f"{module.name}: view",))
        elif module is not None and module.needed:
            try:
                await session.readable(module)
            except AccessDenied as fault:
                if fault.whole_source:
                    raise
                missing.setdefault(stream, (str(fault),))
    own = sorted(
        one.api_name
        for one in modules.values()
        if one.generated_type == "custom" and one.api_name not in settings.custom_modules
    )
    if own:
        notes.append(f"own modules that are not read: {', '.join(own)} (`custom_modules`)")
    if settings.daily_credits < CREDITS_OF_FREE:
        notes.append(f"daily_credits is {settings.daily_credits}; even Free has {CREDITS_OF_FREE}")
    return ScopeReport(name, granted, missing, _needless(granted), tuple(notes))


def _lacking(streams: list[str], granted: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """By stream, the scopes that nothing granted covers; nothing where none are told."""
    lacking: dict[str, tuple[str, ...]] = {}
    for stream in streams if granted else ():
        absent = tuple(
            one for one in scopes_of(stream) if not any(grants(have, one) for have in granted)
        )
        if absent:
            lacking[stream] = absent
    return lacking


def _needless(granted: tuple[str, ...]) -> tuple[str, ...]:
    """Rights that nothing here uses: all that is more than reading."""
    used = {*RECORD_SCOPES, USERS_SCOPE, ORG_SCOPE}
    return tuple(
        one
        for one in granted
        if not one.upper().endswith(".READ") or not any(grants(one, need) for need in used)
    )


async def _organization(session: Session, notes: list[str]) -> str:
    try:
        rows = (await session.get("org", "org")).rows
    except SourceError as fault:
        if not isinstance(fault, AccessDenied) or fault.whole_source:
            raise
        notes.append("the organisation's name and home currency are not shown to this grant")
        return f"Zoho CRM ({session.settings.data_center})"
    one = decode(bytes(rows[0]), _Organization) if rows else _Organization("?")
    if one.iso_code:
        notes.append(f"home currency {one.iso_code}")
    return f"{one.company_name or 'organisation'} ({one.id}, {one.time_zone})"

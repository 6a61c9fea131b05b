"""What ``doctor`` asks: who we are there, which modules there are, how deletes are found."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.base.errors import AccessDenied, SourceError
from connectors.base.stream import ScopeReport
from connectors.vtiger.lists import DESCRIBED
from connectors.vtiger.modules import MODULES
from connectors.vtiger.records import instant, read_rows
from connectors.vtiger.session import Session, is_about_sync

AHEAD = timedelta(minutes=5)
OTHERS = dict(zip(("users", "groups", "currencies"), DESCRIBED, strict=True))


async def check(session: Session) -> ScopeReport:
    """Who we are there, what we may read, and what will be weak.

    Raises:
        AccessDenied: the credential itself is refused.
    """
    user = await session.user()
    types = await session.types()
    settings = session.settings
    notes: list[str] = []
    missing: dict[str, tuple[str, ...]] = {}
    granted: list[str] = []
    wanted = {one.stream: one.name for one in MODULES} | OTHERS
    core = {one.stream for one in MODULES if one.is_core}
    for stream, name in wanted.items():
        if not settings.is_active(stream):
            continue
        if name in types:
            granted.append(name)
        elif stream in core:
            missing[stream] = (f"{name}: view",)
        else:
            notes.append(f"{stream} will be skipped: no module {name} is shown to this user")
    if user.is_admin is False:
        notes.append(
            "this user is no administrator: records that it may not see are missing without a "
            "word, and deletes are found only by comparing ids"
        )
    if "Potentials" in types and settings.is_active("deals"):
        notes += await _about_deals(session, missing)
    version = f" {user.version}" if user.version else ""
    kind = "cloud" if settings.is_cloud else "open source"
    name = f"Vtiger{version} ({kind}), user {settings.username} {user.id}"
    return ScopeReport(name, tuple(granted), missing, (), tuple(notes))


def _short(fault: SourceError) -> str:
    return str(fault).partition(". ")[0]


async def _about_deals(session: Session, missing: dict[str, tuple[str, ...]]) -> list[str]:
    """Can deals be read, is the zone right, does ``sync`` work."""
    notes: list[str] = []
    now = await session.server_now(datetime.now(UTC))
    try:
        newest = await session.query(
            "Potentials", columns="modifiedtime", order="modifiedtime DESC"
        )
    except AccessDenied as fault:
        if fault.whole_source:
            raise
        missing["deals"] = (str(fault),)
        return notes
    rows, _ = read_rows(newest.rows)
    latest = instant(rows[0].at, ZoneInfo(session.settings.time_zone)) if rows else None
    if latest is not None and latest > now + AHEAD:
        notes.append(
            f"the newest deal was modified at {rows[0].at}, in the server's future: "
            "`time_zone` should be the CRM's $default_timezone"
        )
    try:
        await session.deletions("Potentials", int(now.timestamp()))
    except SourceError as fault:
        if not is_about_sync(fault):
            raise
        notes.append(
            "sync does not work here, as under PHP 8 without its repair or for users that are "
            f"no administrators: deletes are found by comparing ids ({_short(fault)})"
        )
    return notes

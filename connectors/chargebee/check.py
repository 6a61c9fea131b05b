"""What ``doctor`` asks: which site this is, and which of its lists the key may read."""

from connectors.base.errors import AccessDenied
from connectors.base.stream import ScopeReport
from connectors.chargebee.kinds import KINDS
from connectors.chargebee.session import NotEnabledError, Session


async def check(session: Session) -> ScopeReport:
    """Ask each list for one element: a key does not tell its rights.

    Raises:
        AccessDenied: the key itself is refused.
        ConfigError: the product catalogue cannot be told.
    """
    catalog = await session.catalog()
    account = f"Chargebee site {await session.domain()}, Product Catalog {catalog}"
    granted: list[str] = []
    missing: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    asked = {kind.name: kind.path for kind in KINDS if kind.catalog in {None, catalog}}
    asked = {name: path for name, path in asked.items() if session.settings.is_active(name)}
    optional = {kind.name for kind in KINDS if kind.is_optional}
    for name, path in {**asked, "(deletes)": "/events"}.items():
        try:
            await session.get(path, (("limit", "1"),))
        except AccessDenied as fault:
            if fault.whole_source:
                raise
            missing[name] = (f"{path.removeprefix('/')}: read",)
        except NotEnabledError as fault:
            if name not in optional:
                raise
            notes.append(f"{name} will be skipped: {fault}")
        else:
            granted.append(path.removeprefix("/"))
    if session.settings.is_test:
        notes.append("this is a test site: its money is not real and its limits are lower")
    notes.append("Chargebee does not tell what a key may do: make sure that it is read-only")
    return ScopeReport(account, tuple(granted), missing, (), tuple(notes))

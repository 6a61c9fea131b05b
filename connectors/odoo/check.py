"""What ``doctor`` asks: who we are there, which apps there are, what we may read."""

from connectors.base.errors import AccessDenied
from connectors.base.stream import ScopeReport
from connectors.odoo.models import MODELS, domain_of
from connectors.odoo.session import Session, fields_from


async def check(session: Session) -> ScopeReport:
    """Who we are there, what we may read, and what will be skipped.

    Raises:
        AccessDenied: the credential itself is refused.
    """
    settings = session.settings
    context = await session.context()
    granted: list[str] = []
    missing: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    for model in MODELS:
        if not settings.is_active(model.stream):
            continue
        text = await session.describe(model.name)
        if text is None:
            if model.is_core:
                missing[model.stream] = (f"{model.name}: installed",)
            else:
                notes.append(f"{model.stream} will be skipped: no model {model.name} here")
            continue
        try:
            await session.search(model.name, domain_of(model, fields_from(text)), 1)
        except AccessDenied as fault:
            if fault.whole_source:
                raise
            missing[model.stream] = (f"{model.name}: read",)
            continue
        granted.append(f"{model.name}: read")
    companies = context.get("allowed_company_ids")
    if companies:
        notes.append(f"reads the companies {companies}; others are missing without a word")
    dialect = "JSON-2" if await session.is_json_2() else "JSON-RPC"
    version = f" {session.version}" if session.version else ""
    name = f"Odoo{version} ({dialect}), database {settings.database}, user {settings.username}"
    return ScopeReport(name, tuple(granted), missing, (), tuple(notes))

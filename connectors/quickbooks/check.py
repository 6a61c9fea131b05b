"""What ``doctor`` asks: which company it is, and what of it may be read."""

from datetime import UTC, datetime, timedelta

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import ProtocolError
from connectors.base.stream import ScopeReport
from connectors.quickbooks.entities import ENTITIES
from connectors.quickbooks.session import Session

WARNED = timedelta(days=30)
SCOPE = "com.intuit.quickbooks.accounting"


class _Company(msgspec.Struct):
    CompanyName: str | None = None
    Country: str | None = None


async def check(session: Session) -> ScopeReport:
    """The company's name, and one batch of counts: two metered reads.

    Raises:
        AccessDenied: the grant itself is refused.
        ProtocolError: the company does not show itself.
    """
    settings = session.settings
    found = await session.query("CompanyInfo", "SELECT * FROM CompanyInfo")
    if not found.rows:
        raise ProtocolError("the company shows no CompanyInfo")
    company = partial(found.rows[0], _Company)
    wanted = [one for one in ENTITIES if settings.is_active(one.stream)]
    counts = await session.counts([one.name for one in wanted])
    missing = {
        one.stream: (f"{one.name}: {counts.get(one.name, 'no answer')}",)
        for one in wanted
        if not isinstance(counts.get(one.name), int)
    }
    notes = ["the scope also allows writing: Intuit has no narrower one; pipeledger only reads"]
    ends_at = session.auth.grant_ends_at
    if ends_at is not None and ends_at - datetime.now(UTC) < WARNED:
        notes.append(f"the grant ends on {ends_at:%Y-%m-%d}: sign in again before")
    if "sandbox" in settings.base_url:
        notes.append("this is the sandbox: its companies are not real")
    name = f"QuickBooks company {company.CompanyName} ({company.Country}), realm "
    return ScopeReport(name + settings.realm_id, (SCOPE,), missing, (), tuple(notes))

"""Exchange rates: the ECB's euro reference rates, and the company's budget rates.

Data flow:
    GET <base_url>/eurofxref-hist.zip -> raw.fx__rates, one record per currency and day
    the settings' budget              -> raw.fx__budget_rates

Rules and their evidence: docs/sources/fx.md.
"""

from connectors.base.errors import ProtocolError
from connectors.base.stream import Connector, ScopeReport, Stream
from connectors.fx.reading import read_budget, read_rates
from connectors.fx.session import Session, open_rates
from connectors.fx.settings import FxSettings
from connectors.fx.table import Fixing, fixings, unpacked

__all__ = ["CONNECTOR", "FxSettings", "Session"]


async def check(session: Session) -> ScopeReport:
    """Read the table once: which day is its newest, and how many currencies it quotes."""
    table = await session.table({})
    if table is None:
        raise ProtocolError("the ECB gives no table")
    found = [one for one in fixings(unpacked(table.packed)) if isinstance(one, Fixing)]
    newest = max(one.day for one in found)
    quoted = {one.currency for one in found if one.day == newest}
    where = "the packaged table" if session.settings.offline else session.settings.base_url
    missing = sorted(set(session.settings.currencies) - {one.currency for one in found})
    notes = [f"the ECB does not quote {one}: give its rates in a file" for one in missing]
    if session.settings.offline:
        notes.append("offline: rates after that day come with the next release only")
    return ScopeReport(
        f"ECB reference rates of {where}: {len(quoted)} currencies, newest fixing {newest}",
        ("read",),
        notes=tuple(notes),
    )


CONNECTOR = Connector(
    source="fx",
    title="Exchange rates of the ECB",
    starter=(
        "# Constant rates of a fiscal year, units per euro, written as text:\n"
        "#[[sources.fx.{name}.budget]]\n"
        "#start = 2026-02-01\n"
        '#rates = {{ USD = "1.10" }}\n'
    ),
    steps=("Nothing is needed: the files are public, and no key exists.",),
    settings=FxSettings,
    streams=(
        Stream("rates", "Reference rates by currency and day.", read=read_rates),
        Stream("budget_rates", "Budget rates of the settings.", read=read_budget),
    ),
    open=open_rates,
    check=check,
)

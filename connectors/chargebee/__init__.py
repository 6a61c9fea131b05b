"""Chargebee: customers, subscriptions, quotes, invoices with every line, money in and back.

Data flow:
    GET /api/v2/configurations  -> which product catalogue the site has
    GET /api/v2/<kind>          -> raw.chargebee__<kind>, whole, then what changed
    GET /api/v2/<kind>/<id>     -> raw.chargebee__<kind>_line_pages, lines beyond the first
    GET /api/v2/quotes/<id>/quote_line_groups -> raw.chargebee__quote_line_groups
    GET /api/v2/events          -> deletes that a list does not show

Vendor rules and their evidence: docs/sources/chargebee.md.
"""

from connectors.base.stream import Connector, Stream
from connectors.chargebee.check import check
from connectors.chargebee.kinds import ALL_STREAMS, CHILDREN, KINDS, LINES, QUOTE_LINES
from connectors.chargebee.reading import read_kind
from connectors.chargebee.session import Session, open_site
from connectors.chargebee.settings import ChargebeeSettings

__all__ = ["CONNECTOR", "ChargebeeSettings", "Session"]


def active(settings: ChargebeeSettings) -> tuple[str, ...]:
    """The streams that the settings want; lines go with what they belong to."""
    wanted = {name for name in ALL_STREAMS if settings.is_active(name)}
    wanted |= {CHILDREN[name] for name in wanted if name in CHILDREN}
    wanted |= {parent for parent, child in CHILDREN.items() if child in wanted}
    return tuple(name for name in ALL_STREAMS if name in wanted)


CONNECTOR = Connector(
    source="chargebee",
    title="Chargebee",
    starter=(
        'site = "acme"  # of acme.chargebee.com\n'
        'plan = "starter"  # or "performance", "enterprise": which rate limit applies\n'
        "# api_key comes from {variable}__API_KEY or {variable}__API_KEY_FILE\n"
    ),
    steps=(
        "In Chargebee open Settings > Configure Chargebee > API Keys and Webhooks > API Keys.",
        "Add an API key of the type Read-Only Key, with access to all data.",
        "Put the key into the environment, or into a file that only pipeledger may read.",
    ),
    settings=ChargebeeSettings,
    streams=(
        *(
            Stream(kind.name, kind.description, read=read_kind, scopes=(f"{kind.name}: read",))
            for kind in KINDS
        ),
        *(
            Stream(child, f"Lines of {parent} beyond those that one shows.", parent=parent)
            for parent, child in LINES.items()
        ),
        Stream(QUOTE_LINES, "Lines of quotes that show none themselves.", parent="quotes"),
    ),
    open=open_site,
    check=check,
    active=active,
)

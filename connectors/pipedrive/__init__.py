"""Pipedrive: deals and what they went through, the lead inbox, people, activities, goals.

Data flow:
    GET /api/v2/<list>?sort_by=update_time   what changed   -> raw.pipedrive__<list>
    GET /v1/deals/{id}/changelog             deals that moved -> raw.pipedrive__deal_changelog
    GET /api/v2/deals/products?deal_ids=     their lines    -> raw.pipedrive__deal_products
    GET /v1/leads, /v1/leads/archived        the lead inbox -> raw.pipedrive__leads
    GET /v1/… read whole                     users, goals, field definitions, …

Vendor rules and their evidence: docs/sources/pipedrive.md.
"""

from connectors.base.stream import Connector, Stream
from connectors.pipedrive.check import check
from connectors.pipedrive.history import read_changelog
from connectors.pipedrive.kinds import ALL_STREAMS, KINDS, OTHER_STREAMS, SMALL
from connectors.pipedrive.leads import read_leads
from connectors.pipedrive.lists import read_fields, read_goals, read_small
from connectors.pipedrive.mail import read_mail_threads
from connectors.pipedrive.opening import open_account
from connectors.pipedrive.products import read_deal_products
from connectors.pipedrive.reading import read_kind
from connectors.pipedrive.session import Session
from connectors.pipedrive.settings import PipedriveSettings

__all__ = ["CONNECTOR", "PipedriveSettings", "Session"]


def active(settings: PipedriveSettings) -> tuple[str, ...]:
    """The streams that the settings want."""
    return tuple(stream for stream in ALL_STREAMS if settings.is_active(stream))


# Move without a business event: counters, and times that depend on today.
VOLATILE = frozenset({"update_time", "next_activity_id", "last_activity_id", "next_time"})

CONNECTOR = Connector(
    source="pipedrive",
    title="Pipedrive",
    starter=(
        'base_url = "https://acme.pipedrive.com"\n'
        "# api_token comes from {variable}__API_TOKEN or {variable}__API_TOKEN_FILE\n"
    ),
    steps=(
        "Sign in as an administrator who sees all deals, people and activities.",
        "Open Personal preferences > API and copy the API token.",
        "Put the token into the environment, or into a file that only pipeledger may read.",
        "Set daily_tokens to 30,000 x your plan's multiplier x seats (Company settings > API).",
    ),
    settings=PipedriveSettings,
    streams=(
        *(
            Stream(
                kind.name,
                kind.description,
                read=read_kind,
                volatile=VOLATILE,
                scopes=(kind.scope,),
            )
            for kind in KINDS
        ),
        Stream(
            "leads",
            "The lead inbox and its archive.",
            read=read_leads,
            volatile=VOLATILE,
            scopes=OTHER_STREAMS["leads"],
        ),
        Stream(
            "deal_changelog",
            "What each deal went through, field by field.",
            read=read_changelog,
            scopes=OTHER_STREAMS["deal_changelog"],
        ),
        Stream(
            "deal_products",
            "One record per deal: its lines, discounts and instalments.",
            read=read_deal_products,
            scopes=OTHER_STREAMS["deal_products"],
        ),
        Stream(
            "goals",
            "Goals of users, teams and the company.",
            read=read_goals,
            scopes=OTHER_STREAMS["goals"],
        ),
        Stream(
            "fields",
            "Field definitions by kind: labels and options of the hashed custom fields.",
            read=read_fields,
            scopes=OTHER_STREAMS["fields"],
        ),
        Stream(
            "mail_threads",
            "Mail threads of the signed-in user, without texts.",
            read=read_mail_threads,
            scopes=OTHER_STREAMS["mail_threads"],
        ),
        Stream(
            "mail_messages",
            "Messages of those threads: who, when, which deal.",
            parent="mail_threads",
            scopes=OTHER_STREAMS["mail_messages"],
        ),
        *(
            Stream(
                small.name,
                small.description,
                read=read_small,
                scopes=(small.scope,),
            )
            for small in SMALL
        ),
    ),
    open=open_account,
    check=check,
    active=active,
)

"""QuickBooks Online: invoices, credits, payments, quotes, and the lists that they name.

Data flow:
    GET /v3/company/<realm>/query  -> raw.quickbooks__<stream>, by time on the first load
    GET /v3/company/<realm>/cdc    -> what changed and what was deleted since
    GET …/query … Id IN (…)        -> invoices whose balance a payment moved
    GET …/query … ExchangeRate     -> raw.quickbooks__exchange_rates, day by day

Vendor rules and their evidence: docs/sources/quickbooks.md.
"""

from connectors.base.stream import Connector, Stream
from connectors.quickbooks.check import SCOPE, check
from connectors.quickbooks.entities import ALL_STREAMS, ENTITIES, EXCHANGE_RATES, SINGLES
from connectors.quickbooks.opening import open_account
from connectors.quickbooks.rates import read_rates
from connectors.quickbooks.reading import read_entity, read_single
from connectors.quickbooks.records import VOLATILE
from connectors.quickbooks.session import Session
from connectors.quickbooks.settings import QuickbooksSettings

__all__ = ["CONNECTOR", "QuickbooksSettings", "Session"]


def active(settings: QuickbooksSettings) -> tuple[str, ...]:
    """The streams that the settings want."""
    return tuple(stream for stream in ALL_STREAMS if settings.is_active(stream))


CONNECTOR = Connector(
    source="quickbooks",
    title="QuickBooks Online",
    starter=(
        'realm_id = "9130350000000000"\n'
        'client_id = "ABc123"\n'
        "# client_secret comes from {variable}__CLIENT_SECRET or {variable}__CLIENT_SECRET_FILE\n"
        "# refresh_token comes from {variable}__REFRESH_TOKEN or {variable}__REFRESH_TOKEN_FILE\n"
    ),
    steps=(
        "At developer.intuit.com create an app with the scope com.intuit.quickbooks.accounting.",
        "Take id and secret of its production keys; development keys need the sandbox's base_url.",
        "Sign in once as the company's administrator, e.g. in Intuit's OAuth 2.0 playground.",
        "Note the realm id and the refresh token.",
        "Put secret and token into the environment, or into files that only pipeledger may read.",
        "Let no other program use this grant: its refresh token changes with use.",
    ),
    settings=QuickbooksSettings,
    streams=(
        *(
            Stream(
                entity.stream,
                entity.description,
                read=read_entity,
                volatile=VOLATILE,
                scopes=(SCOPE,),
            )
            for entity in ENTITIES
        ),
        *(
            Stream(
                stream,
                f"The company's {name}.",
                read=read_single,
                volatile=VOLATILE,
                scopes=(SCOPE,),
            )
            for stream, name in SINGLES.items()
        ),
        Stream(
            EXCHANGE_RATES,
            "Home units for one foreign unit, by day.",
            read=read_rates,
            volatile=VOLATILE,
            scopes=(SCOPE,),
        ),
    ),
    open=open_account,
    check=check,
    active=active,
)

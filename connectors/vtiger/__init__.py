"""Vtiger CRM, open source and cloud: sales, service, inventory documents, people.

Data flow (open source; the cloud has the same operations as addresses):
    webservice.php?operation=query     changed records, oldest change first
    webservice.php?operation=retrieve  quotes, orders and invoices with their lines
        -> raw.vtiger__<stream>
    webservice.php?operation=sync      ids that were deleted
    webservice.php?operation=describe  -> raw.vtiger__modules (fields, stages)
    query of Users, Groups, Currency   -> raw.vtiger__users, …groups, …currencies

Vendor rules and their evidence: docs/sources/vtiger.md.
"""

from collections.abc import AsyncIterator

from connectors.base.stream import Connector, Page, ReadRequest, Stream
from connectors.vtiger.check import check
from connectors.vtiger.lists import read_currencies, read_groups, read_modules, read_users
from connectors.vtiger.modules import ALL_STREAMS, BY_STREAM, FINAL_DETAILS, MODULES, Module
from connectors.vtiger.opening import open_account
from connectors.vtiger.reading import Reader
from connectors.vtiger.session import Session
from connectors.vtiger.settings import VtigerSettings

__all__ = ["CONNECTOR", "Session", "VtigerSettings"]


def read_module(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Read the module behind the stream."""
    return Reader(session, BY_STREAM[request.stream.name], request).pages()


def active(settings: VtigerSettings) -> tuple[str, ...]:
    """The streams that the settings want."""
    return tuple(stream for stream in ALL_STREAMS if settings.is_active(stream))


def _module_stream(module: Module) -> Stream:
    volatile = module.volatile | ({FINAL_DETAILS} if module.has_lines else set())
    return Stream(
        module.stream,
        module.description,
        read=read_module,
        volatile=frozenset(volatile),
        scopes=(f"{module.name}: view",),
    )


CONNECTOR = Connector(
    source="vtiger",
    title="Vtiger CRM",
    starter=(
        'base_url = "https://crm.example.com"\n'
        'username = "pipeledger"\n'
        "# access_key comes from {variable}__ACCESS_KEY or {variable}__ACCESS_KEY_FILE\n"
    ),
    steps=(
        "As an administrator open Settings > Users and create a user of its own.",
        "Make it an administrator: others miss records without a word.",
        "Sign in as that user, open My Preferences and copy the Access Key.",
        "Put the key into the environment, or into a file that only pipeledger may read.",
        "Where config.inc.php sets another $default_timezone than UTC, set time_zone to it.",
    ),
    settings=VtigerSettings,
    streams=(
        *(_module_stream(module) for module in MODULES),
        Stream(
            "users",
            "Users without their secrets; deactivated ones as archived.",
            read=read_users,
            scopes=("Users: view",),
        ),
        Stream("groups", "Groups, which own records too.", read=read_groups),
        Stream("currencies", "Currencies with their rate.", read=read_currencies),
        Stream("modules", "Fields, labels and picklists by module.", read=read_modules),
    ),
    open=open_account,
    check=check,
    active=active,
)

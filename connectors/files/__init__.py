"""Spreadsheet and database exports: CSV, XLSX and Parquet folders.

Data flow:
    <folder>/<pattern>  ->  raw.files__<entity>, one stream per canonical entity

A row lands with its mapping applied: canonical names and normalised values, the original
cells beside them under ``_raw``, and the place it came from (``_file``, ``_sheet``,
``_row``, ``_sha256``). Rows that do not fit go to quarantine with file, line and reason.
Rules and their evidence: docs/sources/files.md.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectors.base.stream import Connector, Page, ReadRequest, Resources, ScopeReport, Stream
from connectors.files.drops import Folder
from connectors.files.entities import ENTITIES
from connectors.files.folder import read_entity
from connectors.files.settings import FilesSettings


@asynccontextmanager
async def open_folder(settings: FilesSettings, resources: Resources) -> AsyncIterator[Folder]:
    """A folder needs no sign-in; what is missing shows when it is listed."""
    yield Folder(settings, resources.connection)


async def check(folder: Folder) -> ScopeReport:
    """List what each table would read now."""
    notes = tuple(folder.describe())
    return ScopeReport(account=str(folder.settings.folder), granted=("read",), notes=notes)


def _active(settings: FilesSettings) -> tuple[str, ...]:
    """Only the tables that are mapped exist."""
    return tuple(settings.tables)


async def _read(folder: Folder, request: ReadRequest) -> AsyncIterator[Page]:
    async for page in read_entity(folder, request):
        yield page


CONNECTOR = Connector(
    source="files",
    title="CSV, XLSX and Parquet folders",
    starter='folder = "inbox"\n\n[sources.files.{name}.tables.quotas]\npath = "quotas*.csv"\n',
    settings=FilesSettings,
    streams=tuple(
        Stream(
            name,
            f"Rows of {name.replace('_', ' ')} from mapped files.",
            read=_read,
            # Where a row stands is no news of it: a new export moves every row.
            volatile=frozenset({"_file", "_row", "_sha256"}),
        )
        for name in ENTITIES
    ),
    open=open_folder,
    check=check,
    active=_active,
)

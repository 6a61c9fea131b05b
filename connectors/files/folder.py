"""Which files of a folder are new, and what of them lands.

A file is known by its content: the same bytes under a new name add nothing, a corrected
file under the old name is a new version. Files that carry a date in their name form one
snapshot per date, the newest of which holds; files without a date form one together.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from connectors.base.errors import ProtocolError
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.files.control import (
    Tally,
    stated_beside,
    stated_in_row,
    summed_columns,
    tie_out,
)
from connectors.files.drops import Drop, Folder
from connectors.files.entities import ENTITIES, Entity
from connectors.files.rows import read_rows
from connectors.files.settings import CONTROL_SUFFIX, FilesSettings, TableSettings

PAGE_ROWS = 5_000
TOLD_FILES = 5
"""Files whose totals the report names; of more it tells the number."""


async def read_entity(folder: Folder, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield the rows of new or changed files, then the complete ids of a snapshot.

    A file is read twice: first to judge it (nothing of a file with too many bad rows, a
    missing column or two contents for one key may land), then to land it.

    Raises:
        ConfigError: the folder or a mapped column is missing.
        ProtocolError: a file cannot be read, or has too many rejected rows.
    """
    entity = ENTITIES[request.stream.name]
    table = folder.settings.tables[request.stream.name]
    mapping = hashlib.sha256(msgspec.json.encode(table.model_dump(mode="json"))).hexdigest()
    cursor = {} if request.full else dict(request.cursor or {})
    known: dict[str, dict[str, Any]] = (
        dict(cursor.get("files", {})) if cursor.get("mapping") == mapping else {}
    )
    drops = folder.drops(table)
    changed = [drop for drop in drops if not _is_known(drop, known.get(drop.name))]
    newest = drops[-1].as_of if drops else ""
    snapshot = [drop for drop in drops if drop.as_of == newest]
    gone = set(known) - {drop.name for drop in drops}
    if table.mode == "snapshot" and drops and (gone or any(d in snapshot for d in changed)):
        # Ids of the whole snapshot are needed, so its unchanged files are read again.
        changed = [drop for drop in changed if drop not in snapshot] + snapshot
    if table.mode == "snapshot":
        # Versions of an older snapshot that arrives late must not replace newer rows.
        last = max((str(state.get("as_of", "")) for state in known.values()), default="")
        changed = [drop for drop in changed if drop.as_of >= last]

    ids: set[str] = set()
    told: list[str] = []
    for drop in changed:
        await _settle(drop, folder.settings.settle_seconds)
        digest = _sha256(drop.path)
        told.append(_judge(folder, entity, table, drop, digest))
        async for page, found in _pages(folder, entity, table, drop, digest, request):
            if drop in snapshot:
                ids.update(found)
            yield page
        if _sha256(drop.path) != digest:
            raise ProtocolError(f"{drop.name} changed while it was read")
        known[drop.name] = {
            "size": drop.size,
            "mtime_ns": drop.modified_ns,
            "sha256": digest,
            "as_of": drop.as_of,
        }
    present = {drop.name for drop in drops}
    state = {"mapping": mapping, "files": {k: v for k, v in known.items() if k in present}}
    if table.mode == "snapshot" and changed and snapshot:
        if not ids and not table.allow_empty:
            raise ProtocolError(
                f"{snapshot[-1].name} holds no rows, and an empty "
                "snapshot deletes everything. Set allow_empty = true if that is meant."
            )
        yield Page(cursor=state, complete_ids=sorted(ids), note=_note(told))
    else:
        yield Page(cursor=state, note=_note(told))


def check_duplicates(settings: FilesSettings, connection: str, entity_name: str) -> list[str]:
    """Name every key that stands twice in the files of a table, with both places.

    For settings that must be right before anything runs (quotas): the lines of a pair
    are given even where their content is equal.
    """
    table = settings.tables.get(entity_name)
    if table is None:
        return []
    folder = Folder(settings, connection)
    entity = ENTITIES[entity_name]
    drops = folder.drops(table)
    newest = drops[-1].as_of if drops else ""
    seen: dict[str, str] = {}
    problems = []
    now = datetime.now(UTC)
    for drop in drops:
        if table.mode == "snapshot" and drop.as_of != newest:
            continue
        for row, parsed in read_rows(folder, entity, table, drop, "", now).rows:
            if parsed.rejected is not None:
                problems.append(f"{row.place}: {parsed.rejected.reason}")
            elif parsed.record is not None:
                key = parsed.record.record_id
                if key in seen:
                    problems.append(f"{row.place}: {entity_name} {key} stands at {seen[key]} too")
                seen.setdefault(key, row.place)
    return problems


def _is_known(drop: Drop, state: dict[str, Any] | None) -> bool:
    """Size and time shortcut the hash; else the content decides."""
    if state is None:
        return False
    if (state["size"], state["mtime_ns"]) == (drop.size, drop.modified_ns):
        return True
    return bool(state["sha256"] == _sha256(drop.path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _settle(drop: Drop, seconds: float) -> None:
    """Wait until the file has been left alone; the machine's clock made its times.

    Raises:
        ProtocolError: it was written to while we waited.
    """
    rest = seconds - (time.time() - drop.modified_ns / 1e9)
    if rest <= 0:
        return
    await asyncio.sleep(min(rest, seconds))
    state = drop.path.stat()
    if (state.st_size, state.st_mtime_ns) != (drop.size, drop.modified_ns):
        raise ProtocolError(f"{drop.name} is still being written; it is read in the next run")


def _note(told: Sequence[str]) -> str | None:
    """Rows and sums of the files read, so that finance can hold them to its own."""
    more = len(told) - TOLD_FILES
    parts = [*told[:TOLD_FILES], *([f"and {more} more file(s)"] if more > 0 else [])]
    return "; ".join(parts) or None


def _judge(folder: Folder, entity: Entity, table: TableSettings, drop: Drop, digest: str) -> str:
    """Read the whole file once and refuse it if it must not land; tell its rows and sums."""
    keys: dict[str, tuple[bytes, str]] = {}
    bad: list[str] = []
    mapped = read_rows(folder, entity, table, drop, digest, datetime.now(UTC))
    stated: dict[str, Decimal] = {}
    if table.control is not None and table.control.source == "sidecar":
        beside = drop.path.with_name(drop.path.name + CONTROL_SUFFIX)
        stated = stated_beside(beside, drop.name, table.notation())
    columns = summed_columns(mapped.rules, entity, table.control, stated)
    tally = Tally()
    footer = None
    for row, parsed in mapped.rows:
        if row.is_footer:
            footer = row.cells
            break
        tally.rows += 1
        if parsed.rejected is not None:
            bad.append(f"{row.place}: {parsed.rejected.reason}")
            continue
        if parsed.record is None:
            continue
        tally.add(parsed.values, columns)
        key = parsed.record.record_id
        before = keys.setdefault(key, (parsed.digest, row.place))
        if before[0] != parsed.digest:
            raise ProtocolError(
                f"{entity.name} {key!r} stands twice with different "
                f"content, at {before[1]} and at {row.place}. Keep one of the rows."
            )
    if bad and len(bad) > table.max_bad_share * tally.rows:
        shown = "; ".join(bad[:5])
        raise ProtocolError(
            f"{len(bad)} of {tally.rows} rows of {drop.name} are bad, more "
            f"than max_bad_share = {table.max_bad_share:g}; nothing of it landed. {shown}"
        )
    if table.control is None:
        return f"{drop.name}: {tally.told()}"
    if table.control.source == "footer":
        stated = stated_in_row(footer, drop.name, table.control, mapped.rules, table.notation())
    tie_out(tally, stated, drop.name, columns, table.control)
    return f"{drop.name}: {tally.told()}, ties out with its control totals"


async def _pages(
    folder: Folder,
    entity: Entity,
    table: TableSettings,
    drop: Drop,
    digest: str,
    request: ReadRequest,
) -> AsyncIterator[tuple[Page, list[str]]]:
    records: list[Record] = []
    rejected: list[Rejected] = []
    mapped = read_rows(folder, entity, table, drop, digest, request.now)
    for _, parsed in mapped.rows:
        if parsed.record is not None:
            records.append(parsed.record)
        if parsed.rejected is not None:
            rejected.append(parsed.rejected)
        if len(records) + len(rejected) >= PAGE_ROWS:
            yield Page(records, rejected=rejected), _upserts(records)
            records, rejected = [], []
            await asyncio.sleep(0)  # other streams of the run get their turn
    if records or rejected:
        yield Page(records, rejected=rejected), _upserts(records)


def _upserts(records: Sequence[Record]) -> list[str]:
    return [record.record_id for record in records if record.change == "upsert"]

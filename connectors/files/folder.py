"""Which files of a folder are new, and what of them lands.

A file is known by its content: the same bytes under a new name add nothing, a corrected
file under the old name is a new version. Files that carry a date in their name form one
snapshot per date, the newest of which holds; files without a date form one together.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from connectors.base.errors import ConfigError, ProtocolError
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.files.cells import CellError, canonical
from connectors.files.entities import ENTITIES, Entity
from connectors.files.settings import ColumnRule, FilesSettings, TableSettings
from connectors.files.tables import Row, read_table

PAGE_ROWS = 5_000
_DATED = re.compile(r"(?P<asof>\d{4}-\d{2}-\d{2})")
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Drop:
    """One file as it lies there: identity, size, and the day its name speaks of."""

    path: Path
    name: str
    size: int
    modified_ns: int
    as_of: str

    @property
    def updated_at(self) -> datetime:
        """The day in the name, else the time of the last write."""
        if self.as_of:
            return datetime.fromisoformat(self.as_of).replace(tzinfo=UTC)
        return datetime.fromtimestamp(self.modified_ns // 10**9, tz=UTC)


@dataclass(frozen=True, slots=True)
class Folder:
    """The configured folder, opened."""

    settings: FilesSettings
    connection: str

    def drops(self, table: TableSettings) -> list[Drop]:
        """The files that match the table's pattern: oldest snapshot first, then by name.

        Raises:
            ConfigError: the folder does not exist.
        """
        folder = self.settings.folder
        if not folder.is_dir():
            raise ConfigError(
                f"the folder {folder} does not exist. "
                f"Create it or mend sources.files.{self.connection}.folder."
            )
        found = []
        for path in folder.glob(table.path):
            if not path.is_file() or path.name.startswith((".", "~$")):
                continue
            state = path.stat()
            dated = _DATED.search(path.name)
            name = str(path.relative_to(folder))
            as_of = dated["asof"] if dated else ""
            found.append(Drop(path, name, state.st_size, state.st_mtime_ns, as_of))
        return sorted(found, key=lambda drop: (drop.as_of, drop.name))

    def describe(self) -> Iterator[str]:
        """One line per table: how many files match, and which is the newest."""
        for name, table in self.settings.tables.items():
            drops = self.drops(table)
            newest = f", newest {drops[-1].name}" if drops else ""
            yield f"{name}: {len(drops)} file(s) match {table.path}{newest}"


class _Parsed(msgspec.Struct):
    """A row after its mapping: a record, or the reason it was rejected."""

    record: Record | None = None
    rejected: Rejected | None = None
    digest: bytes = b""


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
    for drop in changed:
        await _settle(drop, folder.settings.settle_seconds)
        digest = _sha256(drop.path)
        _judge(folder, entity, table, drop, digest)
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
        yield Page(cursor=state, complete_ids=sorted(ids))
    else:
        yield Page(cursor=state)


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
        for row, parsed in _parse(folder, entity, table, drop, "", now):
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


def _judge(folder: Folder, entity: Entity, table: TableSettings, drop: Drop, digest: str) -> None:
    """Read the whole file once and refuse it if it must not land."""
    keys: dict[str, tuple[bytes, str]] = {}
    bad: list[str] = []
    total = 0
    for row, parsed in _parse(folder, entity, table, drop, digest, datetime.now(UTC)):
        total += 1
        if parsed.rejected is not None:
            bad.append(f"{row.place}: {parsed.rejected.reason}")
            continue
        if parsed.record is None:
            continue
        key = parsed.record.record_id
        before = keys.setdefault(key, (parsed.digest, row.place))
        if before[0] != parsed.digest:
            raise ProtocolError(
                f"{entity.name} {key!r} stands twice with different "
                f"content, at {before[1]} and at {row.place}. Keep one of the rows."
            )
    if bad and len(bad) > table.max_bad_share * total:
        shown = "; ".join(bad[:5])
        raise ProtocolError(
            f"{len(bad)} of {total} rows of {drop.name} are bad, more "
            f"than max_bad_share = {table.max_bad_share:g}; nothing of it landed. {shown}"
        )


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
    for _, parsed in _parse(folder, entity, table, drop, digest, request.now):
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


def _parse(
    folder: Folder,
    entity: Entity,
    table: TableSettings,
    drop: Drop,
    digest: str,
    observed_at: datetime,
) -> Iterator[tuple[Row, _Parsed]]:
    """Every row with its record or its rejection.

    Raises:
        ConfigError: a mapped column is not in the file.
    """
    data = read_table(drop.path, table)
    rules = table.rules() or {
        name: ColumnRule.model_validate({"from": name})
        for name in data.headers
        if name in entity.columns
    }
    _check_headers(folder, entity, table, drop, rules, data.headers)
    notation = table.notation()
    for row in data.rows:
        if row.problem is not None:
            yield row, _reject(row, row.problem)
            continue
        values: dict[str, Any] = {}
        raw: dict[str, str] = {}
        problem = None
        for name, rule in rules.items():
            cell = row.cells.get(rule.source) if rule.source is not None else rule.constant
            if rule.source is not None and cell is not None:
                raw[rule.source] = str(cell)
            try:
                values[name] = canonical(cell, entity.columns[name], notation, rule.values)
                if values[name] is None and rule.default is not None:
                    values[name] = canonical(rule.default, entity.columns[name], notation)
            except CellError as error:
                problem = f"{rule.source or name}: {error}"
                break
        if problem is None:
            empty = [name for name in entity.required if values.get(name) is None]
            if empty:
                problem = f"{rules[empty[0]].source or empty[0]}: required: the cell is empty"
        if problem is not None:
            yield row, _reject(row, problem)
            continue
        key = ":".join("" if values.get(n) is None else str(values[n]) for n in entity.key)
        content = _encode(values)
        if table.mode == "changes" and str(row.cells.get(table.op_column, "")).upper() == "D":
            record = Record(key, None, observed_at, "deleted", drop.updated_at)
        else:
            place = {"_file": drop.name, "_sheet": data.sheet, "_row": row.number}
            payload = {**values, **place, "_sha256": digest, "_raw": raw}
            record = Record(key, _encode(payload), observed_at, "upsert", drop.updated_at)
        yield row, _Parsed(record=record, digest=hashlib.sha256(content).digest())


def _reject(row: Row, problem: str) -> _Parsed:
    # The place and the reason, never the content: exports carry salaries and birthdays.
    return _Parsed(rejected=Rejected(None, f"{row.place}: {problem}", row.place.encode()))


def _check_headers(
    folder: Folder,
    entity: Entity,
    table: TableSettings,
    drop: Drop,
    rules: dict[str, ColumnRule],
    headers: Sequence[str],
) -> None:
    missing = [rule.source for rule in rules.values() if rule.source not in {None, *headers}]
    if not table.columns:
        missing = [name for name in entity.required if name not in rules]
    if not missing:
        return
    parts = []
    for name in missing:
        near = get_close_matches(str(name), headers, n=1)
        parts.append(f"{name!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
    raise ConfigError(
        f"{drop.name} has no column {', '.join(parts)}. "
        f"It has: {', '.join(headers)}. Mend sources.files.{folder.connection}.tables."
        f"{entity.name}.columns."
    )

"""Is the stored state fit to go on from, and how it is rebuilt where it is not.

Neither a silent full load nor a silent skip: damaged, missing or future state is refused
with the way out. ``rebuild_state`` is that way: it sets damaged parts aside and tells the
streams concerned to read everything again, which landing makes harmless.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.base.errors import ConfigError
from pipeledger.clock import new_sync_id
from pipeledger.landing import Checkpoint, Landing
from pipeledger.landing.tables import DamagedTableError, damaged_files, open_table

TOLERANCE = timedelta(days=1)
"""How far a checkpoint may lie ahead of the clock: zones and clocks that were set right."""
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?")
_WAY_OUT = (
    "Run `pipeledger state rebuild`, or sync it with --full: everything is read again, landed "
    "versions stay, nothing is doubled."
)


@dataclass(frozen=True, slots=True)
class RebuiltStream:
    """A stream whose state was set back, and why; its next sync reads everything."""

    source: str
    connection: str
    stream: str
    reason: str


def fit_checkpoints(
    landing: Landing,
    source: str,
    connection: str,
    streams: Sequence[str],
    *,
    now: datetime,
    full: bool,
) -> dict[str, Checkpoint]:
    """The last checkpoint of each stream, looked at before anything goes on from it.

    With ``full`` the cursors are not used, so only an unreadable table is refused.

    Raises:
        ConfigError: a checkpoint is damaged, from the future, or missing although
            versions of the stream have landed.
    """
    rows = landing.checkpoints(source=source, connection=connection, last=True, lenient=full)
    last = {row.stream: row for row in rows}
    if full:
        return last
    for name in streams:
        row = last.get(name)
        where = f"{source}.{name} ({connection})"
        if row is None:
            if connection in landing.connections(source, name):
                raise ConfigError(f"{where} has landed versions but no checkpoint. {_WAY_OUT}")
            continue
        fault = _from_the_future(row, now)
        if fault is not None:
            raise ConfigError(f"the checkpoint of {where} {fault}. {_WAY_OUT}")
    return last


def _from_the_future(row: Checkpoint, now: datetime) -> str | None:
    if row.at > now + TOLERANCE:
        return f"is of {row.at:%Y-%m-%d %H:%M}, and now is {now:%Y-%m-%d %H:%M}"
    for instant in _instants(row.cursor):
        if instant > now + TOLERANCE:
            return f"goes on from {instant:%Y-%m-%d %H:%M}, and now is {now:%Y-%m-%d %H:%M}"
    return None


def _instants(value: Any) -> Iterator[datetime]:
    """Every ISO date or instant in a cursor."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _instants(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _instants(part)
    elif isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            return
        yield instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def rebuild_state(landing: Landing, *, now: datetime) -> list[RebuiltStream]:
    """Make the state usable again from what has landed; return the streams set back.

    Good checkpoints stay. A stream whose checkpoint is damaged, missing or from the future,
    or whose files are torn, gets a checkpoint without a cursor. Nothing is deleted: torn
    files go to ``_damaged`` and an unreadable checkpoint table beside itself. Run it while
    no sync runs.
    """
    stamp = new_sync_id()
    rows, lost = _readable_rows(landing, stamp)
    torn = _set_damage_aside(landing, stamp)
    rebuilt: dict[tuple[str, str, str], RebuiltStream] = {}
    good: list[Checkpoint] = []
    for row in rows:
        key = (row.source, row.connection, row.stream)
        fault = _from_the_future(row, now)
        if fault is not None:
            rebuilt[key] = RebuiltStream(*key, f"its checkpoint {fault}")
        elif (row.source, row.stream) in torn:
            good.append(row)
            rebuilt[key] = RebuiltStream(*key, "some of its files were damaged")
        else:
            good.append(row)
    for key in lost:
        rebuilt[key] = RebuiltStream(*key, "its checkpoint was damaged")
    known = {(row.source, row.connection, row.stream) for row in good} | set(rebuilt)
    for source, stream in landing.streams():
        for connection in landing.connections(source, stream):
            key = (source, connection, stream)
            if key not in known:
                rebuilt[key] = RebuiltStream(*key, "it had no checkpoint")
    if not rebuilt:
        return []
    folder = Path(landing.root) / "_checkpoints"
    if folder.exists():
        folder.rename(folder.with_name(f"_checkpoints.{stamp}"))
    afterwards = Landing(landing.root)
    sync_id = new_sync_id(max((row.sync_id for row in good), default=None))
    afterwards.checkpoint(
        *(row for row in good if row.at <= now + TOLERANCE),
        *(
            Checkpoint(
                one.source,
                one.connection,
                one.stream,
                sync_id,
                None,
                "partial",
                *(0, 0, 0, 0),
                now,
                now,
                0,
                None,
                f"state rebuilt, the next sync reads everything: {one.reason}",
            )
            for one in rebuilt.values()
        ),
    )
    return sorted(rebuilt.values(), key=lambda one: (one.source, one.connection, one.stream))


def _readable_rows(
    landing: Landing, stamp: str
) -> tuple[list[Checkpoint], set[tuple[str, str, str]]]:
    """All checkpoints that can be read, and the streams whose last cursor cannot."""
    try:
        lenient = landing.checkpoints(lenient=True)
    except DamagedTableError:
        folder = Path(landing.root) / "_checkpoints"
        folder.rename(folder.with_name(f"_checkpoints.unreadable.{stamp}"))
        return [], set()
    lost = set()
    for row in landing.checkpoints(last=True, lenient=True):
        try:
            landing.last_checkpoint(row.source, row.stream, row.connection)
        except ConfigError:
            lost.add((row.source, row.connection, row.stream))
    return lenient, lost


def _set_damage_aside(landing: Landing, stamp: str) -> set[tuple[str, str]]:
    """Move torn files, and tables whose log is unreadable, to ``_damaged``."""
    damaged: set[tuple[str, str]] = set()
    root = Path(landing.root)
    for log in sorted(root.glob("[a-z]*/[a-z]*/_delta_log")):
        folder = log.parent
        place = (folder.parent.name, folder.name)
        aside = root / "_damaged" / stamp / place[0] / place[1]
        try:
            table = open_table(str(folder))
        except DamagedTableError:
            aside.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.rename(aside)
            damaged.add(place)
            continue
        torn = [Path(name) for name in damaged_files(table)] if table is not None else []
        for path in torn:
            aside.mkdir(parents=True, exist_ok=True, mode=0o700)
            if path.exists():
                path.rename(aside / path.name)
        if torn and table is not None:
            damaged.add(place)
            table.repair()
    return damaged

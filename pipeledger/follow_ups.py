"""Take note of a deal on the follow-up list: a line in the company's own file of follow-ups.

The file lies among those that ``[sources.files.<name>.tables.follow_ups]`` reads, so a note
travels as every other record does: landed with all its versions, and in force with the next build.
"""

import csv
import io
import os
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connectors.base.errors import ConfigError
from pipeledger.locks import exclusive
from pipeledger.pipeline import clock_of
from pipeledger.serving import open_serving
from pipeledger.settings import Settings

FILE = "follow_ups_noted.csv"
_HEADER = ("deal_key", "acknowledged_on", "acknowledged_by", "snoozed_until", "note")


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says about a deal; with a day it is a snooze."""

    deal_key: str
    by: str | None = None
    note: str | None = None
    snoozed_until: date | None = None


def day_of(text: str) -> date:
    """The day that an argument names.

    Raises:
        ConfigError: it names none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{text} is no day such as 2026-11-02") from error


def take_note(settings: Settings, said: Said) -> Path:
    """Write the note of today, in place of an earlier one of today.

    Raises:
        ConfigError: there is no such deal on the list, the day is over, or the settings have
            no plain table of follow-ups.
    """
    path = _file(settings)
    today = clock_of(settings)().astimezone(ZoneInfo(settings.company.time_zone)).date()
    if said.snoozed_until is not None and said.snoozed_until <= today:
        raise ConfigError(f"{said.snoozed_until} is over: a snooze ends on a day to come")
    with open_serving(settings) as db:
        found = db.execute(
            "select count(*) from marts.mart_follow_up where deal_key = ?", [said.deal_key]
        ).fetchone()
    if found is None or found[0] == 0:
        raise ConfigError(f"{said.deal_key} is no open deal of the published mart_follow_up")
    with _locked(settings):
        lines = [line for line in _read(path) if line[:2] != [said.deal_key, today.isoformat()]]
        until = "" if said.snoozed_until is None else said.snoozed_until.isoformat()
        lines.append([said.deal_key, today.isoformat(), said.by or "", until, said.note or ""])
        _write(path, lines)
    return path


def take_back(settings: Settings, deal_key: str) -> int:
    """Remove the deal's notes that were made here; returns how many lines that were."""
    path = _file(settings)
    with _locked(settings):
        lines = _read(path)
        kept = [line for line in lines if line[0] != deal_key]
        if len(kept) < len(lines):
            _write(path, kept)
    return len(lines) - len(kept)


def _locked(settings: Settings) -> Any:
    return exclusive(settings.paths.state / "follow_ups.lock", "the file of follow-ups", 10.0)


def _file(settings: Settings) -> Path:
    """The file that notes go to: read by the settings' table, written as that table reads."""
    for connection in settings.connections:
        if connection.source != "files" or "follow_ups" not in connection.settings.tables:
            continue
        table = connection.settings.tables["follow_ups"]
        folder: Path = connection.settings.folder
        is_plain = (
            not table.columns
            and (table.delimiter, table.quote, table.header_row) == (",", '"', 1)
            and table.mode == "snapshot"
            and "%Y-%m-%d" in table.date_formats
            and table.control is None
        )
        if is_plain and fnmatch(FILE, table.path):
            return folder / FILE
        raise ConfigError(
            f"sources.files.{connection.name}.tables.follow_ups does not read {FILE} as a plain "
            'CSV snapshot. Set path = "follow_ups*.csv" without other keys, or note it by hand'
        )
    raise ConfigError(
        "the settings read no follow-ups. Add [sources.files.<name>.tables.follow_ups] with "
        'path = "follow_ups*.csv": docs/marts/follow_up.md'
    )


def _read(path: Path) -> list[list[str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))[1:]


def _write(path: Path, lines: list[list[str]]) -> None:
    """Whole or not at all; a name with a dot before it is not read by a sync."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_HEADER, *lines])
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("w", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)

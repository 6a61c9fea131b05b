"""What was sent, so that nobody is told twice: a file per day, a line per message.

A line is on disk before the next message goes out. A crash between a message and its line
sends that one message again, under the same Message-ID.
"""

import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

from connectors.base.locks import write_durably

KEPT_DAYS = 60


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that arrived at a mail server or a room."""

    topic: str
    to: str
    message_id: str
    build_id: str
    reminders: dict[str, str] = field(default_factory=dict)
    """Day by id of the calendar entries that hold from now on for this reader."""


class SentLog:
    """The log of one state folder."""

    def __init__(self, state: Path, today: date) -> None:
        self._folder = state / "alerts"
        self._today = today
        self._told = self._folder / "told.json"
        self._lines = self._read()

    def has(self, topic: str, to: str) -> bool:
        """Whether a reader had today's digest of a topic."""
        return (topic, to) in {(one.topic, one.to) for one in self._lines.get(self._today, [])}

    def reminders(self, to: str) -> dict[str, str]:
        """The calendar entries that the owner's newest digest left standing."""
        for day in sorted(self._lines, reverse=True):
            for one in reversed(self._lines[day]):
                if (one.topic, one.to) == ("owner", to):
                    return one.reminders
        return {}

    def with_reminders(self) -> list[str]:
        """Everybody for whom an entry stands."""
        everybody = {one.to for lines in self._lines.values() for one in lines}
        return sorted(to for to in everybody if self.reminders(to))

    def note(self, sent: Sent) -> None:
        """Keep a line, on disk when this returns."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{self._today.isoformat()}.jsonl"
        is_torn = path.exists() and not path.read_bytes().endswith(b"\n")
        with path.open("a", encoding="utf-8") as file:
            # A line that a crash cut short must not swallow the next one.
            file.write(("\n" if is_torn else "") + json.dumps(asdict(sent)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._lines.setdefault(self._today, []).append(sent)

    def forget_old(self) -> None:
        """Drop the files that are older than anybody asks for."""
        for path in self._folder.glob("????-??-??.jsonl"):
            if date.fromisoformat(path.stem) < self._today - timedelta(days=KEPT_DAYS):
                path.unlink(missing_ok=True)

    def told_incidents(self, to: str) -> dict[str, str]:
        """Title by key of the incidents that a reader knows of."""
        return self._known().get(to, {})

    def note_incidents(self, to: str, titles: dict[str, str]) -> None:
        """What a reader knows to be broken from now on."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        known = {**self._known(), to: titles}
        write_durably(self._told, json.dumps(known, indent=2, ensure_ascii=False).encode())

    def _known(self) -> dict[str, dict[str, str]]:
        if not self._told.exists():
            return {}
        found: dict[str, dict[str, str]] = json.loads(self._told.read_text(encoding="utf-8"))
        return found

    def _read(self) -> dict[date, list[Sent]]:
        found: dict[date, list[Sent]] = {}
        for path in sorted(self._folder.glob("????-??-??.jsonl")):
            day = date.fromisoformat(path.stem)
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    found.setdefault(day, []).append(Sent(**json.loads(line)))
                except (ValueError, TypeError):
                    continue  # the line that a crash cut short: its message goes out again
        return found


def forget_reader(state: Path, addresses: Collection[str]) -> None:
    """Take the lines of erased readers out of the log, whatever their case."""
    folder = state / "alerts"
    gone = {address.casefold() for address in addresses}
    for path in folder.glob("????-??-??.jsonl"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not _is_of(line, gone)]
        if kept != lines:
            write_durably(path, "".join(kept).encode())
    told = folder / "told.json"
    if told.exists():
        known: dict[str, dict[str, str]] = json.loads(told.read_text(encoding="utf-8"))
        left = {to: titles for to, titles in known.items() if to.casefold() not in gone}
        if left != known:
            write_durably(told, json.dumps(left, indent=2, ensure_ascii=False).encode())


def _is_of(line: str, addresses: Collection[str]) -> bool:
    """Whether a line is of one of these readers; one that a crash cut short is asked as text."""
    try:
        return str(json.loads(line)["to"]).casefold() in addresses
    except (ValueError, KeyError, TypeError):
        return any(address in line.casefold() for address in addresses)

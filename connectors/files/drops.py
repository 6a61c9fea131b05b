"""What lies in a folder: the files of each table, by the day in their name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectors.base.errors import ConfigError
from connectors.files.settings import CONTROL_SUFFIX, FilesSettings, TableSettings

_DATED = re.compile(r"(?P<asof>\d{4}-\d{2}-\d{2})")


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
            if path.name.endswith(CONTROL_SUFFIX):
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

"""The whole road over the fictional company, once for all tests of a process.

Real connectors against the sandbox's servers, then build, checks and publication, by the
verbs that the command line calls.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from pipeledger.build import BuildReport
from pipeledger.demo import SEED, sandbox
from pipeledger.pipeline import build_and_note, publish_and_note, sync_all
from pipeledger.publish import Publication
from pipeledger.serving import held_open, open_serving
from pipeledger.settings import Settings, load_settings
from pipeledger.sync import SyncReport
from sandbox.company import Company, build

SCALE = 0.25
"""A thousand deals: every trouble of real life is there, and a run takes about a minute."""

SMALL = 0.02
"""Some eighty deals: enough where one run is held against another."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What one sync, build and publication came to."""

    syncs: list[SyncReport]
    build: BuildReport
    publication: Publication

    @property
    def appended(self) -> int:
        """New versions over all streams."""
        return sum(stream.appended for sync in self.syncs for stream in sync.streams)


@dataclass(slots=True)
class Road:
    """A published warehouse beside the truth of the company in it."""

    company: Company
    settings: Settings
    runs: list[Ran] = field(default_factory=list)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a reader gets from the serving file."""
        with open_serving(self.settings) as db:
            return db.execute(sql).fetchall()


def run(settings: Settings) -> Ran:
    """Sync, build, check and publish."""
    syncs = asyncio.run(sync_all(settings))
    report = build_and_note(settings)
    assert not report.errors, report.errors
    return Ran(syncs, report, publish_and_note(settings, report))


@contextmanager
def company_road(folder: Path, scale: float = SCALE) -> Iterator[Road]:
    """The company served, read and published; the servers stay up for the block.

    ``PIPELEDGER_TEST_ROAD`` names the folder of an earlier `pipeledger demo --scale 0.25`,
    whose publication is looked at in place of a new one, while one works on a mart.
    """
    standing = os.environ.get("PIPELEDGER_TEST_ROAD")
    if standing:
        with sandbox(Path(standing), scale) as path:
            yield Road(build(SEED, scale), load_settings(path).settings)
        return
    with sandbox(folder, scale) as path:
        settings = load_settings(path).settings
        road = Road(build(SEED, scale), settings)
        road.runs.append(run(settings))
        with held_open(settings):
            yield road


def beside(road: Road, folder: Path) -> Path:
    """The same company, servers and files, in a folder of its own."""
    inbox = Path(road.settings.paths.landing).parents[1] / "inbox"
    text = (inbox.parent / "pipeledger.toml").read_text(encoding="utf-8")
    path = folder / "pipeledger.toml"
    text = text.replace('folder = "inbox"', f'folder = "{inbox}"')
    text = text.replace('_file = "', f'_file = "{inbox.parent}/')
    path.write_text(text, encoding="utf-8")
    return path


def keyed(rows: list[tuple[Any, ...]], *, keys: int = 1) -> dict[Any, tuple[Any, ...]]:
    """Rows by their first column, or by the tuple of their first ones."""
    return {row[0] if keys == 1 else row[:keys]: tuple(map(_plain, row[keys:])) for row in rows}


def differences(
    expected: Mapping[Any, tuple[Any, ...]], found: Mapping[Any, tuple[Any, ...]]
) -> list[tuple[Any, Any, Any]]:
    """(key, truth, mart) of each key whose values are not the same; None where one lacks it."""
    truth = {key: tuple(map(_plain, values)) for key, values in expected.items()}
    return [
        (key, truth.get(key), found.get(key))
        for key in sorted({*truth, *found}, key=str)
        if truth.get(key) != found.get(key)
    ]


def _plain(value: Any) -> Any:
    """Money without trailing zeros, so that 5 and 5.0000 are one amount."""
    return value.normalize() + 0 if isinstance(value, Decimal) else value


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """A file, read-only."""
    return duckdb.connect(str(path), read_only=True)

"""Editions of the marts: the kept publications, and those of past days that are built when asked.

``diff`` compares two of them, ``export`` writes one out.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from connectors.base.errors import PipeledgerError
from pipeledger.pipeline import build_and_note
from pipeledger.publish import CURRENT, build_files
from pipeledger.serving import rows
from pipeledger.settings import Settings


@dataclass(frozen=True, slots=True)
class Edition:
    """A file that holds the schema ``marts``, its name, and the instant it speaks of."""

    name: str
    path: Path
    as_of: datetime


def published_edition(settings: Settings, name: str) -> Edition | None:
    """The kept publication of that name; None if none has it.

    Args:
        settings: the settings.
        name: ``current``, ``previous``, or the beginning of a build's id.

    Raises:
        PipeledgerError: there is no publication before the current one, or several builds
            begin with the name.
    """
    files = build_files(settings.paths.serving)
    link = settings.paths.serving / CURRENT
    if name in {"current", "previous"}:
        if not link.exists():
            raise PipeledgerError(f"nothing is published below {link.parent}: run `pipeledger run`")
        at = files.index(link.resolve())
        if name == "previous" and at == 0:
            raise PipeledgerError(
                "there is no publication before the current one; name a day instead"
            )
        return _edition(files[at if name == "current" else at - 1])
    found = [path for path in files if path.name.startswith(name)]
    if len(found) > 1:
        raise PipeledgerError(f"{len(found)} kept builds begin with {name}: name one in full")
    return _edition(found[0]) if found else None


def _edition(path: Path) -> Edition:
    with duckdb.connect(str(path), read_only=True) as db:
        db.execute("set timezone = 'UTC'")
        (build,) = rows(db, "select build_id, as_of from meta.builds")
    return Edition(build["build_id"], path, build["as_of"])


def past_edition(settings: Settings, as_of: datetime) -> Edition:
    """The marts as of an instant, built now in a file of their own."""
    report = build_and_note(settings, as_of=as_of)
    return Edition(f"as of {report.as_of:%Y-%m-%d %H:%M} UTC", report.warehouse, report.as_of)

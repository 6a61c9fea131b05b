"""[[exports]]: marts written to a folder after each publication, each whole or as it was before.

The writer is that of ``pipeledger export``: text is never a formula, numbers are numbers. Where a
bucket is named, the finished file is put there, too: an object is seen when it is complete.
"""

from dataclasses import dataclass
from pathlib import Path

from connectors.base.errors import PipeledgerError
from pipeledger.editions import published_edition
from pipeledger.export import Wanted, export
from pipeledger.object_storage import upload
from pipeledger.settings import Settings


@dataclass(frozen=True, slots=True)
class Written:
    """A file and its rows, or why it still is what it was."""

    path: Path
    rows: int = 0
    error: str = ""


def write_exports(settings: Settings) -> list[Written]:
    """Write every export of the settings from what is published; one failure stops no other."""
    if not settings.exports:
        return []
    edition = published_edition(settings, "current")
    assert edition is not None, "current is always found or an error"  # noqa: S101
    done = []
    for one in settings.exports:
        wanted = Wanted(one.mart, one.format, one.where, one.decimal_comma, one.bare)
        try:
            one.folder.mkdir(parents=True, exist_ok=True)
            rows = export(edition, wanted, one.path)
            if one.bucket is not None:
                upload(one.path, one.bucket)
            done.append(Written(one.path, rows))
        except PipeledgerError as error:
            done.append(Written(one.path, error=str(error)))
        except OSError as error:
            done.append(Written(one.path, error=f"{one.folder} cannot be made: {error.strerror}"))
    return done

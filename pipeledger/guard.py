"""From an error to one clear text and an exit code; a defect keeps its traceback for --debug.

0 ok · 1 failed · 2 usage or settings · 3 checks failed · 4 locked · 5 partial ·
130 cancelled (SIGTERM or Ctrl-C), as a shell reports it
"""

import errno
import traceback
from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import contextmanager

import typer

OK, FAILED, USAGE, CHECKS_FAILED, LOCKED, PARTIAL, CANCELLED = 0, 1, 2, 3, 4, 5, 130
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST}
_STORAGE = ("duckdb", "_duckdb", "deltalake")


def explain(error: BaseException) -> tuple[str, int]:
    """What to tell the user about an error, and the exit code; an empty text is a defect."""
    from connectors.base.errors import ConfigError, PipeledgerError
    from pipeledger.locks import LockHeldError
    from pipeledger.publish import ChecksFailedError

    if isinstance(error, KeyboardInterrupt | CancelledError):
        return "cancelled: what was read is landed, the rest comes next time", CANCELLED
    if isinstance(error, PipeledgerError):
        if isinstance(error, LockHeldError):
            return str(error), LOCKED
        if isinstance(error, ChecksFailedError):
            return str(error), CHECKS_FAILED
        return str(error), USAGE if isinstance(error, ConfigError) else FAILED
    if isinstance(error, OSError) and error.errno is not None:
        if error.errno == errno.ENOSPC:
            return _full(error), FAILED
        if error.errno in _DENIED:
            what = error.strerror or "cannot be written"
            return f"{error.filename}: {what}. pipeledger must be able to write there.", USAGE
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _STORAGE:
        return _storage(error)
    return "", FAILED


def _storage(error: BaseException) -> tuple[str, int]:
    """An error of the storage libraries, which tell causes apart by their text alone."""
    text = " ".join(str(error).split())
    if "No space left" in text:
        return _full(error), FAILED
    if "Conflicting lock" in text or "Could not set lock" in text:
        return f"a file is open in another program. Close it and run again. {text}", LOCKED
    if "Permission denied" in text or "Read-only file system" in text:
        return f"{text}. pipeledger must be able to write there.", USAGE
    return "", FAILED


def _full(error: BaseException) -> str:
    name = getattr(error, "filename", None) or "the data folders"
    return f"disk full while writing {name}. Nothing was lost: free some space and run again."


@contextmanager
def guarded(*, debug: bool) -> Iterator[None]:
    """End the command with a text and an exit code instead of a traceback.

    ``debug`` adds the traceback, secrets masked.
    """
    from connectors.base.redact import redact

    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except (Exception, KeyboardInterrupt, CancelledError) as error:  # noqa: BLE001 - the last line of defence
        text, code = explain(error)
        if debug:
            typer.echo(redact(traceback.format_exc()), err=True)
        if not text:
            text = (
                f"an error inside pipeledger, {type(error).__name__}: {error}\n  "
                "Run the command again with --debug for the traceback, and report it."
            )
        typer.echo(f"pipeledger: {redact(text)}", err=True)
        raise typer.Exit(code) from None

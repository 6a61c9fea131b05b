"""Structured log lines on stderr, secrets masked in every field."""

import logging
import sys

import structlog

from connectors.base import redact


def configure(*, verbose: bool = False) -> None:
    """Log events as one JSON line each; ``verbose`` shows debug events too.

    On a terminal only warnings are shown: a live table tells the rest there.
    """
    level = logging.WARNING if sys.stderr.isatty() else logging.INFO
    if verbose:
        level = logging.DEBUG
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact.redact_event,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up at each event: whoever redirects stderr later gets the lines too.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )

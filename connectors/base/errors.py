"""What can go wrong, sorted by what the runner does next.

    PipeledgerError
    ├── ConfigError          stop the run: the settings are wrong (exit 2)
    └── SourceError          something between us and one vendor
        ├── AccessDenied     stop this stream; after a refused credential, the source
        ├── BudgetSpent      come back later: state ``partial``, cursor kept
        ├── CursorExpired    read a window, or everything, instead
        ├── BadRecord        set this record aside in quarantine and go on
        ├── OriginRefused    stop: an address outside the configured origin
        ├── VendorError      the vendor said no, or kept failing after all retries
        └── ProtocolError    the vendor answered nonsense (HTML, half a body, ...)
            ├── BodyTooLarge
            └── PaginationLoop

A message says what, where and how to mend it. It does not name the source or the
stream: whoever runs the stream puts ``hubspot.deals: `` in front. Secrets are masked
when the message is made, so that no caller can forget it.
"""

from datetime import datetime

from connectors.base.redact import redact


class PipeledgerError(Exception):
    """The root: everything that pipeledger raises on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(redact(message))


class ConfigError(PipeledgerError):
    """The settings (or stored state) cannot be used as they are."""


class SourceError(PipeledgerError):
    """A fault of one source; ``status`` and ``request_id`` where HTTP was reached."""

    def __init__(
        self, message: str, *, status: int | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.request_id = request_id


class AccessDenied(SourceError):
    """The credential or one of its rights is missing, expired or refused.

    ``whole_source`` is True when no stream of the connection can be read (the
    credential itself is refused), False when only this request's object is closed.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        whole_source: bool = False,
    ) -> None:
        super().__init__(message, status=status, request_id=request_id)
        self.whole_source = whole_source


class BudgetSpent(SourceError):
    """The vendor's allowance is used up; ``resets_at`` (UTC) is when it returns."""

    def __init__(self, message: str, *, resets_at: datetime, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.resets_at = resets_at


class CursorExpired(SourceError):
    """The vendor no longer knows the resume point."""


class BadRecord(SourceError):
    """One record cannot be landed; ``reason`` goes to quarantine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OriginRefused(SourceError):
    """An address that is not the configured one was about to be asked."""


class VendorError(SourceError):
    """A refusal that is not about access, or a fault that outlived all retries."""


class ProtocolError(SourceError):
    """An answer that cannot be true: never read as "no more records"."""


class BodyTooLarge(ProtocolError):
    """More decoded bytes than the cap; reading stopped there."""


class PaginationLoop(ProtocolError):
    """The pages go round in circles, or never end."""

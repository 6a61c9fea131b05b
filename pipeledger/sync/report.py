"""What a sync says about itself, while it runs and at its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.base.errors import SourceError
from pipeledger.landing.checkpoints import State


class DeletesRefusedError(SourceError):
    """A listing that lacks too many known records: more likely a fault than a clean-up."""


class TooManyRejectedError(SourceError):
    """So many records went to quarantine that the stream as a whole is suspect."""


@dataclass(slots=True)
class StreamReport:
    """What a sync did with one stream.

    ``seen`` counts records shown, ``appended`` new versions, ``deleted`` tombstones among
    them; ``late`` were older than what is landed, ``replaced_text`` held characters that no
    database keeps, ``expired`` were too old for the stream's retention rule. ``requests`` and
    ``bytes`` are those of the whole connection during the stream, ``budget`` what the client
    says is left, ``total`` the vendor's own count, ``note`` what the reader has to tell that is
    no fault.
    """

    source: str
    connection: str
    stream: str
    state: State = "running"
    seen: int = 0
    appended: int = 0
    deleted: int = 0
    late: int = 0
    quarantined: int = 0
    replaced_text: int = 0
    expired: int = 0
    requests: int = 0
    bytes: int = 0
    seconds: float = 0.0
    total: int | None = None
    budget: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    note: str | None = None
    is_disk_full: bool = False
    """Failed for want of space, which is this machine's fault and not the vendor's."""

    @property
    def rate(self) -> float:
        """Records per second so far."""
        return self.seen / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class SyncReport:
    """The streams of one connection after a sync."""

    source: str
    connection: str
    sync_id: str
    streams: tuple[StreamReport, ...]

    @property
    def is_complete(self) -> bool:
        """Did every stream reach its end?"""
        return all(report.state == "complete" for report in self.streams)

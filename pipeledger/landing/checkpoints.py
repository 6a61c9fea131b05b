"""Checkpoints: where a stream goes on, and the audit log of every sync."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

import msgspec

from connectors.base.errors import ConfigError

State: TypeAlias = Literal["running", "complete", "partial", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One row of ``_checkpoints``: what a sync of a stream had reached at an instant.

    ``cursor`` is the resume point (None: from the start). ``seen`` and ``appended`` count
    records since the sync's start, ``requests`` and ``bytes`` what it asked of the vendor.
    ``quarantined`` records were set aside, ``vendor_total`` is how many records the vendor
    itself counted for this read.
    ``sequence`` orders the rows of one sync; ``swept_at`` is the last complete listing of
    ids.
    """

    source: str
    connection: str
    stream: str
    sync_id: str
    cursor: Mapping[str, Any] | None
    state: State
    seen: int
    appended: int
    requests: int
    bytes: int
    started_at: datetime
    at: datetime
    sequence: int
    swept_at: datetime | None = None
    error: str | None = None
    quarantined: int = 0
    vendor_total: int | None = None


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """Where a stream stands: its last checkpoint and the end of its last complete sync."""

    source: str
    connection: str
    stream: str
    state: State
    at: datetime
    completed_at: datetime | None
    seen: int
    appended: int
    error: str | None


def checkpoint_of(row: dict[str, Any], *, lenient: bool) -> Checkpoint:
    """A landed row as a checkpoint; ``lenient`` takes a damaged cursor for none.

    Raises:
        ConfigError: the cursor is damaged.
    """
    text = row["cursor"]
    try:
        cursor = None if text is None else msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        if lenient:
            return Checkpoint(**{**row, "cursor": None})
        raise ConfigError(
            f"the checkpoint of {row['source']}.{row['stream']} ({row['connection']}) is damaged: "
            f"{error}. Run `pipeledger state rebuild`, or sync it again with --full: landed "
            "versions stay, nothing is doubled."
        ) from error
    return Checkpoint(**{**row, "cursor": cursor})

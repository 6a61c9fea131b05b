"""One CRM record, and how HubSpot writes an instant."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any


def iso(instant: datetime) -> str:
    """An instant as HubSpot writes it: UTC, milliseconds, Z."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_ms(text: str) -> int:
    """Milliseconds since 1970 of an ISO instant."""
    instant = datetime.fromisoformat(text)
    since = instant.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(milliseconds=1)


@dataclass(slots=True)
class Entry:
    """One CRM record; ``properties`` is replaced and never changed in place."""

    id: str
    properties: dict[str, str | None]
    created_at: str
    updated_at: str
    history: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    archived_at: str | None = None
    associations: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)

"""How a Vtiger is described in pipeledger.toml.

[sources.vtiger.crm]
base_url = "https://crm.example.com/vtiger"
username = "pipeledger"
# access_key from PIPELEDGER__SOURCES__VTIGER__CRM__ACCESS_KEY or …__ACCESS_KEY_FILE
"""

from typing import Literal, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connectors.vtiger.modules import ALL_STREAMS

Dialect: TypeAlias = Literal["open_source", "cloud"]
CLOUD_DOMAIN = ".vtiger.com"
OPEN_SOURCE_PATH = "/webservice.php"
CLOUD_PATH = "/restapi/v1/vtiger/default"


class VtigerSettings(BaseModel):
    """One installation, read as one of its users."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str
    """Where the CRM's own pages are, e.g. https://crm.example.com/vtiger."""
    username: str = Field(min_length=1)
    access_key: SecretStr
    """The user's Access Key from My Preferences, not the password."""
    dialect: Dialect | None = None
    """``cloud`` (REST) or ``open_source`` (webservice.php); by default the address tells."""
    time_zone: str = "UTC"
    """Zone of the datetimes in the database; ``$default_timezone`` of config.inc.php."""
    ca_file: str | None = None
    """A private certificate authority; verification itself cannot be turned off."""
    streams: tuple[str, ...] = ()
    """Only these streams; all of them where it is empty."""
    lookback_minutes: int = Field(default=10, ge=1)
    """How long after its own modifiedtime a change may become visible."""
    sweep_hours: int = Field(default=24, ge=0)
    """Compare all ids after so many hours, for what vanished; 0 is never."""
    concurrency: int = Field(default=2, ge=1, le=16)
    """Requests under way at once; the open-source server has no limit of its own."""
    requests_per_second: int | None = Field(default=None, ge=1, le=1000)
    daily_reserve: float = Field(default=0.05, ge=0, lt=1)
    """Share of a cloud instance's daily calls left for its other programs."""

    @field_validator("base_url")
    @classmethod
    def _without_endpoint(cls, url: str) -> str:
        """Accept the address of the web service itself, too."""
        url = url.strip().rstrip("/")
        for path in (OPEN_SOURCE_PATH, CLOUD_PATH):
            url = url.removesuffix(path)
        return url

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{name!r} is no time zone; write it as Europe/Berlin") from None
        return name

    @field_validator("streams")
    @classmethod
    def _known_streams(cls, streams: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [one for one in streams if one not in ALL_STREAMS]
        if unknown:
            known = ", ".join(ALL_STREAMS)
            raise ValueError(f"unknown stream {', '.join(unknown)}; known are {known}")
        return streams

    @property
    def is_cloud(self) -> bool:
        """Whether the REST dialect is spoken."""
        if self.dialect is not None:
            return self.dialect == "cloud"
        return (urlsplit(self.base_url).hostname or "").endswith(CLOUD_DOMAIN)

    def is_active(self, stream: str) -> bool:
        """Whether a stream is wanted."""
        return not self.streams or stream in self.streams

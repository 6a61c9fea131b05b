"""How an Odoo is described in pipeledger.toml.

[sources.odoo.crm]
base_url = "https://odoo.example.com"
database = "production"
username = "pipeledger@example.com"
# api_key from PIPELEDGER__SOURCES__ODOO__CRM__API_KEY or …__API_KEY_FILE
"""

from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connectors.odoo.models import ALL_STREAMS

Dialect: TypeAlias = Literal["json_rpc", "json_2"]
ONLINE_DOMAIN = ".odoo.com"


class OdooSettings(BaseModel):
    """One database, read as one of its users."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str
    """Where the server is, e.g. https://odoo.example.com."""
    database: str = Field(min_length=1)
    username: str = Field(min_length=1)
    """The login of the user that the key belongs to."""
    api_key: SecretStr
    """An API key of that user; a password only works with JSON-RPC."""
    dialect: Dialect | None = None
    """``json_rpc`` (/jsonrpc) or ``json_2`` (from Odoo 19); by default the server's version
    decides."""
    ca_file: str | None = None
    """A private certificate authority; verification itself cannot be turned off."""
    streams: tuple[str, ...] = ()
    """Only these streams; all of them where it is empty."""
    page_size: int = Field(default=500, ge=1, le=5000)
    lookback_minutes: int = Field(default=20, ge=1)
    """How long after its own write_date a change may become visible: a transaction stamps
    its start and is seen at its commit."""
    sweep_hours: int = Field(default=24, ge=0)
    """Compare all ids after so many hours, for what was deleted; 0 is never."""
    concurrency: int | None = Field(default=None, ge=1, le=16)
    """Requests under way at once; one for Odoo Online, else two."""
    requests_per_second: int | None = Field(default=None, ge=1, le=1000)
    """One for Odoo Online, whose terms ask for it; elsewhere unlimited."""

    @field_validator("base_url")
    @classmethod
    def _without_endpoint(cls, url: str) -> str:
        """Accept the address of the web client or of the service itself, too."""
        url = url.strip().rstrip("/")
        for path in ("/jsonrpc", "/json/2", "/web", "/odoo"):
            url = url.removesuffix(path)
        return url

    @field_validator("streams")
    @classmethod
    def _known_streams(cls, streams: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [one for one in streams if one not in ALL_STREAMS]
        if unknown:
            known = ", ".join(ALL_STREAMS)
            raise ValueError(f"unknown stream {', '.join(unknown)}; known are {known}")
        return streams

    @property
    def is_online(self) -> bool:
        """Whether it is Odoo's own hosting with its terms of use."""
        return (urlsplit(self.base_url).hostname or "").endswith(ONLINE_DOMAIN)

    def is_active(self, stream: str) -> bool:
        """Whether a stream is wanted."""
        return not self.streams or stream in self.streams

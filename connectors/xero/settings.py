"""How a Xero organisation is described in pipeledger.toml.

[sources.xero.books]
client_id = "0123456789ABCDEF0123456789ABCDEF"
# client_secret and refresh_token from PIPELEDGER__SOURCES__XERO__BOOKS__CLIENT_SECRET, …
"""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.xero.kinds import ALL_STREAMS, BY_STREAM


class XeroSettings(BaseModel):
    """One organisation, read as a signed-in user or through a custom connection."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    """Of the app; an app that signs in with PKCE has none."""
    refresh_token: SecretStr | None = None
    """From the sign-in with `offline_access`; left out for a custom connection."""
    tenant_id: str | None = None
    """Which organisation; needed where the sign-in reaches several."""
    scopes: tuple[str, ...] = ()
    """What a custom connection asks for; what the streams need where it is empty."""
    base_url: str = "https://api.xero.com"
    token_url: str = "https://identity.xero.com/connect/token"  # noqa: S105 - an address
    ca_file: str | None = None
    """A private certificate authority; verification itself cannot be turned off."""
    streams: tuple[str, ...] = ()
    """Only these streams; all of them where it is empty."""
    page_size: int = Field(default=1000, ge=1, le=1000)
    lookback_minutes: int = Field(default=15, ge=1)
    """How long after its own UpdatedDateUTC a change may become visible."""
    reread_days: int = Field(default=7, ge=0)
    """Read everything again after so many days, for what changed without a mark; 0 is never."""
    calls_per_minute: int = Field(default=55, ge=1, le=10_000)
    """Xero allows 60 calls a minute to an app and organisation."""
    concurrency: int = Field(default=4, ge=1, le=5)
    daily_calls: int = Field(default=5_000, ge=10)
    """Calls a day to the organisation; 1,000 for an app of the Starter tier."""
    daily_reserve: float = Field(default=0.1, ge=0, lt=1)
    """Share of the day's calls left for the app's other uses."""

    @field_validator("tenant_id")
    @classmethod
    def _a_uuid(cls, text: str | None) -> str | None:
        if text is None:
            return None
        try:
            return str(UUID(text))
        except ValueError:
            raise ValueError(f"{text!r} is no tenant id, which is a UUID") from None

    @field_validator("streams")
    @classmethod
    def _known_streams(cls, streams: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [one for one in streams if one not in ALL_STREAMS]
        if unknown:
            raise ValueError(
                f"unknown stream {', '.join(unknown)}; known are {', '.join(ALL_STREAMS)}"
            )
        return streams

    @model_validator(mode="after")
    def _one_grant(self) -> Self:
        if self.refresh_token is None and self.client_secret is None:
            raise ValueError(
                "give `refresh_token` of a sign-in, or `client_secret` of a custom connection"
            )
        return self

    def is_active(self, stream: str) -> bool:
        """Whether a stream is wanted."""
        return not self.streams or stream in self.streams

    @property
    def asked_scopes(self) -> tuple[str, ...]:
        """What a custom connection asks for."""
        if self.scopes:
            return self.scopes
        needed = (BY_STREAM[one].scope for one in ALL_STREAMS if self.is_active(one))
        return tuple(dict.fromkeys(needed))

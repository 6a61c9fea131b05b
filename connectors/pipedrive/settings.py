"""How a Pipedrive company is described in pipeledger.toml.

[sources.pipedrive.crm]
base_url = "https://acme.pipedrive.com"
# api_token from PIPELEDGER__SOURCES__PIPEDRIVE__CRM__API_TOKEN or …__API_TOKEN_FILE
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.pipedrive.kinds import ALL_STREAMS


class PipedriveSettings(BaseModel):
    """One company: either a user's API token or the three parts of an OAuth app."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_token: SecretStr | None = None
    """Of an administrator: it sees what its user sees, and no more."""
    client_id: str | None = None
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    base_url: str = "https://api.pipedrive.com"
    """``https://<company>.pipedrive.com``; an OAuth app must name it (its ``api_domain``)."""
    token_url: str = "https://oauth.pipedrive.com/oauth/token"  # noqa: S105 - an address
    ca_file: str | None = None
    """A private certificate authority; verification itself cannot be turned off."""
    streams: tuple[str, ...] = ()
    """Only these streams; all of them where it is empty."""
    page_size: int = Field(default=500, ge=1, le=500)
    daily_tokens: int = Field(default=30_000, ge=100)
    """The company's token budget per day (30,000 x plan x seats), until a header tells it."""
    daily_reserve: float = Field(default=0.2, ge=0, lt=1)
    """Share of the day's tokens left for the company's other programs."""
    history_share: float = Field(default=0.6, gt=0, le=1)
    """Share of `daily_tokens` that the changelog of deals may take in one day."""
    burst_requests: int | None = Field(default=None, ge=1)
    """Requests in two seconds; 20 for an API token and 80 for an app, until a header tells."""
    sweep_hours: int = Field(default=168, ge=0)
    """Read and compare everything after so many hours, for what vanished; 0 is never."""
    recents: bool = True
    """Ask /v1/recents for deletions between two comparisons; it reaches back one month."""

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
    def _one_credential(self) -> Self:
        app = (self.client_id, self.client_secret, self.refresh_token)
        given = sum(part is not None for part in app)
        if self.api_token is not None and given:
            raise ValueError("give either `api_token` or the OAuth app's three parts, not both")
        if self.api_token is None and given < len(app):
            raise ValueError(
                "give `api_token`, or all of `client_id`, `client_secret` and `refresh_token`"
            )
        return self

    def is_active(self, stream: str) -> bool:
        """Whether a stream is wanted."""
        return not self.streams or stream in self.streams

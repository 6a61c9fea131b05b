"""How a QuickBooks Online company is described in pipeledger.toml.

[sources.quickbooks.quickbooks]
realm_id = "9130350000000000"
client_id = "ABc123"
# client_secret and refresh_token from PIPELEDGER__SOURCES__QUICKBOOKS__QUICKBOOKS__…
"""

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connectors.quickbooks.entities import ALL_STREAMS


class QuickbooksSettings(BaseModel):
    """One company (realm), by one grant of an Intuit app."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    realm_id: str = Field(pattern=r"^\d{1,20}$")
    """The company's id, as Intuit gave it with the grant; digits, kept as text."""
    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    refresh_token: SecretStr
    """The one of the first sign-in; later ones are kept in the state folder."""
    base_url: str = "https://quickbooks.api.intuit.com"
    """``https://sandbox-quickbooks.api.intuit.com`` for development keys."""
    token_url: str = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"  # noqa: S105 - an address
    ca_file: str | None = None
    """A private certificate authority; verification itself cannot be turned off."""
    streams: tuple[str, ...] = ()
    """Only these streams; all of them where it is empty."""
    page_size: int = Field(default=1000, ge=1, le=1000)
    monthly_reads: int = Field(default=400_000, ge=1000)
    """Reads in a calendar month: Intuit meters them per developer workspace, all companies
    together, 500,000 on the free tier."""
    sweep_hours: int = Field(default=168, ge=1)
    """Compare all ids after so many hours, for deletions that no event told."""
    rate_days: int = Field(default=31, ge=1, le=3660)
    """How many days back the first load asks for exchange rates: one read a day."""
    free_text: bool = True
    """Land PrivateNote and CustomerMemo: people write into them, and deals are found in them.
    A void is told from the amounts where they are left out."""

    @field_validator("streams")
    @classmethod
    def _known_streams(cls, streams: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [one for one in streams if one not in ALL_STREAMS]
        if unknown:
            raise ValueError(
                f"unknown stream {', '.join(unknown)}; known are {', '.join(ALL_STREAMS)}"
            )
        return streams

    def is_active(self, stream: str) -> bool:
        """Whether a stream is wanted."""
        return not self.streams or stream in self.streams

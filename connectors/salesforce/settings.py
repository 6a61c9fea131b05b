"""How a Salesforce org is described in pipeledger.toml.

[sources.salesforce.crm]
base_url = "https://acme.my.salesforce.com"
client_id = "3MVG9..."
# client_secret from PIPELEDGER__SOURCES__SALESFORCE__CRM__CLIENT_SECRET or …_FILE
"""

from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.salesforce.objects import ALL_STREAMS

SHARED_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})


class SalesforceSettings(BaseModel):
    """One org, read as the user that its app runs as."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str
    """My Domain, e.g. https://acme.my.salesforce.com: tokens and data both come from there."""
    client_id: str = Field(min_length=1)
    """The consumer key of the connected or external client app."""
    client_secret: SecretStr | None = None
    username: str | None = None
    """With ``private_key``: the user whom the app acts for (JWT bearer)."""
    private_key: SecretStr | None = None
    """The PEM of the RSA key whose certificate the app holds."""
    refresh_token: SecretStr | None = None
    audience: str | None = None
    """Whom the assertion is for: login.salesforce.com, or test.salesforce.com for a sandbox."""
    ca_file: str | None = None
    """A private certificate authority; verification itself cannot be turned off."""
    api_version: str = Field(default="66.0", pattern=r"^\d{2,3}\.0$")
    streams: tuple[str, ...] = ()
    """Only these streams; all of them where it is empty."""
    bulk_rows: int = Field(default=50_000, ge=1)
    """From so many records on, a first load is a Bulk API job."""
    lookback_minutes: int = Field(default=10, ge=1)
    settle_minutes: int = Field(default=5, ge=0)
    """Answers lag behind commits: what is younger is left to the next run."""
    sweep_hours: int = Field(default=168, ge=0)
    """Compare all ids after so many hours, for what was purged; 0 is never."""
    formula_hours: int = Field(default=168, ge=0)
    """Read objects with formulas anew after so many hours: a formula moves no clock; 0 is
    never."""
    org_reserve: float = Field(default=0.2, ge=0, lt=1)
    """Share of the org's daily requests that is left to others."""
    daily_requests: int = Field(default=100_000, ge=1)
    """The org's requests in 24 hours, until its own answers tell."""

    @field_validator("base_url")
    @classmethod
    def _my_domain(cls, url: str) -> str:
        url = url.strip().rstrip("/")
        parts = urlsplit(url)
        if parts.hostname in SHARED_HOSTS:
            raise ValueError(
                f"{parts.hostname} belongs to no org; give My Domain, such as "
                "https://acme.my.salesforce.com (Setup > My Domain)"
            )
        if parts.path or parts.query or parts.fragment:
            raise ValueError(f"{url} has a path; give My Domain alone")
        return url

    @field_validator("streams")
    @classmethod
    def _known_streams(cls, streams: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [one for one in streams if one not in ALL_STREAMS]
        if unknown:
            known = ", ".join(ALL_STREAMS)
            raise ValueError(f"unknown stream {', '.join(unknown)}; known are {known}")
        return streams

    @model_validator(mode="after")
    def _one_grant(self) -> Self:
        if (self.username is None) != (self.private_key is None):
            raise ValueError("a signed assertion wants both `username` and `private_key`")
        if self.private_key is not None and self.refresh_token is not None:
            raise ValueError("give `private_key` or `refresh_token`, not both")
        if self.client_secret is None and self.private_key is None and self.refresh_token is None:
            raise ValueError(
                "give `client_secret` (client credentials), `username` and `private_key` "
                "(JWT bearer), or `refresh_token`"
            )
        return self

    def is_active(self, stream: str) -> bool:
        """Whether a stream is wanted."""
        return not self.streams or stream in self.streams

    @property
    def data_path(self) -> str:
        """Where the data of this version is."""
        return f"/services/data/v{self.api_version}"

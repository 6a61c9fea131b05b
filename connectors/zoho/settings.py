"""How a Zoho CRM is described in pipeledger.toml.

[sources.zoho.crm]
data_center = "eu"
client_id = "1000.ABC"
# client_secret and refresh_token from PIPELEDGER__SOURCES__ZOHO__CRM__CLIENT_SECRET,
# …__REFRESH_TOKEN, or the same with _FILE
"""

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connectors.base.transport import Origin, base_origin
from connectors.zoho.centres import CENTRES, DataCenter, is_loopback
from connectors.zoho.modules import ALL_STREAMS, BY_STREAM


class ZohoSettings(BaseModel):
    """One organisation, read by one user's grant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_center: DataCenter
    """Where the organisation lives, as in the address of its pages: crm.zoho.eu is ``eu``."""
    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    refresh_token: SecretStr
    """From the API console's grant; it does not expire until it is revoked."""
    base_url: str | None = None
    """An accounts server on this machine in place of the data centre's, for tests."""
    ca_file: str | None = None
    """A private certificate authority; verification itself cannot be turned off."""
    streams: tuple[str, ...] = ()
    """Only these streams; all of them where it is empty."""
    custom_fields: bool = True
    """Read every field that an administrator made."""
    exclude_fields: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Fields by stream that are not asked for, whoever made them."""
    custom_modules: tuple[str, ...] = ()
    """API names of an administrator's own modules, read into ``custom_records``."""
    daily_credits: int = Field(default=50_000, ge=100)
    """API credits of the edition in 24 hours: 5000 for Free, 50000 and more for the others."""
    daily_reserve: float = Field(default=0.2, ge=0, lt=1)
    """Share of the credits left for the organisation's other programs."""
    history_share: float = Field(default=0.5, gt=0, le=1)
    """Share of the credits that may go into what is asked for record by record."""
    concurrency: int = Field(default=4, ge=1, le=25)
    """Calls under way at once; Free allows 5, Standard 10, Professional 15, Enterprise 20."""
    lookback_minutes: int = Field(default=5, ge=1)
    """How long after its own Modified_Time a change may become visible."""
    settle_seconds: int = Field(default=60, ge=0)
    """What is younger than this is left to the next run."""
    sweep_hours: int = Field(default=168, ge=0)
    """Compare all ids after so many hours, for what vanished untold; 0 is never."""

    @field_validator("base_url")
    @classmethod
    def _this_machine(cls, url: str | None) -> str | None:
        if url is not None and not is_loopback(Origin.of(url)):
            raise ValueError("base_url is for this machine alone; set data_center instead")
        return None if url is None else url.rstrip("/")

    @field_validator("streams")
    @classmethod
    def _known_streams(cls, streams: tuple[str, ...]) -> tuple[str, ...]:
        _known(streams, ALL_STREAMS, "stream")
        return streams

    @field_validator("exclude_fields")
    @classmethod
    def _known_modules(cls, fields: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        _known(tuple(fields), tuple(BY_STREAM), "stream of records")
        return fields

    @property
    def accounts(self) -> str:
        """The address that gives tokens."""
        return self.base_url or f"https://{CENTRES[self.data_center].accounts}"

    @property
    def accounts_origin(self) -> Origin:
        """The origin of that address."""
        return base_origin(self.accounts)

    def is_active(self, stream: str) -> bool:
        """Whether a stream is wanted."""
        if stream == "custom_records" and not self.custom_modules:
            return False
        return not self.streams or stream in self.streams


def _known(given: tuple[str, ...], known: tuple[str, ...], what: str) -> None:
    unknown = [one for one in given if one not in known]
    if unknown:
        raise ValueError(f"unknown {what} {', '.join(unknown)}; known are {', '.join(known)}")

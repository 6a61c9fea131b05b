"""How a HubSpot account is described in pipeledger.toml.

[sources.hubspot.hubspot_eu]
# token from PIPELEDGER__SOURCES__HUBSPOT__HUBSPOT_EU__TOKEN or …__TOKEN_FILE
properties.deals = ["hs_mrr", "hs_arr"]
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.hubspot.objects import BY_NAME, OPTIONAL

OTHER_STREAMS = (
    "owners",
    "deal_pipelines",
    "lead_pipelines",
    "ticket_pipelines",
    "exchange_rates",
    "company_currency",
    "properties",
)
ALL_STREAMS = (*BY_NAME, "deal_associations", *OTHER_STREAMS)


class HubspotSettings(BaseModel):
    """One account: either a static token or the three parts of an OAuth app."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr | None = None
    """Of a private app, a static-auth app or a service key; they are used alike."""
    client_id: str | None = None
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    base_url: str = "https://api.hubapi.com"
    ca_file: str | None = None
    """A private certificate authority; verification itself cannot be turned off."""
    streams: tuple[str, ...] = ()
    """Only these streams; all of them but ``forecasts`` where it is empty."""
    properties: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Further properties by object type, also calculated ones and texts."""
    custom_properties: bool = True
    """Read every property that an administrator made, calculated ones left out."""
    exclude_properties: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Properties by object type that are not asked for, whoever made them."""
    daily_reserve: float = Field(default=0.1, ge=0, lt=1)
    """Share of the account's daily calls left for its other programs."""
    relist_days: int = Field(default=28, ge=0)
    """Read everything anew after so many days, for unmarked changes; 0 is never."""
    association_days: int = Field(default=7, ge=0)
    """Read associations anew after so many days, they change without a mark; 0 is never."""
    sweep_hours: int = Field(default=24, ge=0)
    """Compare all ids after so many hours, for records that vanished; 0 is never."""

    @field_validator("streams")
    @classmethod
    def _known_streams(cls, streams: tuple[str, ...]) -> tuple[str, ...]:
        _known(streams, ALL_STREAMS, "stream")
        return streams

    @field_validator("properties", "exclude_properties")
    @classmethod
    def _known_objects(cls, named: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        _known(tuple(named), tuple(BY_NAME), "object type")
        return named

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        oauth = (self.client_id, self.client_secret, self.refresh_token)
        given = sum(part is not None for part in oauth)
        if self.token is not None and given:
            raise ValueError("give either `token` or the OAuth app's three parts, not both")
        if self.token is None and given < len(oauth):
            raise ValueError(
                "give `token`, or all of `client_id`, `client_secret` and `refresh_token`"
            )
        return self

    def is_active(self, stream: str) -> bool:
        """Whether a stream is wanted."""
        return stream in self.streams if self.streams else stream not in OPTIONAL


def _known(given: tuple[str, ...], known: tuple[str, ...], what: str) -> None:
    unknown = [one for one in given if one not in known]
    if unknown:
        raise ValueError(f"unknown {what} {', '.join(unknown)}; known are {', '.join(known)}")

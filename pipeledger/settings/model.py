"""What pipeledger.toml may say. Every key is described in pipeledger.example.toml."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    field_validator,
    model_validator,
)

from connectors.base.stream import Connector
from pipeledger.calendar import Anchor, FiscalCalendar, FiscalPeriod, Pattern, fiscal_periods
from pipeledger.retention import Keep, keep_of
from pipeledger.settings.alerts import Alerts, ScheduledExport
from pipeledger.settings.dashboard import Dashboard
from pipeledger.settings.postgres import Serving
from pipeledger.settings.section import Domain, Section

VERSION: Final = 1
"""Version of the settings' keys; a file of another one is refused with how to mend it."""


def currency_code(code: str) -> str:
    """The code itself; ValueError, with a hint, if ISO 4217 has no such currency."""
    from iso4217 import Currency

    try:
        Currency(code)
    except ValueError:
        known = code.upper()
        near = f", did you mean {known}?" if known != code and _is_currency(known) else ""
        raise ValueError(f"{code!r} is no ISO 4217 currency code{near}") from None
    return code


def _is_currency(code: str) -> bool:
    from iso4217 import Currency

    return code in {currency.code for currency in Currency}


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no IANA time zone, such as Europe/Berlin") from error
    return name


def _cron(text: str) -> str:
    from croniter import croniter

    if not croniter.is_valid(text):
        raise ValueError(f"{text!r} is no cron expression, such as '5 * * * *'")
    return text


CurrencyCode = Annotated[str, AfterValidator(currency_code)]
Zone = Annotated[str, AfterValidator(_zone)]
Cron = Annotated[str, AfterValidator(_cron)]
Retained = Annotated[Keep, PlainValidator(keep_of), PlainSerializer(str)]


class CustomPeriod(Section):
    """A period of a company whose year follows no rule."""

    key: str
    grain: Literal["year", "quarter", "month", "week"]
    start: date
    end: date
    fiscal_year: int
    fiscal_quarter: int | None = None
    fiscal_month: int | None = None

    def period(self) -> FiscalPeriod:
        """The same as a value of the calendar."""
        return FiscalPeriod(
            self.key,
            self.grain,
            self.key,
            self.start,
            self.end,
            self.fiscal_year,
            self.fiscal_quarter,
            self.fiscal_month,
            is_53rd_week_year=False,
        )


class FiscalYear(Section):
    """[company.fiscal_year]."""

    pattern: Pattern = "months"
    start_month: int = 1
    named_by: Literal["end", "start"] = "end"
    anchor: Anchor = "ends_on_last"
    anchor_month: int = 1
    weekday: int = 5
    week_starts_on: int = 0
    periods: tuple[CustomPeriod, ...] = ()

    @model_validator(mode="after")
    def _partitioned(self) -> Self:
        calendar = self.calendar()
        if self.periods:
            first = min(period.start for period in self.periods)
            fiscal_periods(calendar, first, max(period.end for period in self.periods))
        return self

    def calendar(self) -> FiscalCalendar:
        """The calendar as a value; CalendarError (a ValueError) if it is not sound."""
        return FiscalCalendar(
            self.pattern,
            self.start_month,
            self.named_by,
            self.anchor,
            self.anchor_month,
            self.weekday,
            self.week_starts_on,
            tuple(period.period() for period in self.periods),
        )


class BusinessHours(Section):
    """[company.business_hours]: the hours of a business day in which somebody answers."""

    opens: time = time(9)
    closes: time = time(17)

    @model_validator(mode="after")
    def _open_for_a_while(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("business_hours: `closes` comes after `opens`, on the same day")
        return self


class Company(Section):
    """[company]."""

    name: str = "My company"
    reporting_currency: CurrencyCode = "EUR"
    time_zone: Zone = "UTC"
    own_domains: tuple[Domain, ...] = ()
    holidays: dict[str, date] = Field(default_factory=dict)
    business_hours: BusinessHours = BusinessHours()
    fiscal_year: FiscalYear = FiscalYear()


class Paths(Section):
    """[paths]; relative ones count from the settings file."""

    landing: str = "data/landing"
    warehouse: Path = Path("data/warehouse")
    serving: Path = Path("data/serving")
    state: Path = Path("data/state")

    @field_validator("landing")
    @classmethod
    def _folder(cls, landing: str) -> str:
        """Refuse object storage: a build could not read what a sync had written there."""
        if "://" in landing:
            raise ValueError(
                f"{landing} is no folder. Landing on object storage is not supported: a build "
                "reads landing with DuckDB, whose reader for it is no part of its package. Give "
                "a folder, and copy that to the object store after a run"
            )
        return landing


class StageRule(Section):
    """[[stages]]: what a stage means; overrides the vendor's own word."""

    connection: str
    stage_id: str
    pipeline_id: str = "default"
    name: str | None = None
    order: int | None = Field(default=None, ge=1)
    type: Literal["open", "won", "lost"] | None = None
    probability: Decimal | None = Field(default=None, ge=0, le=1)
    forecast_category: (
        Literal["omitted", "pipeline", "best_case", "most_likely", "commit", "closed"] | None
    ) = None
    rotten_days: int | None = Field(default=None, ge=1)


class PipelineRule(Section):
    """[[pipelines]]."""

    connection: str
    pipeline_id: str = "default"
    name: str | None = None
    measure: str | None = None
    is_excluded: bool = False
    first_qualified_stage_id: str | None = None
    teams: tuple[str, ...] = ()


class Exclusion(Section):
    """[[deals.exclude]]: deals that are no business (tests, demos)."""

    field: Literal["name", "owner_id", "pipeline_id", "stage_id", "source_channel"]
    pattern: str


class Duplicate(Section):
    """[[deals.duplicates]]: a person says that two deals are one."""

    deal: str
    duplicate_of: str


class Deals(Section):
    """[deals]."""

    loss_reasons_excluded: tuple[str, ...] = ()
    exclude: tuple[Exclusion, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()


class Superseded(Section):
    """[[billing.superseded]]: what two billing systems hold counts in one of them.

    Either one invoice by its key, or a connection: those of its invoices that the other one
    holds under the same number, in the same currency and of the same gross amount.
    """

    invoice: str | None = None
    connection: str | None = None
    by: str
    """The invoice's key, or the connection, that counts."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "Superseded":
        if (self.invoice is None) == (self.connection is None):
            raise ValueError("give either `invoice` or `connection`")
        return self


class Billing(Section):
    """[billing]."""

    superseded: tuple[Superseded, ...] = ()


class Thresholds(Section):
    """[thresholds]: limits of flags and links; each is a variable of the dbt models."""

    rotten_days: int = Field(default=30, ge=1)
    no_touch_days: int = Field(default=14, ge=1)
    ghost_outbound_n: int = Field(default=2, ge=1)
    ghost_days: int = Field(default=7, ge=1)
    min_stay_seconds: int = Field(default=60, ge=0)
    collapse_same_day: bool = True
    push_grain: Literal["month", "quarter", "year"] = "quarter"
    cohort_window_days: int | None = Field(default=None, ge=1)
    fx_fill_days: int = Field(default=7, ge=0)
    invoice_grace_days: int = Field(default=30, ge=0)
    payment_terms_days: int = Field(default=30, ge=0)
    recon_tolerance_pct: Decimal = Field(default=Decimal("0.005"), ge=0, le=1)
    recon_tolerance_units: Decimal = Field(default=Decimal("1.00"), ge=0)
    link_days_before: int = Field(default=30, ge=0)
    link_days_after: int = Field(default=90, ge=0)
    bulk_edit_n: int = Field(default=20, ge=1)
    bulk_edit_seconds: int = Field(default=60, ge=1)
    history_months: int = Field(default=36, ge=1)
    opening_grace_days: int = Field(default=0, ge=0)
    slip_window_share: float = Field(default=0.1666667, gt=0, le=1)
    movement_counts_omitted: bool = False
    daily_days_after_close: int = Field(default=90, ge=0)


class Attribution(Section):
    """[attribution]: which touches share the money of a won deal, and how fast they fade."""

    touches: tuple[Literal["lead", "deal", "meeting", "call", "email"], ...] = (
        *("lead", "deal", "meeting", "call", "email"),
    )
    half_life_days: int = Field(default=7, ge=1)

    @field_validator("touches")
    @classmethod
    def _some_and_each_once(cls, touches: tuple[str, ...]) -> tuple[str, ...]:
        if not touches:
            raise ValueError("name at least one kind of touch, or leave the key out for all")
        return tuple(dict.fromkeys(touches))


class Reps(Section):
    """[reps]: how sellers are compared."""

    privacy_k: int = Field(default=0, ge=0)
    """Teams in place of people, none of fewer than so many; 0 compares people."""


class SourceSchedule(Section):
    """[schedule.sources.<source>]: what differs for one source."""

    cron: Cron | None = None
    """Times of its own at which the source is synced; the refresh then leaves it out."""
    time_zone: Zone | None = None
    stale_after_hours: int | None = Field(default=None, ge=1)


class Schedule(Section):
    """[schedule]: when Dagster refreshes everything, and what counts as stale."""

    cron: Cron = "5 * * * *"
    time_zone: Zone = "UTC"
    stale_after_hours: int = Field(default=3, ge=1)
    sources: dict[str, SourceSchedule] = Field(default_factory=dict)

    def stale_hours(self, source: str) -> int:
        """Hours without a complete sync after which a stream of the source is stale."""
        own = self.sources.get(source)
        if own is None or own.stale_after_hours is None:
            return self.stale_after_hours
        return own.stale_after_hours

    def own_times(self, source: str) -> tuple[str, str] | None:
        """Cron expression and time zone of the source, None where the refresh syncs it."""
        own = self.sources.get(source)
        if own is None or own.cron is None:
            return None
        return own.cron, own.time_zone or self.time_zone


@dataclass(frozen=True, slots=True)
class Connection:
    """One configured source instance: its connector and its validated settings."""

    name: str
    source: str
    connector: Connector
    settings: Any
    home_currency: str | None


class Settings(Section):
    """All settings; connections are validated by their connector's own model."""

    version: Literal[1] = VERSION
    clock: datetime | None = None
    company: Company = Company()
    paths: Paths = Paths()
    deals: Deals = Deals()
    billing: Billing = Billing()
    stages: tuple[StageRule, ...] = ()
    pipelines: tuple[PipelineRule, ...] = ()
    thresholds: Thresholds = Thresholds()
    attribution: Attribution = Attribution()
    reps: Reps = Reps()
    schedule: Schedule = Schedule()
    serving: Serving = Serving()
    retention: dict[str, dict[str, Retained]] = Field(default_factory=dict)
    """How long records of a stream are kept, by source and stream; all else for ever."""
    alerts: Alerts = Alerts()
    exports: tuple[ScheduledExport, ...] = ()
    dashboard: Dashboard = Dashboard()
    connections: tuple[Connection, ...] = ()

    @field_validator("clock")
    @classmethod
    def _instant(cls, clock: datetime | None) -> datetime | None:
        if clock is not None and clock.tzinfo is None:
            raise ValueError("an instant needs its offset, such as 2026-10-15T06:00:00Z")
        return clock

    def sources(self) -> list[str]:
        """The configured sources, sorted."""
        return sorted({connection.source for connection in self.connections})

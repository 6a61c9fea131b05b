"""Whatever happens to deals, each is in one stage at a time, and every stage's flow adds up.

Each example fills the inputs of the empty company with a random history of deals and runs the
very SQL that dbt compiled. What must come out is counted here from the history itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dbt.empty import EmptyCompany, Models

pytestmark = [
    *(pytest.mark.slow, pytest.mark.timeout(900)),
    pytest.mark.xdist_group("empty"),  # one warehouse for all of them
]

CHAIN = (
    "marts/fct_deal_stage",
    "intermediate/int_funnel_steps",
    "intermediate/int_won_cycles",
    "marts/mart_funnel_cohort",
    "marts/mart_funnel_flow",
)
"""Tables rebuilt for each example, each after those it reads; views need not be."""

START = datetime(2026, 2, 2, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
QUARTERS = (
    ("FY2027-Q1", date(2026, 2, 1), date(2026, 4, 30)),
    ("FY2027-Q2", date(2026, 5, 1), date(2026, 7, 31)),
    ("FY2027-Q3", date(2026, 8, 1), date(2026, 10, 31)),
)
STAGES = {
    f"{pipeline}:{place}": (pipeline, kind, order)
    for pipeline in ("p", "q")
    for order, (place, kind) in enumerate(
        [("1", "open"), ("2", "open"), ("3", "open"), ("won", "won"), ("lost", "lost")], start=1
    )
}
ENTRIES = ("forward", "backward", "reopened", "other_pipeline")
EXITS = ("forward", "backward", "won", "lost", "other")


@dataclass(frozen=True)
class Step:
    """What happens to a deal, so many seconds after the step before."""

    seconds: int
    what: str


@dataclass(frozen=True)
class Deal:
    """A deal from its first stage on; ``amounts`` are taken up one a step."""

    first: str
    steps: tuple[Step, ...]
    amounts: tuple[Decimal | None, ...]
    is_excluded: bool


@dataclass(frozen=True)
class Version:
    """A deal from an instant on; ``stage`` None while it is deleted or merged away."""

    at: datetime
    stage: str
    amount: Decimal | None
    is_deleted: bool = False
    is_merged: bool = False

    @property
    def seat(self) -> str | None:
        """The stage that the deal is in."""
        return None if self.is_deleted or self.is_merged else self.stage


@dataclass(frozen=True)
class Stay:
    """A deal in a stage, as the history itself tells it."""

    deal: str
    stage: str
    entered: datetime
    exited: datetime | None
    amount: Decimal | None


Flows: TypeAlias = dict[tuple[str, str], tuple[int, Decimal, int, int, int, Decimal]]
"""(period, stage): number and worth at the start, entries, exits, number and worth at the end."""

actions = st.one_of(
    st.sampled_from(sorted(STAGES)), st.sampled_from(["delete", "restore", "merge", "edit"])
)
# A flicker, a few hours, a few weeks.
gaps = st.one_of(st.integers(1, 90), st.integers(3_600, 90_000), st.integers(1, 30 * 86_400))
histories = st.lists(
    st.builds(
        Deal,
        first=st.sampled_from(sorted(STAGES)),
        steps=st.lists(st.builds(Step, seconds=gaps, what=actions), max_size=8).map(tuple),
        amounts=st.lists(
            st.none() | st.integers(-50_000, 500_000).map(lambda cents: Decimal(cents) / 100),
            min_size=9,
            max_size=9,
        ).map(tuple),
        is_excluded=st.sampled_from([False, False, False, True]),
    ),
    min_size=1,
    max_size=6,
)


def versions_of(deal: Deal) -> list[Version]:
    """The deal's states, each from its instant on."""
    now = Version(START, deal.first, deal.amounts[0])
    found = [now]
    for step, amount in zip(deal.steps, deal.amounts[1:], strict=False):
        if now.is_merged:
            break
        stage = step.what if step.what in STAGES else now.stage
        now = Version(
            now.at + timedelta(seconds=step.seconds),
            stage,
            amount,
            is_deleted={"delete": True, "restore": False}.get(step.what, now.is_deleted),
            is_merged=step.what == "merge",
        )
        found.append(now)
    return found


def stays_of(key: str, versions: list[Version]) -> list[Stay]:
    """Versions in one stage on end are one stay."""
    found: list[Stay] = []
    seat = None
    for version in versions:
        if version.seat == seat:
            continue
        if seat is not None:
            last = found[-1]
            found[-1] = Stay(last.deal, last.stage, last.entered, version.at, last.amount)
        if version.seat is not None:
            found.append(Stay(key, version.seat, version.at, None, version.amount))
        seat = version.seat
    return found


@pytest.fixture(scope="module")
def funnel(
    empty_company: EmptyCompany, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Models]:
    """An empty warehouse with a calendar, two pipelines and one currency."""
    with empty_company.models(tmp_path_factory.mktemp("funnel"), CHAIN) as models:
        for key, start, end in QUARTERS:
            common = {"period_key": key, "grain": "quarter", "start_date": start, "end_date": end}
            models.insert("marts.dim_fiscal_period", **common)
            models.db.execute(
                "INSERT INTO marts.dim_date (date, quarter_period_key) SELECT day::date, ?"
                " FROM generate_series(?::date, ?::date, INTERVAL 1 DAY) AS days (day)",
                [key, start, end],
            )
        models.db.execute("DELETE FROM marts.fct_fx_rate")
        models.db.execute(
            "INSERT INTO marts.fct_fx_rate (currency_code, rate_type, rate_date, rate_to_rc)"
            " SELECT 'EUR', 'spot', date, 1 FROM marts.dim_date"
        )
        for stage, (pipeline, kind, order) in STAGES.items():
            models.insert(
                "marts.dim_stage",
                stage_key=stage,
                pipeline_key=pipeline,
                stage_name=stage,
                stage_type=kind,
                stage_order=order,
                is_current=True,
                is_first_version=True,
                is_deleted=False,
                valid_from="1970-01-01 00:00:00+00",
            )
        for pipeline in ("p", "q"):
            models.insert("marts.dim_pipeline", pipeline_key=pipeline)
        yield models


def fill(models: Models, deals: list[Deal]) -> tuple[list[Stay], set[str]]:
    """Write the histories; return every stay that must be found, and which deals count."""
    for table in ("marts.fct_deal", "marts.fct_deal_version"):
        models.db.execute(f"DELETE FROM {table}")
    stays: list[Stay] = []
    counted: set[str] = set()
    for place, deal in enumerate(deals):
        key = f"d:{place}"
        versions = versions_of(deal)
        stays += stays_of(key, versions)
        if not deal.is_excluded or versions[-1].is_merged:
            counted.add(key)
        for number, version in enumerate(versions, start=1):
            pipeline, kind, _ = STAGES[version.stage]
            models.insert(
                "marts.fct_deal_version",
                deal_key=key,
                survivor_deal_key="d:survivor" if versions[-1].is_merged else key,
                pipeline_key=pipeline,
                stage_key=version.stage,
                stage_type=kind,
                status=kind,
                currency_code="EUR",
                amount_amt=version.amount,
                change_precision="exact",
                stage_change_precision="exact",
                version_no=number,
                is_current=number == len(versions),
                is_deleted=version.is_deleted,
                is_merged_away=version.is_merged,
                valid_from=version.at,
                valid_to=versions[number].at if number < len(versions) else None,
            )
        last = versions[-1]
        if last.is_merged:
            continue
        pipeline, kind, _ = STAGES[last.stage]
        models.insert(
            "marts.fct_deal",
            deal_key=key,
            pipeline_key=pipeline,
            status=kind,
            won_at=stays[-1].entered if kind == "won" and last.seat else None,
            created_at=START,
            is_deleted=last.is_deleted,
            is_excluded=deal.is_excluded,
        )
    return stays, counted


def flow_of(
    stays: list[Stay],
) -> dict[tuple[str, str], tuple[int, Decimal, int, int, int, Decimal]]:
    """The flow of every stage that a deal ever was in."""
    found: Flows = {}
    for period, start, end in QUARTERS:
        for stage, (_, kind, _) in STAGES.items():
            here = [
                (
                    one.entered.astimezone(BERLIN).date(),
                    one.exited.astimezone(BERLIN).date() if one.exited else date.max,
                    one.amount or Decimal(0),
                )
                for one in stays
                if one.stage == stage
            ]
            if kind != "open" or not any(entered <= end for entered, _, _ in here):
                continue
            before = [worth for entered, exited, worth in here if entered < start <= exited]
            after = [worth for entered, exited, worth in here if entered <= end < exited]
            found[period, stage] = (
                *(len(before), sum(before, Decimal(0))),
                sum(start <= entered <= end for entered, _, _ in here),
                sum(start <= exited <= end for _, exited, _ in here),
                *(len(after), sum(after, Decimal(0))),
            )
    return found


@settings(
    max_examples=25,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deals=histories)
def test_every_deal_has_one_place_and_every_stage_adds_up(
    funnel: Models, deals: list[Deal]
) -> None:
    """A deal in two stages is counted twice, one in none is lost; both hide in a grand total."""
    stays, counted = fill(funnel, deals)

    funnel.rebuild()

    found = funnel.db.execute(
        "SELECT deal_key, stage_key, entered_at, exited_at, amount_at_entry_rc"
        " FROM marts.fct_deal_stage ORDER BY deal_key, entered_at"
    ).fetchall()
    assert [(s.deal, s.stage, s.entered, s.exited, s.amount) for s in stays] == found

    entered = " + ".join(f"entered_{kind}_n" for kind in ENTRIES)
    exited = " + ".join(f"exited_{kind}_n" for kind in EXITS)
    flows = funnel.db.execute(
        f"SELECT period_key, stage_key, open_at_start_n, open_at_start_rc, {entered}, {exited},"
        " open_at_end_n, open_at_end_rc FROM marts.mart_funnel_flow"
    ).fetchall()
    assert flow_of([s for s in stays if s.deal in counted]) == {row[:2]: row[2:] for row in flows}

    unbalanced = funnel.db.execute(
        "SELECT funnel_flow_key FROM marts.mart_funnel_flow WHERE open_at_start_rc + "
        + (entered + " - (" + exited + ")").replace("_n", "_rc")
        + " <> open_at_end_rc"
    ).fetchall()
    assert [] == unbalanced

    grown = funnel.db.execute(
        "SELECT * FROM marts.mart_funnel_cohort AS one JOIN marts.mart_funnel_cohort AS next"
        " USING (pipeline_key, cohort_period_key, basis, segment_type, segment, method)"
        " WHERE next.stage_order = one.stage_order + 1 AND method IN ('reached', 'strict')"
        " AND (next.n_reached > one.n_reached OR next.n_reached_to_date > one.n_reached_to_date)"
    ).fetchall()
    assert [] == grown

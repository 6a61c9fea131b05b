"""Whatever is entered into a table of rates, what was known of a past day stays known.

Each example fills the rates of the empty company with a random history (late entries, corrections,
withdrawals, providers connected later) and runs the very SQL that dbt compiled.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dbt.empty import EmptyCompany, Models

pytestmark = [
    *(pytest.mark.slow, pytest.mark.timeout(900)),
    pytest.mark.xdist_group("empty"),  # one warehouse for all of them
]

FIRST = date(2026, 9, 21)
TODAY = date(2026, 10, 15)
FILL_DAYS = 7
PROVIDERS = ("plan", "bank", "crm")
"""By preference. The CRM's rates hold until its next entry."""

days = st.integers(0, (TODAY - FIRST).days).map(lambda n: FIRST + timedelta(n))
Known = dict[date, tuple[Decimal, str]]
"""Rate and landed version of each day."""


@dataclass(frozen=True)
class Entry:
    """What a source showed of a rate on a day: ``rate`` None once it is withdrawn."""

    provider: int
    record: int
    effective: date
    seen: date
    rate: Decimal | None


entries = st.builds(
    Entry,
    provider=st.integers(0, 2),
    record=st.integers(0, 3),
    effective=days,
    seen=days,
    rate=st.none() | st.integers(700, 999).map(lambda n: Decimal(n) / 1_000),
)
histories = st.lists(entries, min_size=1, max_size=14)
examples = settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def rates(
    empty_company: EmptyCompany, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Models]:
    """A copy of the empty warehouse, and the compiled SQL of each model of rates."""
    names = [f"intermediate/int_fx_rates_{name}" for name in ("current", "daily", "known")]
    with empty_company.models(tmp_path_factory.mktemp("fx"), names) as models:
        yield models


def known(models: Models, history: list[Entry]) -> tuple[Known, Known]:
    """What the models say of the dollar: as known, and by the newest table."""
    models.db.execute("DELETE FROM intermediate.int_fx_rates_unioned")
    for number, entry in enumerate(sorted(history, key=lambda one: one.seen)):
        is_deleted = entry.rate is None
        models.insert(
            "intermediate.int_fx_rates_unioned",
            fx_rate_key=f"{entry.provider}:{entry.record}",
            raw_version_id=str(number),
            source_system=PROVIDERS[entry.provider],
            preference=entry.provider,
            rate_type=None if is_deleted else "spot",
            currency_code=None if is_deleted else "USD",
            pivot_currency_code=None if is_deleted else "EUR",
            rate_to_pivot=entry.rate,
            is_open_ended=entry.provider == 2,
            is_deleted=is_deleted,
            effective_date=None if is_deleted else entry.effective,
            observed_at=datetime.combine(entry.seen, time(12), UTC),
            sync_id=f"{number:03}",
            position=number,
        )
    models.rebuild()
    told = [
        {
            day: (rate, version)
            for day, rate, version in models.db.execute(
                f"SELECT rate_date, rate_to_rc, raw_version_id FROM intermediate.{model}"
            ).fetchall()
        }
        for model in ("int_fx_rates_known", "int_fx_rates_daily")
    ]
    return told[0], told[1]


def expected(history: list[Entry]) -> Known:
    """The table read day by day, as a person would who looks each evening."""
    ordered = sorted(history, key=lambda one: one.seen)
    found: Known = {}
    for evening in (FIRST + timedelta(n) for n in range((TODAY - FIRST).days + 1)):
        table = {
            (entry.provider, entry.record): (number, entry)
            for number, entry in enumerate(ordered)
            if entry.seen <= evening
        }
        for day in (FIRST + timedelta(n) for n in range((evening - FIRST).days + 1)):
            for provider in range(len(PROVIDERS)):
                held = [
                    (entry.effective, number, entry.rate)
                    for number, entry in table.values()
                    if entry.provider == provider
                    and entry.rate is not None
                    and entry.effective <= day
                ]
                if held and day not in found:
                    effective, number, rate = max(held, key=lambda one: one[:2])
                    if provider == 2 or day <= effective + timedelta(FILL_DAYS):
                        found[day] = (rate, str(number))
    return found


@examples
@given(history=histories)
def test_a_day_has_the_rate_that_was_known_on_its_evening(
    rates: Models, history: list[Entry]
) -> None:
    """Or else the first that became known for it."""
    as_known, _ = known(rates, history)

    assert expected(history) == as_known


@examples
@given(history=histories, until=days)
def test_no_later_entry_changes_what_was_known(
    rates: Models, history: list[Entry], until: date
) -> None:
    """Of the days up to any evening, all that was known then is known at the end."""
    at_the_end, _ = known(rates, history)

    that_evening, _ = known(rates, [entry for entry in history if entry.seen <= until])

    past = {day: rate for day, rate in that_evening.items() if day <= until}
    assert past == {day: rate for day, rate in at_the_end.items() if day in past}


@examples
@given(history=histories)
def test_what_one_first_sync_brought_is_known_as_it_stands(
    rates: Models, history: list[Entry]
) -> None:
    """A company that connects today has one table, whichever way it is read."""
    at_once = [
        Entry(one.provider, one.record, one.effective, TODAY, one.rate)
        for one in {(one.provider, one.record): one for one in history}.values()
    ]

    as_known, newest = known(rates, at_once)

    assert newest == as_known

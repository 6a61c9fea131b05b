"""What is said of past quarters is what the deals of the company were at those instants."""

from decimal import Decimal

import pytest

from sandbox.company.clock import midnight
from sandbox.company.truth_forecast import Call, HandIn, count_calls, count_hand_ins, cuts_of
from tests.e2e.road import Road, differences, keyed

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("company"), pytest.mark.timeout(900)),
]

CALLS = ("commit", "most_likely", "best_case", "pipeline_all", "crm_weighted")


@pytest.fixture(scope="module")
def calls(road: Road) -> dict[tuple[str, str, Decimal], Call]:
    """(company or user, quarter, share of it) -> what stood there."""
    return count_calls(road.company.world)


@pytest.fixture(scope="module")
def hand_ins(road: Road) -> dict[tuple[str, str, str, int], HandIn]:
    """(team, quarter, category, instant) -> what was said by the manager and by the deals."""
    return count_hand_ins(road.company.world)


def test_forecasts_of_every_closed_quarter_are_what_the_deals_were_then(
    road: Road, calls: dict[tuple[str, str, Decimal], Call]
) -> None:
    """Eleven quarters at six shares, company and people: no deal counts by what it became."""
    expected = {
        (*key, method): (said, call.won, call.open_count)
        for key, call in calls.items()
        for method, said in zip(CALLS, call.said, strict=True)
        if said or call.open_count
    }

    found = road.rows(
        "select scope_key, period_key, rel_day_bucket, method, forecast_rc, won_to_date_rc, n_open "
        "from marts.mart_forecast where not is_now and period_grain = 'quarter' "
        f"and scope_type in ('company', 'user') and method in {CALLS} "
        "and (forecast_rc <> 0 or n_open > 0)"
    )

    assert 11 == len({key[1] for key in expected})
    assert [] == differences(expected, keyed(found, keys=4))


def test_the_outcome_of_a_quarter_is_what_was_won_five_days_after_its_end(
    road: Road, calls: dict[tuple[str, str, Decimal], Call]
) -> None:
    """A deal taken up again in the next quarter does not make the forecast of then wrong."""
    expected = {key[:2]: (call.actual,) for key, call in calls.items() if call.actual}

    found = road.rows(
        "select distinct scope_key, period_key, actual_rc from marts.mart_forecast_accuracy "
        "where scope_type in ('company', 'user') and method = 'commit' and actual_rc <> 0"
    )

    assert [] == differences(expected, keyed(found, keys=2))


def test_what_was_handed_in_stands_beside_what_the_teams_deals_said(
    road: Road, hand_ins: dict[tuple[str, str, str, int], HandIn]
) -> None:
    """Every manager's number of three years, and the difference that the manager answers for."""
    expected = {
        key: (said.amount, said.home, said.system, said.home - said.system)
        for key, said in hand_ins.items()
    }

    found = road.rows(
        "select scope_key, period_key, category, epoch_ms(submitted_at), "
        "forecast_amt, forecast_rc, system_rc, adjustment_rc "
        "from marts.fct_forecast_submission where scope_type = 'team'"
    )

    assert 200 < len(expected)
    assert [] == differences(expected, keyed(found, keys=4))


def test_the_managers_forecast_is_the_newest_of_each_team(
    road: Road, hand_ins: dict[tuple[str, str, str, int], HandIn]
) -> None:
    """Said before the point: the one handed in last, of each team its commit."""
    expected: dict[tuple[str, str, Decimal], tuple[Decimal]] = {}
    for period, share, day in cuts_of(road.company.world):
        newest: dict[str, tuple[int, Decimal]] = {}
        for (team, quarter, category, at), said in hand_ins.items():
            if quarter == period and category == "commit" and at < midnight(day):
                newest[team] = max(newest.get(team, (0, Decimal(0))), (at, said.home))
        for team, (_, home) in newest.items():
            expected[team, period, share] = (home,)
        if newest:
            total = sum((home for _, home in newest.values()), Decimal(0))
            expected["company", period, share] = (total,)

    found = road.rows(
        "select scope_key, period_key, rel_day_bucket, forecast_rc from marts.mart_forecast "
        "where not is_now and period_grain = 'quarter' and method = 'submission' "
        "and scope_type in ('company', 'team') and forecast_rc is not null"
    )

    assert [] == differences(expected, keyed(found, keys=3))


def test_the_forecast_of_today_is_the_gaps(road: Road) -> None:
    """One number for what is won, open and weighted, on whichever page one looks."""
    found = road.rows(
        "select gap.quota_gap_key, said.method, said.forecast_rc from marts.mart_quota_gap as gap "
        "left join marts.mart_forecast as said using (scope_type, scope_key, period_key, measure) "
        "where said.is_now and gap.credit_type = 'revenue' and said.forecast_rc is distinct from "
        "case method when 'pipeline_all' then gap.won_rc + gap.open_pipeline_rc "
        "when 'crm_weighted' then gap.projected_rc else said.forecast_rc end"
    )
    counted = road.rows(
        "select count(*) from marts.mart_quota_gap as gap "
        "anti join marts.mart_forecast as said using (scope_type, scope_key, period_key, measure) "
        "where gap.credit_type = 'revenue' and not gap.is_closed_period "
        "and (gap.n_won > 0 or gap.n_open > 0)"
    )

    assert [] == found
    assert [(0,)] == counted


def test_the_screen_shows_what_the_gap_and_the_forecast_say(road: Road) -> None:
    """Whichever filter is set, the reporting currency at deal rates is the number of the others."""
    shown = (
        "from marts.mart_forecast_quota where forecast_type = 'amount' "
        "and currency_basis = 'deal_rate'"
    )
    keys = "(scope_type, scope_key, period_key, measure, credit_type)"
    found = road.rows(
        "select gap.quota_gap_key from marts.mart_quota_gap as gap "
        f"left join (select * {shown}) as screen using {keys} "
        "where (gap.quota_rc, gap.won_rc, gap.open_pipeline_rc, gap.weighted_rc) is distinct from "
        "(screen.quota_value, screen.won_value, screen.open_value, screen.weighted_value) "
        "union all select said.forecast_key from marts.mart_forecast as said "
        f"left join (select * {shown} and credit_type = 'revenue') as screen "
        "using (scope_type, scope_key, period_key, measure) where said.is_now "
        "and said.forecast_rc is distinct from case said.method when 'commit' then commit_value "
        "when 'most_likely' then most_likely_value when 'best_case' then best_case_value "
        "when 'pipeline_all' then pipeline_all_value else said.forecast_rc end"
    )
    months = road.rows(
        "select scope_type, scope_key, measure, credit_type, forecast_type, currency_basis, unit, "
        "period_start_date, sum(won_value) filter (where period_grain = 'month') "
        "- sum(won_value) filter (where period_grain = 'quarter') as difference "
        "from (select * exclude (period_start_date), fiscal_quarter as period_start_date "
        "from marts.mart_forecast_quota join marts.dim_fiscal_period using (period_key) "
        "where currency_basis <> 'constant_rate' and period_grain <> 'year') "
        "group by all having difference <> 0"
    )
    types = road.rows(
        "select count(distinct forecast_type) from marts.mart_forecast_quota where won_value > 0"
    )

    assert [] == found
    assert [] == months
    assert [(5,)] == types


def test_what_was_learned_says_more_of_the_outcome_than_the_stages_probability(road: Road) -> None:
    """Over three years, of deals that the learner had not seen."""
    found = dict(
        road.rows(
            "select model, sum(n * brier) / sum(n) from marts.mart_probability_calibration "
            "group by model"
        )
    )

    assert found["learned"] < found["crm"] < Decimal("0.3")

"""The pipeline of every quarter, as it opened and as it moved, equals the company's own history."""

from decimal import Decimal

import pytest

from sandbox.company.clock import business_date, midnight, quarter, quarter_bounds, quarters
from sandbox.company.model import World
from sandbox.company.money import HOME, rounded
from sandbox.company.pipelines import STAGES
from tests.e2e.road import Road, differences, keyed

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("company"), pytest.mark.timeout(900)),
]


def openings(world: World) -> dict[str, tuple[Decimal, int]]:
    """Worth and number of the deals that were open and due in it when each quarter began."""
    found: dict[str, tuple[Decimal, int]] = {}
    last = business_date(world.today)
    first = min(business_date(deal.created) for deal in world.deals)
    for key in quarters(first, last):
        start, end = quarter_bounds(key)
        moment = midnight(start) - 1
        eve = business_date(moment)
        for deal in world.deals:
            due = deal.at(deal.closes, moment)
            if (
                deal.created <= moment
                and not (deal.archived_at and deal.archived_at <= moment)
                and STAGES[deal.at(deal.stages, moment)].kind == "open"
                and due is not None
                and start <= business_date(due) <= end
            ):
                currency = deal.at(deal.currencies, moment) or HOME
                amount = deal.at(deal.amounts, moment) or Decimal(0)
                worth = rounded(amount * world.rates.on(currency, eve), HOME)
                total, number = found.get(key, (Decimal(0), 0))
                found[key] = (total + worth, number + 1)
    return found


def test_the_pipeline_that_each_quarter_began_with_is_what_was_due_in_it(road: Road) -> None:
    """A snapshot that nobody took: it is told from the deals' histories, years later."""
    found = road.rows(
        "select period_key, sum(amount_rc), sum(n_events)::bigint "
        "from marts.mart_pipeline_movement where basis = 'restated' and scope_type = 'company' "
        "and window_type = 'period' and period_grain = 'quarter' and ledger = 'pipeline' "
        "and movement_view = 'path' and reason = 'start' group by all having sum(n_events) > 0"
    )

    expected = openings(road.company.world)
    first = min(key for key, *_ in found)
    assert 8 < len(found)
    assert [] == differences(
        {key: row for key, row in expected.items() if key >= first}, keyed(found)
    )


def test_every_bridge_closes_on_every_scope_and_axis(road: Road) -> None:
    """A waterfall with a rest is a waterfall that nobody believes."""
    found = road.rows(
        "select basis, scope_type, count(*), sum(abs(residual_rc)) "
        "from marts.mart_pipeline_movement where reason = 'end' group by all"
    )

    assert {
        (basis, scope)
        for basis in ("restated", "as_known")
        for scope in ("company", "owner", "team", "pipeline", "source_channel")
    } == {(basis, scope) for basis, scope, _, _ in found}
    assert {Decimal(0)} == {residual for *_, residual in found}


@pytest.mark.parametrize("scope", ["company", "owner", "team"])
def test_bookings_end_where_the_quota_gap_says(road: Road, scope: str) -> None:
    """One company, one number of what was won: nobody's credit is split here."""
    gaps = road.rows(
        "select period_key, scope_key, measure, won_rc from marts.mart_quota_gap "
        f"where scope_type = '{'user' if scope == 'owner' else scope}' and won_rc <> 0 "
        "and credit_type = 'revenue' and period_grain = 'quarter'"
    )
    ends = road.rows(
        "select period_key, scope_key, measure, won_rc from marts.mart_pipeline_movement "
        f"where scope_type = '{scope}' and basis = 'restated' and period_grain = 'quarter' "
        "and ledger = 'bookings' and movement_view = 'path' and reason = 'end' and won_rc <> 0 "
        "and (window_type = 'after' or (window_type = 'period' and is_running))"
    )

    told = keyed(ends, keys=3)
    periods = {period for period, *_ in told}
    expected = {key: won for key, won in keyed(gaps, keys=3).items() if key[0] in periods}
    assert 5 < len(periods)
    assert [] == differences(expected, told)


def test_then_and_now_are_two_days_of_one_deal(road: Road) -> None:
    """The query of the page: each deal that was due in a quarter, and what became of it."""
    key = quarter(business_date(road.company.world.today))
    start, _ = quarter_bounds(key)

    found = road.rows(
        "select sum(then_.amount_rc), count(*), count(now_.deal_key) "
        "from marts.fct_deal_daily as then_ left join marts.fct_deal_daily as now_ "
        "on now_.deal_key = then_.deal_key and now_.basis = then_.basis "
        "and now_.date = (select max(as_of_date) from marts.mart_pipeline_movement) "
        f"where then_.basis = 'restated' and then_.date = date '{start}' - 1 "
        f"and then_.status = 'open' and then_.period_key = '{key}' "
        "and not then_.is_deleted and not then_.is_merged_away and not then_.is_excluded"
    )

    worth, number, there_now = found[0]
    assert openings(road.company.world)[key] == (worth, number)
    assert 0 < there_now <= number

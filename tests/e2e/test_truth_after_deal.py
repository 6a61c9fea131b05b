"""Orders, goods, cash and service after the deal equal what the company really did."""

import pytest

from sandbox.company.truth_after_deal import STEPS, count_won_deals
from tests.e2e.road import Road, differences, keyed

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("company"), pytest.mark.timeout(900)),
]


def test_every_won_deal_is_as_far_as_it_is(road: Road) -> None:
    """Order to cash: the lag of each step, the goods that are there, and where it is stuck."""
    truth = count_won_deals(road.company.world, road.company.truth.money.deals)
    expected = {
        f"hubspot:{deal}": (
            *(one.lags[step] for step in STEPS),
            *(one.orders, one.delivered_share, one.billed_before_delivered),
            *(one.delivered_not_billed, one.stuck),
        )
        for deal, one in truth.items()
    }

    found = road.rows(
        "select deal_key, "
        + ", ".join(f"{step}_lag_days" for step in STEPS)
        + ", n_orders, round(delivered_share, 9), is_billed_before_delivered, "
        "is_delivered_not_billed, stuck_step from marts.mart_order_to_cash"
    )

    assert {*STEPS, None} == {one.stuck for one in truth.values()}
    assert any(one.delivered_share not in {None, 0, 1} for one in truth.values())
    assert [] == differences(expected, keyed(found))

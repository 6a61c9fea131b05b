"""What is said of sellers, leads and touches adds up to the company's own count."""

from decimal import Decimal

import pytest

from sandbox.company.truth import Truth
from tests.e2e.road import Road, differences, keyed

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("company"), pytest.mark.timeout(900)),
]


@pytest.fixture(scope="session")
def truth(road: Road) -> Truth:
    """What the warehouse shall find."""
    return road.company.truth


def test_every_seller_won_what_they_won(road: Road, truth: Truth) -> None:
    """Deals and money of every quarter, by the owner at the win; quota by the person."""
    expected = {
        (user, period): (gap.won_count, gap.won, gap.quota)
        for period, of in truth.sales.quarters.items()
        for user, gap in of.users.items()
        if gap.won_count or gap.quota is not None
    }

    found = road.rows(
        "select user_key, period_key, won_n, won_rc, quota_rc from marts.mart_rep_performance "
        "where won_n > 0 or quota_rc is not null"
    )

    assert 200 < len(expected)
    assert [] == differences(expected, keyed(found, keys=2))


def test_every_lead_is_in_one_cohort(road: Road, truth: Truth) -> None:
    """Leads of the CRM and senders whom nobody knew, the mature and the young."""
    found = road.rows(
        "select sum(leads_n + n_immature), sum(leads_n + n_immature) filter "
        "(source_channel = 'email') from marts.mart_funnel_lead_to_cash"
    )

    unknown = len(truth.email.candidates)
    assert [(truth.leads.live + unknown, unknown)] == found


def test_all_that_was_won_is_attributed(road: Road, truth: Truth) -> None:
    """By each model all of it, to the cent; a deal without touches is in it as well."""
    won = [one for one in truth.sales.deals.values() if one.status == "won" and not one.is_archived]
    models = ("first_touch", "last_touch", "linear", "position", "time_decay")

    found = road.rows(
        "select count(distinct deal_key), "
        + ", ".join(f"sum(booked_{model}_rc)" for model in models)
        + " from marts.mart_attribution"
    )

    total = sum((one.won_home for one in won if one.booked is not None), Decimal(0))
    assert [(len(won), *(total for _ in models))] == found


def test_every_open_deal_is_on_the_list_once(road: Road, truth: Truth) -> None:
    """And those that are unwell are due, since nobody took note of any."""
    found = road.rows("select deal_key, is_due from marts.mart_follow_up")

    due = {key for key, is_due in found if is_due}
    unwell = {*truth.sales.stalled, *truth.sales.rotting, *truth.sales.ghosted}
    assert sorted(f"hubspot:{one}" for one in truth.sales.open_ids) == sorted(k for k, _ in found)
    assert {f"hubspot:{one}" for one in unwell} <= due

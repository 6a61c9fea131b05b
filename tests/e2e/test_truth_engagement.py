"""The marts know who wrote, who answered and how soon, as the generator does."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from statistics import median

import pytest

from sandbox.company.truth_engagement import Engagement, count_engagement
from tests.e2e.road import Road, differences, keyed

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("company"), pytest.mark.timeout(900)),
]

TRUTH = dict[tuple[str, date], Engagement]


@pytest.fixture(scope="module")
def truth(road: Road) -> TRUTH:
    """By contact key and month."""
    found = count_engagement(road.company.world, road.company.post)
    return {
        (f"email:{person}" if "@" in person else f"hubspot:{person}", month): one
        for (person, month), one in found.items()
    }


def told(road: Road, *columns: str) -> dict[tuple[str, date], tuple[object, ...]]:
    """Columns of the mart by contact and month, where any says something."""
    rows = road.rows(
        f"select contact_key, month_start_date, {', '.join(columns)} "
        "from marts.mart_contact_engagement"
    )
    return {key: values for key, values in keyed(rows, keys=2).items() if any(values)}


def test_mails_and_meetings_of_every_person_and_month(road: Road, truth: TRUTH) -> None:
    """Merged people under their survivor, machines and colleagues nowhere."""
    expected = {
        key: (one.inbound, one.outbound, one.meetings)
        for key, one in truth.items()
        if one.inbound or one.outbound or one.meetings
    }

    found = told(road, "inbound_n", "outbound_n", "meetings_n")

    assert [] == differences(expected, found)


def test_answers_and_how_long_they_took(road: Road, truth: TRUTH) -> None:
    """Both ways, in business hours; a mail whose date is junk is dated by its arrival."""
    odd = {f"email:{one.sender[1]}" for one in road.company.post.letters if "date" in one.oddity}
    expected = {
        key: (
            *(len(one.replies), len(one.our_replies)),
            *(_minutes(one.replies), _minutes(one.our_replies)),
        )
        for key, one in truth.items()
        if one.replies or one.our_replies
    }

    found = told(
        *(road, "replies_n", "our_replies_n"),
        *("median_response_minutes", "our_median_response_minutes"),
    )

    wrong = differences(expected, found)
    assert [] == [one for one in wrong if one[0][0] not in odd]
    assert len(expected) > 300


def test_deals_that_were_open_with_somebody_as_a_month_ended(road: Road, truth: TRUTH) -> None:
    """The month that runs ends now."""
    expected = {key: (one.deals_open,) for key, one in truth.items() if one.deals_open}

    assert [] == differences(expected, told(road, "deals_open_n"))


def _minutes(seconds: list[int]) -> Decimal | None:
    if not seconds:
        return None
    exact = Decimal(median(seconds)) / 60
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)

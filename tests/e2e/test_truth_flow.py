"""What flows through the stages, and how long deals stay, equals the company's own edits."""

import pytest

from sandbox.company.truth_flow import count_flows, count_lengths
from tests.e2e.road import Road, differences, keyed

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("company"), pytest.mark.timeout(900)),
]

WAYS_IN = ("created", "backward", "reopened", "other_pipeline")
WAYS_OUT = ("forward", "backward", "won", "lost")


def stage_id(stage_key: str) -> str:
    """The vendor's id of a stage."""
    return stage_key.rpartition(":")[2]


def test_every_stage_of_every_quarter_flows_as_it_did(road: Road) -> None:
    """Deals and euro at the start and the end, and each way in and out between them."""
    expected = {
        key: (
            *(flow.start, flow.start_home),
            *(flow.entered["created"] + flow.entered["forward"],),
            *(flow.entered[way] for way in WAYS_IN),
            *(flow.exited[way] for way in WAYS_OUT),
            flow.exited["other_pipeline"],
            *(flow.end, flow.end_home),
        )
        for key, flow in count_flows(road.company.world).items()
    }

    found = road.rows(
        "select period_key, stage_key, open_at_start_n, open_at_start_rc, entered_forward_n, "
        + ", ".join(f"entered_{way}_n" for way in WAYS_IN)
        + ", "
        + ", ".join(f"exited_{way}_n" for way in WAYS_OUT)
        + ", exited_other_n, open_at_end_n, open_at_end_rc "
        "from marts.mart_funnel_flow where period_grain = 'quarter'"
    )

    told = {(key[0], stage_id(key[1])): row for key, row in keyed(found, keys=2).items()}
    assert 100 < len(expected)
    assert [] == differences(expected, told)


def test_every_stage_takes_as_long_as_it_did(road: Road) -> None:
    """Stays of today are in the median: without them the stage where deals sit looks fast."""
    expected = {
        stage: (
            *(len(one.ended) + len(one.lasting), len(one.lasting), one.median),
            one.went_back / len(one.ended),
        )
        for stage, one in count_lengths(road.company.world).items()
    }

    found = road.rows(
        "select stage_key, n_stays, n_censored, km_median_days, share_backward "
        "from marts.mart_stage_velocity "
        "where period_key = 'all' and segment_type = 'all' and outcome_group = 'all'"
    )

    told = {stage_id(key): row for key, row in keyed(found).items()}
    assert any(one.went_back for one in count_lengths(road.company.world).values())
    assert [] == differences(expected, told)

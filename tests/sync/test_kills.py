"""kill -9 at every point and at any moment: nothing lost, nothing doubled (K-01 to K-03)."""

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeledger.landing import Landing
from tests.forks import Worker, worker
from tests.sync.vendor import CONNECTION, current, plan, query

POINTS = (
    "after-start",
    "after-fetch",
    "after-fetch:6",
    "after-child-commit:2",
    "after-data-commit",
    "after-data-commit:3",
    "after-checkpoint",
    "after-checkpoint:4",
    "before-compaction",
)


@pytest.fixture(scope="module")
def victim() -> Iterator[Worker]:
    """The process whose syncs die."""
    with worker("tests.sync.killed") as made:
        yield made


def of(folder: Path, number: int, *, crash_at: str = "", connection: str = CONNECTION) -> str:
    """A sync as of a step of the plan, in words."""
    return f"{folder} 7 {number} {connection} {crash_at}"


def assert_equals_the_vendor(folder: Path, steps: int, connection: str = CONNECTION) -> None:
    """I1 to I3: each record is there once, at its newest value, and versions alternate."""
    vendor = plan(7, steps)
    for stream in ("deals", "contacts", "stages"):
        assert vendor.live(stream) == current(folder, stream, connection)
        repeated = query(
            folder,
            stream,
            "select record_id from (select *, lag(payload_hash) over w as h, lag(change) over w "
            "as c from v window w as (partition by connection, record_id "
            "order by observed_at, sync_id, position)) where h = payload_hash and c = change",
        )
        assert [] == repeated
    assert vendor.live("deals") == current(folder, "deal_links", connection)


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_a_sync_killed_at_a_point_is_made_good_by_the_next(
    victim: Worker, tmp_path: Path, point: str
) -> None:
    """A crash repeats at most a batch; landing drops what it has."""
    code = victim.finish(of(tmp_path, 0, crash_at=point))

    assert -signal.SIGKILL == code
    assert 0 == victim.finish(of(tmp_path, 1))
    assert_equals_the_vendor(tmp_path, 1)


@pytest.mark.slow
def test_twenty_kills_at_any_moment_leave_the_state_of_an_undisturbed_sync(
    victim: Worker, tmp_path: Path
) -> None:
    """Acceptance 5: the vendor moves on, we are killed again and again, the end is the same."""
    chance = random.Random(20261123)
    began = time.monotonic()
    assert 0 == victim.finish(of(tmp_path / "undisturbed", 0))
    whole = time.monotonic() - began

    codes = [
        victim.kill(of(tmp_path, number // 3), chance.uniform(0.0, 1.2 * whole))
        for number in range(20)
    ]

    assert codes.count(-signal.SIGKILL) > 5
    assert 0 == victim.finish(of(tmp_path, 7))
    assert_equals_the_vendor(tmp_path, 7)
    before = {key: pin.rows for key, pin in Landing(tmp_path / "landing").pin().items()}
    assert 0 == victim.finish(of(tmp_path, 7))
    assert before == {key: pin.rows for key, pin in Landing(tmp_path / "landing").pin().items()}


@pytest.mark.slow
def test_two_processes_land_two_connections_at_once(victim: Worker, tmp_path: Path) -> None:
    """Delta takes several writers; neither waits for, nor loses to, the other."""
    with worker("tests.sync.killed") as other:
        for one, name in ((victim, "emea"), (other, "apac")):
            one.start(of(tmp_path, 3, connection=name))
        codes = [one.end() for one in (victim, other)]

    assert [0, 0] == codes
    for name in ("emea", "apac"):
        assert_equals_the_vendor(tmp_path, 3, name)


@pytest.mark.slow
def test_a_killed_holder_gives_the_lock_back(victim: Worker, tmp_path: Path) -> None:
    """K-14: no hand work after a crash at night."""
    assert -signal.SIGKILL == victim.finish(of(tmp_path, 0, crash_at="after-fetch"))

    assert 0 == victim.finish(of(tmp_path, 0))

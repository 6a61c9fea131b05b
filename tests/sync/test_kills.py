"""kill -9 at every point and at any moment: nothing lost, nothing doubled (K-01 to K-03)."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeledger.landing import Landing
from tests.sync.vendor import CONNECTION, current, plan, query

ROOT = Path(__file__).resolve().parents[2]
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


def start(
    folder: Path, steps: int, *, crash_at: str = "", connection: str = CONNECTION, seed: int = 7
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.sync.killed"),
            *(str(folder), str(seed), str(steps), connection),
        ],
        cwd=ROOT,
        env={**os.environ, "PIPELEDGER_CRASH_AT": crash_at, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> int:
    _, errors = process.communicate(timeout=120)
    if process.returncode not in (0, -signal.SIGKILL):
        raise AssertionError(errors.decode())
    return process.returncode


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
def test_a_sync_killed_at_a_point_is_made_good_by_the_next(tmp_path: Path, point: str) -> None:
    """A crash repeats at most a batch; landing drops what it has."""
    code = finish(start(tmp_path, 0, crash_at=point))

    assert -signal.SIGKILL == code
    assert 0 == finish(start(tmp_path, 1))
    assert_equals_the_vendor(tmp_path, 1)


@pytest.mark.slow
def test_twenty_kills_at_any_moment_leave_the_state_of_an_undisturbed_sync(
    tmp_path: Path,
) -> None:
    """Acceptance 5: the vendor moves on, we are killed again and again, the end is the same."""
    chance = random.Random(20261123)
    killed = 0
    for step in range(20):
        process = start(tmp_path, step // 3)
        time.sleep(chance.uniform(0.5, 2.0))
        process.kill()
        killed += finish(process) != 0

    assert killed
    assert 0 == finish(start(tmp_path, 7))
    assert_equals_the_vendor(tmp_path, 7)
    before = {key: pin.rows for key, pin in Landing(tmp_path / "landing").pin().items()}
    assert 0 == finish(start(tmp_path, 7))
    assert before == {key: pin.rows for key, pin in Landing(tmp_path / "landing").pin().items()}


@pytest.mark.slow
def test_two_processes_land_two_connections_at_once(tmp_path: Path) -> None:
    """Delta takes several writers; neither waits for, nor loses to, the other."""
    both = [start(tmp_path, 3, connection=name) for name in ("emea", "apac")]

    codes = [finish(process) for process in both]

    assert [0, 0] == codes
    for name in ("emea", "apac"):
        assert_equals_the_vendor(tmp_path, 3, name)


@pytest.mark.slow
def test_a_killed_holder_gives_the_lock_back(tmp_path: Path) -> None:
    """K-14: no hand work after a crash at night."""
    finish(start(tmp_path, 0, crash_at="after-fetch"))

    assert 0 == finish(start(tmp_path, 0))

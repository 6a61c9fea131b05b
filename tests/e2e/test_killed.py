"""kill -9 at random in sync, build and publication, twenty times each (acceptance 5)."""

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipeledger.publish import CURRENT
from pipeledger.settings import Settings, load_settings
from tests.e2e.road import Road, beside, connect
from tests.e2e.test_twice import OF_RUNS
from tests.forks import worker

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("small"), pytest.mark.timeout(900)),
]

KILLS = 20


@contextmanager
def watching(settings: Settings, faults: list[str]) -> Iterator[list[str]]:
    """Read the publication over and over; yields the build ids seen."""
    seen: list[str] = []
    stop = threading.Event()

    def look() -> None:
        current = settings.paths.serving / CURRENT
        while not stop.is_set():
            if current.exists():
                try:
                    with connect(current.resolve()) as db:
                        seen.append(_read(db))
                except (duckdb.Error, ValueError, OSError) as error:
                    faults.append(f"{type(error).__name__}: {error}")
            # Each look counts the rows of every mart: more often, and the steps would starve.
            time.sleep(0.25)

    reader = threading.Thread(target=look)
    reader.start()
    try:
        yield seen
    finally:
        stop.set()
        reader.join()


def _read(db: duckdb.DuckDBPyConnection) -> str:
    """The build's id; ValueError if a mart does not have the rows that the build counted."""
    (build_id,) = db.execute("select build_id from meta.builds").fetchall()[0]
    told = dict(db.execute("select mart, n_rows from meta.marts").fetchall())
    each = (f"select '{mart}', count(*) from marts.\"{mart}\"" for mart in told)
    found = dict(db.execute(" union all ".join(each)).fetchall())
    if found != told:
        raise ValueError(f"{build_id} has the rows {found}, not {told}")
    return str(build_id)


def test_sixty_deaths_change_nothing(small_road: Road, tmp_path: Path) -> None:
    """The marts afterwards equal those of the undisturbed run, and no reader saw a fault."""
    dice = random.Random(20261015)
    path = beside(small_road, tmp_path)
    settings = load_settings(path).settings
    faults: list[str] = []
    deaths: dict[str, list[int]] = {"sync": [], "build": [], "publish": []}

    def die(step: str, seconds: Callable[[], float]) -> None:
        for number in range(KILLS):
            words = f"publish 20261015T06{number:010d}-dead" if step == "publish" else step
            deaths[step].append(victim.kill(words, seconds()))

    with worker("tests.e2e.killed", str(path)) as victim, watching(settings, faults) as seen:
        die("sync", lambda: dice.uniform(0.0, 1.2))
        assert 0 == victim.finish("sync")
        # Most deaths early, where steps are short, and some late.
        die("build", lambda: 4.5 * dice.random() ** 3)
        assert 0 == victim.finish("build")
        began = time.monotonic()
        assert 0 == victim.finish("publish 20261015T050000000000-feed")
        whole = time.monotonic() - began
        die("publish", lambda: dice.uniform(0.0, 0.8 * whole))
        assert 0 == victim.finish("publish 20261015T070000000000-beef")

    with connect((settings.paths.serving / CURRENT).resolve()) as db:
        sums = dict(db.execute("select mart, checksum from meta.marts").fetchall())
    assert [] == faults
    assert "20261015T070000000000-beef" == (settings.paths.serving / CURRENT).resolve().stem
    assert seen
    assert all(codes.count(-signal.SIGKILL) > KILLS // 4 for codes in deaths.values()), deaths
    assert [] == [path.name for path in settings.paths.serving.iterdir() if path.name[0] == "."]
    undisturbed = dict(small_road.runs[0].publication.checksums)
    assert [] == [
        mart for mart, one in undisturbed.items() if sums[mart] != one and mart not in OF_RUNS
    ]

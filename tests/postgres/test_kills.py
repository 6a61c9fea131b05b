"""Publications that are killed: readers of the file and of PostgreSQL never notice."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import psycopg
import pytest

from pipeledger.project import ROOT
from pipeledger.publish import publish
from tests.build.builds import ROWS, built, read, settings_in
from tests.postgres.server import Server, serving

KILLS = 10
"""After every two publications that nobody disturbs, so that there are twenty of those."""
POINTS = (
    *("while-publishing:3", "before-flip:2", "after-flip", "before-postgres-commit:3"),
    *("while-publishing-postgres", "while-publishing-postgres:6"),
)
BOTH = (
    "select min(build), max(build), count(*) from (select build from marts.fct_deal "
    "union all select build from marts.fct_invoice) as both_marts"
)


@pytest.mark.slow
def test_readers_see_no_error_and_no_mixture_while_publications_are_killed(
    server: Server, tmp_path: Path
) -> None:
    """K-05, K-06, acceptance 5: kill -9 anywhere in a publication is nobody's problem but ours."""
    database = server.database()
    settings = settings_in(tmp_path, serving(server, database))
    publish(settings, built(tmp_path, 0))
    reader = f"reader_of_{database}"
    with psycopg.connect(server.dsn(database, "admin"), autocommit=True) as admin:
        admin.execute(f"create role {reader} login in role pipeledger_read")
    dice = random.Random(20261015)
    faults: list[str] = []
    seen: dict[str, set[int]] = {"file": set(), "postgres": set()}
    deaths: list[int] = []
    whole: list[str] = []
    stop = threading.Event()

    def in_file() -> tuple[int, int]:
        return read(settings.paths.serving)

    with psycopg.connect(server.dsn(database, reader), autocommit=True) as held:

        def in_postgres() -> tuple[int, int]:
            first, last, rows = held.execute(BOTH).fetchall()[0]
            if first != last:
                raise ValueError(f"a mixture of builds: {first} and {last}")
            return int(first), int(rows)

        def keep_reading(where: str, look: Callable[[], tuple[int, int]]) -> None:
            while not stop.is_set():
                try:
                    number, rows = look()
                except (duckdb.Error, psycopg.Error, ValueError, OSError) as error:
                    faults.append(f"{where}: {type(error).__name__}: {error}")
                    continue
                seen[where].add(number)
                if rows != 2 * ROWS:
                    faults.append(f"{where}: {rows} rows of build {number}")
                time.sleep(0.03)

        readers = [
            threading.Thread(target=keep_reading, args=one)
            for one in (("file", in_file), ("postgres", in_postgres))
        ]
        for one in readers:
            one.start()
        try:
            for kill in range(KILLS):
                for number in (1, 2):
                    done = publish(settings, built(tmp_path, kill * 1_000 + number))
                    assert done.postgres is not None
                    whole.append(done.postgres.error or "published")
                point = POINTS[kill] if kill < len(POINTS) else ""
                deaths.append(
                    _publish_until_killed(
                        server.dsn(database), tmp_path, kill * 1_000 + 3, point, dice
                    )
                )
        finally:
            stop.set()
            for one in readers:
                one.join()
    last = publish(settings, built(tmp_path, 9_000_000))

    assert [] == faults
    assert ["published"] * 20 == whole
    assert [-signal.SIGKILL] * KILLS == deaths
    assert all(len(numbers) > KILLS for numbers in seen.values())
    assert last.postgres is not None
    assert last.postgres.error is None
    assert (9_000_000, 2 * ROWS) == read(settings.paths.serving)
    assert [(9_000_000, 9_000_000, 2 * ROWS)] == server.rows(database, BOTH, reader)
    assert [(last.build_id,)] == server.rows(database, "select build_id from meta.builds", reader)
    assert [] == [p.name for p in settings.paths.serving.iterdir() if p.name.startswith(".")]
    left = "select count(*) from pg_stat_activity where state like 'idle in transaction%'"
    assert [(0,)] == server.rows("postgres", left, "admin")


def _publish_until_killed(
    dsn: str, folder: Path, first: int, point: str, dice: random.Random
) -> int:
    """A child publishes and dies at a named point, or some time after its first publication."""
    command = [sys.executable, "-m", "tests.build.builds", str(folder), str(first), dsn]
    env = {**os.environ, "PIPELEDGER_CRASH_AT": point}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as child:
        if point:
            child.communicate(timeout=120)
            return child.returncode
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(dice.uniform(0.0, 0.4))
        child.kill()
        return child.wait()

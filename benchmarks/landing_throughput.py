"""How fast records land, and in how much memory: first load and re-sync.

    python -m benchmarks landing_throughput [--full]

Records look like HubSpot deals (about 900 bytes of JSON, 24 properties) and lie in memory
as pages do. Making them is not counted; decoding, the canonical hash, the change test and
the Delta commits are; loading the libraries is not. Every case runs in a process of its
own, so that its memory is its own. Numbers to hold: design §10.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.table import Measurement
from connectors.base.stream import Record
from pipeledger.landing import Landing

T0 = datetime(2026, 10, 15, 6, tzinfo=UTC)
VOLATILE = frozenset({"properties.hs_lastmodifieddate"})
TEMPLATE = (
    '{"id":"%(id)d","properties":{"amount":"%(amount)d.50","amount_in_home_currency":'
    '"%(amount)d.50","closedate":"2026-11-%(day)02dT12:00:00Z","createdate":'
    '"2026-01-%(day)02dT09:30:15.123Z","deal_currency_code":"EUR","dealname":"Maju Jaya %(id)d – '
    'Erweiterung","dealstage":"%(stage)s","dealtype":"newbusiness","description":null,'
    '"hs_deal_stage_probability":"0.4","hs_forecast_amount":"%(amount)d","hs_forecast_probability"'
    ':null,"hs_is_closed":"false","hs_is_closed_won":"false","hs_lastmodifieddate":'
    '"2026-10-14T22:%(day)02d:00.000Z","hs_manual_forecast_category":"PIPELINE","hs_next_step":'
    '"Call the works council","hs_object_id":"%(id)d","hs_priority":"high","hubspot_owner_id":'
    '"4711%(day)02d","pipeline":"default","num_associated_contacts":3,"days_to_close":%(day)d.25,'
    '"hs_arr":null},"createdAt":"2026-01-%(day)02dT09:30:15.123Z","updatedAt":'
    '"2026-10-14T22:%(day)02d:00.000Z","archived":false,"url":'
    '"https://app.example.com/contacts/1/record/0-3/%(id)d"}'
)


def batch(start: int, size: int, stage: str) -> list[Record]:
    """Records ``start`` to ``start + size`` as a reader would hand them over."""
    return [
        Record(
            str(number),
            (
                TEMPLATE
                % {"id": number, "amount": number % 97_003, "day": number % 28 + 1, "stage": stage}
            ).encode(),
            T0,
            source_updated_at=T0 - timedelta(minutes=number % 1000),
        )
        for number in range(start, start + size)
    ]


def load(landing: Landing, count: int, size: int, sync_id: str, stage: str) -> tuple[float, int]:
    """Land ``count`` records; return the seconds that landing took and the versions added."""
    started = time.perf_counter()
    appended = 0
    with landing.writer("hubspot", "deals", "crm", sync_id=sync_id, volatile=VOLATILE) as writer:
        seconds = time.perf_counter() - started
        for start in range(0, count, size):
            records = batch(start, min(size, count - start), stage)
            started = time.perf_counter()
            appended += writer.append(records).appended
            seconds += time.perf_counter() - started
        started = time.perf_counter()
    landing.compact("hubspot", "deals")
    return seconds + time.perf_counter() - started, appended


def peak_megabytes() -> float:
    """The largest resident memory that this process had."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def case(count: int, size: int, folder: str) -> dict[str, float]:
    """One first load and one re-sync of the same records."""
    landing = Landing(folder)
    # Loading the libraries costs a third of a second once per process, whatever its records.
    landing.append("hubspot", "warm_up", "crm", batch(0, 100, "x"), "s0")
    first, appended = load(landing, count, size, "s1", "contractsent")
    again, repeated = load(landing, count, size, "s2", "contractsent")
    if (appended, repeated) != (count, 0):
        raise AssertionError((appended, repeated))
    return {"first": count / first, "again": count / again, "peak": peak_megabytes()}


def measure(full: bool) -> Iterator[Measurement]:
    """Yield rates and peak memory for each size."""
    sizes = (10_000, 100_000, 1_000_000) if full else (10_000, 100_000)
    for count in sizes:
        for size in (20_000, 50_000):
            if count < size == 50_000:
                continue
            with tempfile.TemporaryDirectory() as folder:
                done = subprocess.run(
                    [sys.executable, "-m", *(__spec__.name, str(count), str(size), folder)],
                    check=True,
                    capture_output=True,
                    text=True,
                    env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
                )
            found = json.loads(done.stdout)
            what = f"landing {count:,} at {size // 1000} k a batch"
            # A short run pays the opening of the table over few records: for information.
            floor = (100_000.0, 150_000.0) if count >= 100_000 else (None, None)
            yield Measurement(f"{what}, first", found["first"], "records/s", floor[0], "at least")
            yield Measurement(f"{what}, again", found["again"], "records/s", floor[1], "at least")
            yield Measurement(f"{what}, memory", found["peak"], "MB", 600.0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("size", type=int)
    parser.add_argument("folder")
    given = parser.parse_args()
    sys.stdout.write(json.dumps(case(given.count, given.size, given.folder)))

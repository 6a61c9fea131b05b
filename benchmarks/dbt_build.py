"""How long the models take over a company of a given size, and over it with 1 % changed.

    python -m benchmarks dbt_build [--full]

The landing is synthetic (benchmarks/synthetic.py): deals with six stage events each, invoices
with lines, quotas. Every build runs in a process of its own, so that its memory is its own.
Counted are the models, from the pinned files to the marts; reading the project and running the
checks are shown beside them. Numbers to hold: design §10.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from benchmarks.landing_throughput import peak_megabytes
from benchmarks.synthetic import Synthetic, change, make
from benchmarks.table import Measurement

SLOWEST = 5
"""So many models are shown by name."""


class Spill:
    """Watches the space that DuckDB takes beside the warehouse for what memory cannot hold."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.megabytes = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.2):
            self.megabytes = max(self.megabytes, _size(self._folder) / 2**20)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.glob("*.tmp/*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def case(settings_file: Path) -> dict[str, Any]:
    """Build once; seconds by phase, CPU seconds, megabytes and the slowest models."""
    from pipeledger import build as module
    from pipeledger.pipeline import clock_of, landing_of
    from pipeledger.settings import load_settings

    settings = load_settings(settings_file).settings
    models: dict[str, float] = {}
    raise_for_models = module._raise_for_models  # noqa: SLF001 - where all results pass

    def noted(results: list[Any]) -> None:
        models.update({one.node.name: one.execution_time for one in results})
        raise_for_models(results)

    module._raise_for_models = noted  # noqa: SLF001
    started = time.process_time()
    with Spill(settings.paths.warehouse) as spill:
        report = module.build(settings, landing_of(settings), now=clock_of(settings)())
    slowest = sorted(models.items(), key=lambda one: -one[1])[:SLOWEST]
    return {
        "seconds": report.seconds,
        "cpu": time.process_time() - started,
        "peak": peak_megabytes(),
        "spill": spill.megabytes,
        "slowest": slowest,
    }


def _build(made: Synthetic) -> dict[str, Any]:
    root = str(Path(__file__).resolve().parent.parent)
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, str(made.settings_file)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(full: bool) -> Iterator[Measurement]:
    """Yield seconds, memory and spill of the builds of each size."""
    by_size: dict[int, float] = {}
    for deals in (100_000, 1_000_000, 5_000_000) if full else (100_000,):
        with tempfile.TemporaryDirectory() as folder:
            made = make(Path(folder), deals)
            first = _build(made)
            seconds = by_size[deals] = first["seconds"]["models"]
            what = f"models of {deals:,} deals"
            ceiling = {1_000_000: 60.0, 5_000_000: 6 * by_size.get(1_000_000, 0.0)}.get(deals)
            yield Measurement(what, seconds, "s", ceiling)
            for name, taken in first["slowest"]:
                yield Measurement(f"{what}: {name}", taken, "s")
            yield Measurement(f"{what}, checks", first["seconds"]["checks"], "s")
            yield Measurement(f"{what}, CPU of the process", first["cpu"], "s")
            yield Measurement(f"{what}, memory", first["peak"], "MB", 8192.0)
            yield Measurement(f"{what}, spilled", first["spill"], "MB", 4096.0)
            change(made)
            second = _build(made)
            share = second["seconds"]["models"] / seconds * 100
            # A build of a few seconds is dbt's own pace, whatever has changed.
            yield Measurement(
                f"{what}, 1 % changed", share, "% of a full build", 20.0 if ceiling else None
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings_file", type=Path)
    sys.stdout.write(json.dumps(case(parser.parse_args().settings_file)) + "\n")

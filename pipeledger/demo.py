"""The demo: the whole road over a fictional company, on real connectors.

Vendor servers run on loopback in a process of their own and enforce the vendors' rules; the
settings are an ordinary pipeledger.toml in the demo's folder, the verb is the ordinary ``run``.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import typer

from pipeledger.build import load_libraries
from pipeledger.serving import checksums, headlines
from pipeledger.settings import load_settings
from pipeledger.shown_runs import run_all

SEED = 7


@contextmanager
def sandbox(folder: Path, scale: float) -> Iterator[Path]:
    """Start the vendor servers, write files, secrets and settings; yields the settings file."""
    from sandbox.demo import served_company

    with ExitStack() as stack:
        served = stack.enter_context(served_company(folder / "inbox", SEED, scale))
        path = folder / "pipeledger.toml"
        path.write_text(served.settings, encoding="utf-8")
        for name, secret in served.secrets.items():
            place = folder / name
            place.parent.mkdir(mode=0o700, exist_ok=True)
            place.touch(mode=0o600)
            place.write_text(secret, encoding="utf-8")
        yield path


def run_demo(folder: Path, scale: float = 1.0) -> int:
    """Run the demo and print what it did; returns the exit code of ``run``."""
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    # The libraries of the build take seconds to load: they do while the company is made.
    threading.Thread(target=load_libraries, daemon=True).start()
    with sandbox(folder, scale) as path:
        ready = time.monotonic()
        typer.echo(
            f"a fictional company is served on this machine ({ready - started:.1f} s); "
            f"its settings are {path}"
        )
        settings = load_settings(path).settings
        before = checksums(settings)
        code = run_all(settings)
        if code in {0, 5}:
            _show_headlines(headlines(settings))
            if before:
                _show_changes(before, checksums(settings))
            typer.echo(f"serving file: {settings.paths.serving / 'current.duckdb'}")
            typer.echo(f"look at it: pipeledger dashboard -c {path}")
    typer.echo(f"the demo took {time.monotonic() - started:.1f} s")
    return code


def _show_changes(before: dict[str, str], after: dict[str, str]) -> None:
    changed = sorted(mart for mart in after if after[mart] != before.get(mart))
    typer.echo(
        f"checksums: {len(after) - len(changed)} marts equal to the last publication, "
        f"{len(changed)} changed{': ' if changed else ''}{', '.join(changed)}"
    )


def _show_headlines(found: dict[str, Any]) -> None:
    currency = found["reporting_currency"]
    gap = found["quota_gap"]
    if gap is not None:
        typer.echo(
            f"quota gap {gap['period_key']}: {gap['gap_rc']:,.2f} {currency} "
            f"(quota {gap['quota_rc']:,.2f}, won {gap['won_rc']:,.2f})"
        )
    unbilled, stalled = found["won_unbilled"], found["stalled"]
    typer.echo(
        f"won but unbilled beyond grace: {unbilled['deals']} deals, "
        f"{unbilled['booked_rc']:,.2f} {currency}"
    )
    typer.echo(
        f"stalled deals: {stalled['deals']} deals, {stalled['amount_rc']:,.2f} {currency} open"
    )

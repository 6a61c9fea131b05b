"""One company behind every vendor at once, read, built and published once."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeledger.serving import held_open
from pipeledger.settings import load_settings
from sandbox.company import build
from sandbox.company.people import OWN_DOMAINS
from sandbox.demo import CLOCK, write_files
from tests.e2e.road import Road, run
from tests.e2e.vendors import Case, cases

SCALE = 0.05
"""Two hundred deals."""

SETTINGS = """clock = "{clock}"

[company]
name = "Nordlicht"
reporting_currency = "EUR"
time_zone = "Europe/Berlin"
own_domains = [{domains}]

[company.fiscal_year]
start_month = 2

[deals]
loss_reasons_excluded = ["Duplicate", "Test"]

[sources.files.plan]
folder = "inbox"
settle_seconds = 0
tables.users.path = "users.csv"
tables.quotas.path = "quotas.csv"
tables.fx_rates.path = "fx_rates.csv"
tables.fx_rates.mode = "append"

{sources}"""


@dataclass(frozen=True, slots=True)
class Every:
    """The published company, and the vendors that served it."""

    road: Road
    cases: Mapping[str, Case]


@contextmanager
def every_vendor(folder: Path) -> Iterator[Every]:
    """Serve, read, build and publish; the servers stay up for the block, the secrets do not.

    Another company of this process would find settings of its own in them.
    """
    company = build(7, SCALE)
    write_files(company, folder / "inbox")
    domains = ", ".join(f'"{domain}"' for domain in OWN_DOMAINS)
    found = {case.source: case for case in cases()}
    with ExitStack() as stack:
        served = {
            source: stack.enter_context(case.serve(company)) for source, case in found.items()
        }
        path = folder / "pipeledger.toml"
        sources = "\n".join(one.settings for one in served.values())
        path.write_text(SETTINGS.format(clock=CLOCK, domains=domains, sources=sources))
        with pytest.MonkeyPatch.context() as patch:
            for source, one in served.items():
                for key, secret in one.secrets.items():
                    place = f"PIPELEDGER__SOURCES__{source}__{source}__{key}"
                    patch.setenv(place.upper(), secret)
            settings = load_settings(path).settings
        road = Road(company, settings)
        road.runs.append(run(settings))
        stack.enter_context(held_open(settings))
        yield Every(road, found)
        wrong = {source: one.errors() for source, one in served.items() if one.errors()}
        assert {} == wrong

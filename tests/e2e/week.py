"""A company whose week is lived hour by hour, beside vendors that a test can turn off.

It is the company of the shared small road, and the week begins with that road's publication: its
data are copied, and its vendors are served anew in this process.
"""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pipeledger.demo import SEED
from pipeledger.pipeline import sync_all
from pipeledger.settings import Settings, load_settings
from pipeledger.sync import SyncReport
from sandbox.company import Changes
from sandbox.demo import CLOCK, SECRETS, CompanyServers, company_servers, settings_text
from sandbox.exchange import Reply
from sandbox.http import Fault
from sandbox.hubspot.access import Grant
from tests.e2e.road import SMALL, Road

START = datetime.fromisoformat(CLOCK)
HOURS = 7 * 24
CRM, LEDGER, PLAN = "hubspot", "stripe", "plan"
DATA_TEAM = "data@nordlicht.example"
NEW_TOKEN = "pat-eu1-6b5e1c1d-sandbox"
CRM_STREAMS = ("deals", "owners", "companies", "contacts", "properties")
"""What the week moves; the other streams were read before it begins."""
BILLED, SOLD, WON, PUSHED, RAISED, FIELD, SPOILT, REPAIRED, LATE = (
    24,
    42,
    50,
    62,
    82,
    100,
    110,
    116,
    130,
)
"""Hours at which somebody does something at a vendor."""


@dataclass(slots=True)
class Week:
    """One company in a folder of its own, at an hour of its week."""

    folder: Path
    servers: CompanyServers
    port: int = 0
    """Of the mail server that takes alerts; nobody is told where it is 0."""
    hour: int = 0
    stale_hours: int = 200
    """Of the CRM. Long, since the streams that the week leaves alone are not read in it."""
    _read: dict[tuple[int, int], Settings] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The settings file, with the hour in it as its clock."""
        path = self.folder / "pipeledger.toml"
        now = (START + timedelta(hours=self.hour)).isoformat().replace("+00:00", "Z")
        text = settings_text(self.servers).replace(CLOCK, now)
        text += (
            "\n[schedule]\nstale_after_hours = 200\n"
            f"[schedule.sources.hubspot]\nstale_after_hours = {self.stale_hours}\n"
        )
        if self.port:
            text += (
                f'\n[alerts]\ndata_team = ["{DATA_TEAM}"]\n[alerts.smtp]\n'
                f'host = "127.0.0.1"\nport = {self.port}\nsecurity = "plain"\n'
                'sender = "pipeledger@nordlicht.example"\n'
            )
        path.write_text(text, encoding="utf-8")
        return path

    @property
    def settings(self) -> Settings:
        """The settings of this hour, which are read once in it."""
        now = (self.hour, self.stale_hours)
        if now not in self._read:
            self._read = {now: load_settings(self.path).settings}
        return self._read[now]

    def sync(self, *connections: str) -> list[SyncReport]:
        """Read connections as a scheduled run does; faults are in the reports."""
        settings = self.settings
        streams = {name: CRM_STREAMS if name == CRM else None for name in connections}
        return [
            report
            for name, some in streams.items()
            for report in asyncio.run(sync_all(settings, connections=[name], streams=some))
        ]

    def sync_all(self) -> list[SyncReport]:
        """Read every stream of every connection."""
        return asyncio.run(sync_all(self.settings))

    def turn(self, hour: int) -> None:
        """Let the clocks, ours and the vendors', stand at an hour, and happen what happens then."""
        self.hour = hour
        now = START + timedelta(hours=hour)
        self.servers.hubspot.state.now = self.servers.stripe.state.now = now
        happens = HAPPENS.get(hour)
        if happens is not None:
            with self.servers.hubspot.lock, self.servers.stripe.lock:
                happens(self)

    def edit(self, place: int, name: str, value: str | None) -> None:
        """Change a property of one of the deals that are still open, by their order."""
        self.servers.hubspot.state.set_property("deals", self.open_deals()[place], name, value)

    def open_deals(self) -> list[str]:
        """Open deals that the second day leaves alone, in a lasting order."""
        moved = {one["id"] for one in self.changes().hubspot.changed["deals"]}
        return [
            one["id"]
            for one in self.servers.company.hubspot["deals"]
            if one["properties"]["dealstage"] in {"98411702", "qualifiedtobuy"}
            and not one.get("archived")
            and one["id"] not in moved
            and one["properties"]["deal_currency_code"] == "EUR"
        ]

    def changes(self) -> Changes:
        """The company's own second day."""
        return self.servers.company.changes()

    # What vendors do to us.

    @contextmanager
    def crm_is_down(self) -> Iterator[None]:
        """Every answer of the CRM is a 503, while its people work on."""
        fault = Fault("", lambda _, __: Reply(503, b"", headers={"Retry-After": "0"}), 10**9)
        self.servers.hubspot.faults.append(fault)
        yield
        self.servers.hubspot.faults.remove(fault)

    @contextmanager
    def token_is_revoked(self) -> Iterator[None]:
        """The CRM's token is void until somebody puts another one into the file."""
        tokens = self.servers.hubspot.gate.tokens
        tokens.clear()
        yield
        tokens[NEW_TOKEN] = Grant()
        (self.folder / "secrets/hubspot").write_text(NEW_TOKEN, encoding="utf-8")

    @contextmanager
    def calls_are_spent(self) -> Iterator[None]:
        """Another program has used up the account's calls of the day."""
        gate = self.servers.hubspot.gate
        gate.used_today = gate.limits.per_day
        yield
        gate.new_day()


def _sold(week: Week) -> None:
    """The second day in the CRM: deals won, lost, merged, deleted, restored, new companies."""
    changes = week.changes()
    week.servers.hubspot.state.apply(changes.hubspot.changed, changes.hubspot.gone)


def _billed(week: Week) -> None:
    """The second day in the books, and the day's exchange rates."""
    changes = week.changes()
    stripe = {**changes.stripe.changed, **changes.stripe.children}
    week.servers.stripe.state.apply(stripe, changes.stripe.gone)
    for name, content in changes.files.items():
        path = week.folder / "inbox" / name
        path.write_bytes(content)
        os.utime(path, (week.servers.hubspot.state.now.timestamp(),) * 2)


def _new_field(week: Week) -> None:
    """The CRM's administrator makes a field; the ledger's vendor turns a text into an object."""
    week.servers.hubspot.state.define_property("deals", "renewal_risk__custom")
    week.edit(0, "renewal_risk__custom", "high")
    state = week.servers.stripe.state
    state.change("customers", min(state.objects["customers"]), tax_exempt={"status": "none"})


HAPPENS: dict[int, Callable[[Week], None]] = {
    BILLED: _billed,
    SOLD: _sold,
    WON: lambda week: week.edit(0, "dealstage", "closedwon"),
    PUSHED: lambda week: week.edit(1, "closedate", "2027-03-31T22:00:00Z"),
    RAISED: lambda week: week.edit(2, "amount", "9999999999.99"),
    FIELD: _new_field,
    SPOILT: lambda week: week.edit(3, "dealstage", "stage_that_is_gone"),
    REPAIRED: lambda week: week.edit(3, "dealstage", "decisionmakerboughtin"),
    LATE: lambda week: week.edit(4, "amount", "12345.67"),
}


@contextmanager
def week_of(road: Road, folder: Path, port: int = 0) -> Iterator[Week]:
    """A week that begins where the shared road was published."""
    published = Path(road.settings.paths.warehouse).parent
    shutil.copytree(published, folder / published.name, symlinks=True)
    for name, secret in SECRETS.items():
        place = folder / name
        place.parent.mkdir(mode=0o700, exist_ok=True)
        place.touch(mode=0o600)
        place.write_text(secret, encoding="utf-8")
    with company_servers(folder / "inbox", SEED, SMALL) as servers:
        yield Week(folder, servers, port)
        assert [] == [*servers.hubspot.errors, *servers.stripe.errors]

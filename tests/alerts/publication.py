"""A hand-made publication with what digests read, hostile names in it, and servers of loopback."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from pipeledger.settings import Settings, load_settings

EVIL = (
    "<script>alert(1)</script> [click](http://evil.example) <!channel>\r\nBcc: x@evil.example\u202e"
)

_TABLES = """
create schema marts;
create schema meta;
create table meta.builds as select 'b1' as build_id,
  timestamptz '2026-10-15 06:00:00+00' as as_of, 'EUR' as reporting_currency;
create table marts.mart_follow_up (deal_key varchar, name varchar, owner_user_key varchar,
  manager_user_key varchar, top_check_id varchar, top_reason varchar, all_reasons varchar,
  suggested_action varchar, value_at_stake_rc decimal(18, 4), days_open bigint,
  suggested_next_date date, first_flagged_date date, is_due boolean, as_of_date date);
create table marts.dim_user (user_key varchar, name varchar, email varchar, team_key varchar,
  is_active boolean, is_current boolean, is_placeholder boolean, is_deleted boolean);
insert into marts.dim_user values
  ('ana', 'Ana', 'Ana@example.com', 'dach', true, true, false, false),
  ('bo', 'Bo', 'bo@customer.example', 'dach', true, true, false, false),
  ('gone', 'Gone', 'gone@example.com', 'dach', false, true, false, false),
  ('eva', 'erased', 'erased-0123456789ab@example.com', 'dach', true, true, false, false),
  ('max', 'Max', 'max@example.com', 'dach', true, true, false, false);
create table marts.mart_quota_gap as select 'max' as user_key, 'FY2027-Q3' as period_key,
  'bookings' as measure, 100000.0000::decimal(18, 4) as quota_rc, 60000.0000::decimal(18, 4)
  as won_rc, 40000.0000::decimal(18, 4) as gap_rc, 40000.0000::decimal(18, 4)
  as remaining_gap_rc, 0.6 as attainment, 2.0 as coverage, 3.0 as required_coverage,
  80000.0000::decimal(18, 4) as open_pipeline_rc, 5000.0000::decimal(18, 4) as overdue_open_rc,
  -1.0000::decimal(18, 4) as pace_delta_rc, 12 as business_days_left, 'manager' as scope_type,
  'quarter' as period_grain, true as is_current_period, 'revenue' as credit_type;
create table marts.mart_pipeline_movement as select 'dach' as scope_key, * from (values
  ('start', 'start', 350.0000::decimal(18, 4), 3), ('pushed_out', 'movement', -250.0000, 2),
  ('end', 'end', 100.0000, 1)) as rows (reason, row_type, amount_rc, n_events)
  cross join (select 'FY2027-Q3' as period_key, 'bookings' as measure, 0 as slip_rc,
  'team' as scope_type, 'restated' as basis, 'quarter' as period_grain, true as is_running,
  'period' as window_type, 'pipeline' as ledger, 'path' as movement_view);
create table marts.bridge_user_hierarchy as select 'max' as ancestor_user_key,
  'ana' as descendant_user_key, null::timestamptz as valid_to;
create table marts.fct_deal (deal_key varchar, name varchar);
create table marts.fct_pipeline_movement as select 'dach' as team_key, 'crm:1' as deal_key,
  'ana' as owner_user_key, -200.0000::decimal(18, 4) as amount_rc, date '2026-09-30'
  as old_expected_close_date, date '2026-12-01' as expected_close_date, date '2026-10-10'
  as posted_date, true as is_slip, 1 as step_no, 'restated' as basis, 'period' as window_type,
  'pipeline' as ledger, true as is_team_row, 'pushed_out' as reason, 'quarter' as period_grain,
  'FY2027-Q3' as period_key;
create table marts.mart_deal_billing_recon as select * from (values
  ('r1', 'crm:1', 'unbilled_late', 900.0000::decimal(18, 4), 0::decimal(18, 4), 'won'),
  ('r2', 'crm:2', 'billed_not_won', null, 70.5000, 'open'),
  ('r3', 'crm:2', 'fully_billed', 5.0000, 5.0000, 'won'))
  as rows (recon_key, deal_key, billing_status, booked_net_rc, billed_net_rc, deal_status)
  cross join (select 'ana' as owner_user_key, date '2026-08-01' as won_date,
  date '2026-09-01' as first_invoice_date);
"""


def publish(folder: Path, deals: list[tuple[Any, ...]]) -> None:
    """Make the deals (key, owner, amount, next day, is due) what readers see."""
    serving = folder / "data" / "serving"
    serving.mkdir(parents=True, exist_ok=True)
    path = serving / "20261015T060000000000-0001.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as db:
        db.execute("set timezone = 'UTC'")
        db.execute(_TABLES)
        for key, owner, amount, day, is_due in deals:
            db.execute("insert into marts.fct_deal values (?, ?)", [key, f"{EVIL} {key}"])
            db.execute(
                "insert into marts.mart_follow_up values (?, ?, ?, 'max', 'D-03', "
                "'ghosted: 3 messages', 'ghosted: 3 messages; no next step', 'Call', ?, 12, ?, "
                "'2026-10-03', ?, '2026-10-15')",
                [key, f"{EVIL} {key}", owner, amount, day, is_due],
            )
    link = serving / "current.duckdb"
    link.unlink(missing_ok=True)
    link.symlink_to(path.name)


DEALS = [
    ("crm:1", "ana", "1234.5", "2026-10-16", True),
    ("crm:2", "ana", "98765.4321", "2026-10-17", True),
    ("crm:3", "ana", "5", "2026-10-16", False),
    ("crm:4", "bo", "6", "2026-10-16", True),
    ("crm:5", "gone", "7", "2026-10-16", True),
    ("crm:6", "eva", "8", "2026-10-16", True),
]


def settings_of(folder: Path, port: int, extra: str = "", day: str = "2026-10-15") -> Settings:
    """Settings that send by a server of this machine, frozen at 8 o'clock of a day in Berlin."""
    path = folder / "pipeledger.toml"
    path.write_text(
        f'clock = "{day}T06:00:00Z"\n'
        '[company]\nname = "Acme"\ntime_zone = "Europe/Berlin"\nown_domains = ["example.com"]\n'
        '[alerts]\nfinance = ["cfo@example.com"]\ndata_team = ["data@example.com"]\n'
        f'{extra}\n[alerts.smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "plain"\n'
        'sender = "pipeledger@example.com"\n'
    )
    return load_settings(path, {}).settings


class Inbox:
    """A mail server's hands: keeps what comes, refuses whom it is told to."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, list[str], bytes]] = []
        self.refuses: set[str] = set()

    async def handle_RCPT(  # noqa: N802 - the server's name for it
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take or refuse a reader."""
        if address in self.refuses:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the server's name for it
        self, _server: Any, _session: Any, envelope: Envelope
    ) -> str:
        """Keep a letter."""
        assert isinstance(envelope.content, bytes)
        self.letters.append((str(envelope.mail_from), list(envelope.rcpt_tos), envelope.content))
        return "250 OK"

    def to(self, address: str) -> list[bytes]:
        """What one reader got."""
        return [content for _, readers, content in self.letters if address in readers]


@contextmanager
def mail_server() -> Iterator[tuple[int, Inbox]]:
    """A mail server of this machine: its port and its inbox."""
    inbox = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port, inbox
    finally:
        controller.stop()

"""A landing of any size: deals with six stage events each, owners, stages, quotas, invoices.

The same size gives the same rows. Deals look as HubSpot's API shows them, with their history;
the other tables as exports. A half of the deals is won, of those a half is billed, in two
lines. DuckDB makes the rows and the landing's own tables take them, so that a build finds what
a sync would have left.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import TypeAlias

import duckdb
import pyarrow as pa

from pipeledger.landing.tables import VERSIONS, AppendTable

OWNERS = 50
CHUNK = 250_000
"""Deals made and appended at a time; a chunk takes about a gigabyte of memory."""
Place: TypeAlias = tuple[str, str, str]
"""Source, stream, connection."""
Look: TypeAlias = tuple[str, str]
"""When the source was looked at, and in which sync."""
FIRST: Look = ("2026-10-14 05:00:00+00", "s1")
SECOND: Look = ("2026-10-15 05:00:00+00", "s2")

SETTINGS = """
version = 1
clock = "2026-10-15T06:00:00Z"

[company]
name = "Synthetic"
reporting_currency = "EUR"
time_zone = "Europe/Berlin"
own_domains = ["synthetic.example"]

[company.fiscal_year]
start_month = 2

[sources.hubspot.crm]
token = "never-used"

[sources.files.plan]
folder = "inbox"
tables.users.path = "users.csv"
tables.quotas.path = "quotas.csv"
tables.invoices.path = "invoices.csv"
tables.invoice_lines.path = "invoice_lines.csv"
"""

_MOMENT = "strftime({}, '%Y-%m-%dT%H:%M:%S.%gZ')"


@dataclass(frozen=True, slots=True)
class Synthetic:
    """A landing below a folder, and the settings that read it."""

    folder: Path
    deals: int

    @property
    def settings_file(self) -> Path:
        """The settings of the company."""
        return self.folder / "pipeledger.toml"


def make(folder: Path, deals: int) -> Synthetic:
    """Land a company of so many deals in an empty folder."""
    made = Synthetic(folder, deals)
    (folder / "inbox").mkdir(parents=True)
    made.settings_file.write_text(SETTINGS, encoding="utf-8")
    with _database() as db:
        for start in range(0, deals, CHUNK):
            rows = _deals(start, min(CHUNK, deals - start), step=1, seventh=False)
            _land(db, folder, ("hubspot", "deals", "crm"), rows, FIRST)
        _land(db, folder, ("hubspot", "deal_pipelines", "crm"), _PIPELINE, FIRST)
        _land(db, folder, ("hubspot", "owners", "crm"), _OWNERS, FIRST)
        _land(db, folder, ("files", "quotas", "plan"), _QUOTAS, FIRST)
        for start in range(0, deals, CHUNK * 2):
            count = min(CHUNK * 2, deals - start)
            for stream, rows in _invoices(start, count):
                _land(db, folder, ("files", stream, "plan"), rows, FIRST)
    return made


def change(made: Synthetic, every: int = 100) -> int:
    """Land a second version of each so many-th deal, with one more stage event; how many."""
    with _database() as db:
        for start in range(0, made.deals, CHUNK * 4):
            rows = _deals(start, min(CHUNK * 4, made.deals - start), step=every, seventh=True)
            _land(db, made.folder, ("hubspot", "deals", "crm"), rows, SECOND)
    return -(-made.deals // every)


def _database() -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    db.execute("set timezone = 'UTC'; set threads = 2; set preserve_insertion_order = false")
    return db


def _land(db: duckdb.DuckDBPyConnection, folder: Path, place: Place, rows: str, look: Look) -> None:
    """Append the rows of a query (record_id, payload, updated_at) as versions of one sync."""
    source, stream, connection = place
    at, sync_id = look
    table = db.sql(
        f"select '{connection}' as connection, record_id, payload, "
        "unhex(md5(payload)) as payload_hash, 'upsert' as change, "
        "updated_at as source_updated_at, "
        f"timestamptz '{at}' as observed_at, row_number() over () as position, "
        f"'{sync_id}' as sync_id from ({rows})"
    ).to_arrow_table()
    uri = str(folder / "data" / "landing" / source / stream)
    AppendTable(uri, VERSIONS, ["connection"]).append(_as_landed(table))


def _event(value: str, at: str) -> str:
    """An entry of a history, as a struct in SQL."""
    return (
        f"{{'value': {value}, 'timestamp': {at}, 'sourceType': 'CRM_UI', "
        "'updatedByUserId': h % 25}"
    )


def _as_landed(table: pa.Table) -> pa.Table:
    return table.select(VERSIONS.names).cast(VERSIONS)


def _deals(start: int, count: int, *, step: int, seventh: bool) -> str:
    """Deals with a stage event every few days; the seventh event reopens the deal."""
    steps = 7 if seventh else 6
    stage = (
        "case when k = 6 then 's5' when k = 5 then "
        "case when h % 2 = 0 then 'closedwon' else 'closedlost' end else 's' || k end"
    )
    at = _MOMENT.format("created_at + k * gap")
    created = _MOMENT.format("created_at")
    later = _MOMENT.format("created_at + 2 * gap")
    closes = "strftime(created_at + interval {} day, '%Y-%m-%dT00:00:00Z')"
    owner = f"cast(61000000 + h % {OWNERS} as varchar)"
    amount = "printf('%.2f', (h % {}) / 100.0)"
    return dedent(
        f"""
        with deals as (
            select
                i,
                hash(i) as h,
                timestamptz '2023-10-15 08:00:00+00'
                + (i * 37 % 86400000) * interval 1 second as created_at,
                cast(1 + hash(i) % 20 as integer) * interval 1 day as gap
            from range({start}, {start + count}, {step}) as numbers (i)
        ),
        told as (
            select
                *,
                list_transform(
                    range(0, {steps}),
                    lambda k: {_event(stage, at)}
                ) as stages
            from deals
        )
        select
            cast(18000000000 + i as varchar) as record_id,
            created_at + {steps} * gap as updated_at,
            cast(to_json({{
                'id': cast(18000000000 + i as varchar),
                'properties': {{
                    'amount': {amount.format(1000000)},
                    'closedate': {closes.format(60)},
                    'createdate': {created},
                    'deal_currency_code': 'EUR',
                    'dealname': 'Deal ' || i,
                    'dealstage': stages[-1].value,
                    'dealtype': 'newbusiness',
                    'description': null,
                    'hs_lastmodifieddate': stages[-1]['timestamp'],
                    'hs_object_id': cast(18000000000 + i as varchar),
                    'hubspot_owner_id': cast(61000000 + h % {OWNERS} as varchar),
                    'pipeline': 'default'
                }},
                'propertiesWithHistory': {{
                    'dealstage': list_reverse(stages),
                    'pipeline': [{_event("'default'", created)}],
                    'amount': [
                        {_event(amount.format(1000000), later)},
                        {_event(amount.format(900000), created)}
                    ],
                    'closedate': [
                        {_event(closes.format(60), later)},
                        {_event(closes.format(30), created)}
                    ],
                    'hubspot_owner_id': [
                        {_event(owner, created)}
                    ]
                }},
                'createdAt': {created},
                'updatedAt': stages[-1]['timestamp'],
                'archived': false
            }}) as varchar) as payload
        from told
        """
    )


_PIPELINE = """
    select
        'default' as record_id,
        timestamptz '2023-01-01 00:00:00+00' as updated_at,
        cast(to_json({
            'id': 'default', 'label': 'Sales', 'displayOrder': 0, 'archived': false,
            'stages': list_transform(
                [('s0', 0.1), ('s1', 0.2), ('s2', 0.4), ('s3', 0.6), ('s4', 0.8), ('s5', 0.9),
                 ('closedwon', 1.0), ('closedlost', 0.0)],
                lambda one, place: {
                    'id': one[1], 'label': one[1], 'displayOrder': place, 'archived': false,
                    'metadata': {
                        'isClosed': case when one[1] like 'closed%' then 'true' else 'false' end,
                        'probability': cast(one[2] as varchar)
                    }
                }
            )
        }) as varchar) as payload
"""
_OWNERS = f"""
    select
        cast(61000000 + i as varchar) as record_id,
        timestamptz '2023-01-01 00:00:00+00' as updated_at,
        cast(to_json({{
            'id': cast(61000000 + i as varchar), 'email': 'rep' || i || '@synthetic.example',
            'firstName': 'Rep', 'lastName': cast(i as varchar), 'userId': i, 'archived': false,
            'teams': [{{'id': '1', 'name': 'Team ' || i % 5, 'primary': true}}]
        }}) as varchar) as payload
    from range(0, {OWNERS}) as numbers (i)
"""
_QUOTAS = f"""
    select
        concat('user:', i, ':', q) as record_id,
        timestamptz '2023-01-01 00:00:00+00' as updated_at,
        cast(to_json({{
            'scope_type': 'user', 'scope_id': 'rep' || i || '@synthetic.example',
            'period': concat('FY', y, '-Q', q), 'measure': 'bookings', 'credit_type': 'revenue',
            'currency_code': 'EUR', 'amount': '500000.00'
        }}) as varchar) as payload
    from range(0, {OWNERS}) as numbers (i), range(2024, 2028) as years (y), range(1, 5) as qs (q)
"""


def _invoices(start: int, count: int) -> Iterator[tuple[str, str]]:
    """Invoices and lines of each fourth deal, which is won."""
    billed = f"""
        select
            i,
            hash(i) as h,
            cast(
                timestamptz '2023-10-15 08:00:00+00' + (i * 37 % 86400000) * interval 1 second
                + 5 * (1 + hash(i) % 20) * interval 1 day + interval 3 day as date
            ) as issued_on,
            cast((hash(i) % 1000000) / 100.0 as decimal(18, 2)) as net
        from range({start}, {start + count}) as numbers (i)
        where hash(i) % 4 = 0
    """
    yield (
        "invoices",
        f"""
        select
            'R-' || i as record_id,
            timestamptz '{FIRST[0]}' as updated_at,
            cast(to_json({{
                'invoice_number': 'R-' || i, 'status': 'open',
                'company_name': 'Company ' || h % 999,
                'deal_ref': cast(18000000000 + i as varchar), 'currency_code': 'EUR',
                'net_amount': cast(net as varchar), 'tax_amount': '0.00',
                'gross_amount': cast(net as varchar), 'issue_date': cast(issued_on as varchar),
                'due_date': cast(issued_on + 30 as varchar)
            }}) as varchar) as payload
        from ({billed})
        where issued_on <= date '2026-10-14'
        """,
    )
    yield (
        "invoice_lines",
        f"""
        select
            concat('R-', i, ':', n) as record_id,
            timestamptz '{FIRST[0]}' as updated_at,
            cast(to_json({{
                'invoice_number': 'R-' || i, 'line_id': cast(n as varchar),
                'description': 'Line ' || n, 'quantity': '1',
                'net_amount': cast(
                    case n when 1 then round(net / 3, 2) else net - round(net / 3, 2) end
                    as varchar
                ),
                'tax_amount': '0.00'
            }}) as varchar) as payload
        from ({billed}), range(1, 3) as lines (n)
        where issued_on <= date '2026-10-14'
        """,
    )

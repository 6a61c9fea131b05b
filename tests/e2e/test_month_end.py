"""Month end, as a finance user lives it: publish, close, and then the sources rewrite the month.

One story over a dozen files of a small company: August is published the moment it is over and
closed. Then a win is taken back and another one entered late, bills come late, are edited, voided
and credited, a payment is dated back, a rate is corrected. The warehouse is thrown away and built
anew. What was signed stays, and each record says what it changed, to the cent. At last the first
publication is made again, as of its own instant.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeledger.cli import app
from pipeledger.publish import checksum
from pipeledger.serving import open_serving
from pipeledger.settings import load_settings
from tests.e2e.road import connect, differences, keyed

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("month_end"), pytest.mark.timeout(900)),
]

MONTH = "FY2027-M07"
"""August 2026, where the year begins in February."""
OVER, LATER, LAST = "2026-08-31T22:00:00Z", "2026-09-10T06:00:00Z", "2026-09-10T07:00:00Z"
"""Midnight in Berlin, and a morning of September."""
TABLES = (
    *("deals", "users", "quotas", "invoices", "invoice_lines", "credit_notes", "payments"),
    *("payment_allocations", "fx_rates"),
)
SETTINGS = """
[company]
name = "Kontor"
reporting_currency = "EUR"
time_zone = "Europe/Berlin"

[company.fiscal_year]
start_month = 2

[sources.files.kontor]
folder = "inbox"
settle_seconds = 0

{tables}

[[stages]]
connection = "kontor"
stage_id = "offer"
order = 1
type = "open"
probability = 0.5

[[stages]]
connection = "kontor"
stage_id = "won"
order = 2
type = "won"
probability = 1
"""
BEFORE = {
    "users": "user_id,name,email,team\nana,Ana,ana@kontor.example,Nord\n",
    "quotas": "scope_type,scope_id,period,amount,currency_code\n"
    f"user,ana@kontor.example,{MONTH},20000,EUR\n",
    "deals": "deal_id,name,stage_id,owner_email,currency_code,amount,created_at,closed_date\n"
    "D1,Signed too soon,won,ana@kontor.example,EUR,10000.10,2026-07-01T08:00:00Z,2026-08-10\n"
    "D2,In dollars,won,ana@kontor.example,USD,5000,2026-07-01T08:00:00Z,2026-08-20\n"
    "D3,Still open,offer,ana@kontor.example,EUR,700,2026-07-01T08:00:00Z,\n",
    "invoices": "invoice_number,status,company_id,currency_code,net_amount,tax_amount,issue_date,"
    "due_date,voided_date\n"
    "A-01,open,c,EUR,1000,190,2026-08-05,2026-09-04,\n"
    "A-02,open,c,USD,2000,0,2026-08-06,2026-09-05,\n"
    "A-03,open,c,EUR,300.30,0,2026-08-07,2026-09-06,\n"
    "A-04,open,c,EUR,400,76,2026-08-08,2026-09-07,\n"
    "A-06,open,c,EUR,500,0,2026-07-09,2026-08-08,\n"
    "A-07,open,c,EUR,600,0,2026-08-11,2026-09-10,\n",
    "invoice_lines": "invoice_number,line_id,net_amount,tax_amount,service_start_date,"
    "service_end_date\n"
    "A-01,1,1000,190,2026-08-01,2026-09-30\nA-02,1,2000,0,,\nA-03,1,300.30,0,,\n"
    "A-04,1,400,76,,\nA-06,1,500,0,,\nA-07,1,600,0,,\n",
    "credit_notes": "credit_note_number,invoice_number,company_id,currency_code,net_amount,"
    "tax_amount,issue_date\nC-0,A-06,c,EUR,10,0,2026-07-20\n",
    "payments": "payment_id,company_id,currency_code,amount,paid_date\nP1,c,EUR,50,2026-08-15\n",
    "payment_allocations": "allocation_id,payment_id,credit_note_number,invoice_number,kind,"
    "applied_date,applied_amount\nL0,,C-0,A-06,credit_note,2026-07-20,10\nL1,P1,,A-06,payment,2026-08-15,50\n",
    "fx_rates": "rate_type,currency_code,rate_date,rate_to_rc\n"
    + "".join(f"spot,USD,2026-08-{day:02},0.9\n" for day in range(1, 32))
    + "".join(f"spot,USD,2026-09-{day:02},0.9\n" for day in range(1, 12)),
}
EDITS = {
    "deals": (
        # Taken up again; raised after the win, which is an amendment; entered late.
        ("D1,Signed too soon,won", "D1,Signed too soon,offer"),
        ("2026-07-01T08:00:00Z,2026-08-10", "2026-07-01T08:00:00Z,"),
        ("USD,5000", "USD,6000"),
        ("D3,", "D4,Late,won,ana@kontor.example,EUR,2500,2026-08-20T08:00:00Z,2026-08-25\nD3,"),
    ),
    "quotas": (("20000", "22000"),),
    "invoices": (
        ("A-03,open,", "A-03,void,"),
        ("2026-09-06,", "2026-09-06,2026-08-31"),
        ("A-04,open,c,EUR,400,76", "A-04,open,c,EUR,450,85.50"),
        ("A-06,", "A-05,open,c,EUR,700,0,2026-08-28,2026-09-27,\nA-06,"),
    ),
    "invoice_lines": (
        ("A-04,1,400,76", "A-04,1,450,85.50"),
        ("A-06,", "A-05,1,700,0,,\nA-06,"),
    ),
    "credit_notes": (
        ("2026-07-20\n", "2026-07-20\nC-1,A-06,c,EUR,100,0,2026-08-31\n"),
        ("2026-08-31\n", "2026-08-31\nC-2,A-07,c,EUR,20,0,2026-09-02\n"),
    ),
    "payments": (("2026-08-15\n", "2026-08-15\nP2,c,EUR,250.25,2026-08-29\n"),),
    "payment_allocations": (
        ("2026-08-15,50\n", "2026-08-15,50\nL2,P2,,A-07,payment,2026-08-29,250.25\n"),
        (",250.25\n", ",250.25\nL3,,C-1,A-06,credit_note,2026-08-31,100\n"),
        (",100\n", ",100\nL4,,C-2,A-07,credit_note,2026-09-02,20\n"),
    ),
    "fx_rates": (
        ("2026-08-06,0.9\n", "2026-08-06,0.95\n"),
        ("2026-08-20,0.9\n", "2026-08-20,0.92\n"),
    ),
}
FROZEN = {
    "won": "14500.10",
    "quota": "20000",
    "invoiced_net": "4100.30",
    "tax": "266",
    "credited_net": "0",
    "paid": "50",
    "refunded": "0",
    "ar_balance": "4806.30",
    "ar_unapplied": "0",
    "deferred_revenue": "491.80",
    "recognised_revenue": "3608.50",
    "mrr": "0",
}
"""By hand: 5,000 and 2,000 dollars at 0.9; of 1,000.00 for 61 days 31 are earned, 508.20."""
RESTATED = {
    ("won", "D1", "reopened"): "-10000.10",
    ("won", "D2", "fx"): "100",
    ("won", "D4", "back_dated"): "2500",
    ("quota", "company|company|FY2027-M07|bookings|revenue", "quota_changed"): "2000",
    ("invoiced_net", "A-02", "fx"): "100",
    ("invoiced_net", "A-03", "voided"): "-300.30",
    ("invoiced_net", "A-04", "amount_edited"): "50",
    ("invoiced_net", "A-05", "back_dated"): "700",
    ("tax", "A-04", "amount_edited"): "9.50",
    ("credited_net", "C-1", "back_dated"): "100",
    ("paid", "P2", "back_dated"): "250.25",
    ("ar_balance", "A-02", "fx"): "100",
    ("ar_balance", "A-03", "voided"): "-300.30",
    ("ar_balance", "A-04", "amount_edited"): "59.50",
    ("ar_balance", "A-05", "back_dated"): "700",
    ("ar_balance", "A-06", "credited"): "-100",
    ("ar_balance", "A-07", "payment_changed"): "-250.25",
    ("recognised_revenue", "A-02", "fx"): "100",
    ("recognised_revenue", "A-03", "voided"): "-300.30",
    ("recognised_revenue", "A-04", "amount_edited"): "50",
    ("recognised_revenue", "A-05", "back_dated"): "700",
    ("recognised_revenue", "A-06", "credited"): "-100",
}
"""The company's; A-06 was earned in July, and its credit is taken back in August."""


@dataclass(frozen=True, slots=True)
class Story:
    """What the commands said; the publications are looked at through ``rows``."""

    settings_file: Path
    close: Mapping[str, Any]
    closed: list[tuple[Any, ...]]
    restated: list[tuple[Any, ...]]
    totals: list[tuple[Any, ...]]
    r16: list[tuple[Any, ...]]
    published: list[tuple[Any, ...]]
    first_sums: Mapping[str, str]
    later_sums: Mapping[str, str]
    rebuilt_sums: Mapping[str, str]
    """Every mart's checksum: as published first, as published later, as of the first again."""
    left_alone: bool
    """The running warehouse, by the build of the past."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a reader gets after the second close."""
        return rows(self.settings_file, sql)


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_serving(load_settings(path).settings) as db:
        return db.execute(sql).fetchall()


def call(path: Path, clock: str, *words: str) -> dict[str, Any]:
    result = CliRunner().invoke(
        app, [*words, "--config", str(path), "--json"], env={"PIPELEDGER__CLOCK": clock}
    )
    assert 0 == result.exit_code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def write(folder: Path, edits: Mapping[str, tuple[tuple[str, str], ...]]) -> None:
    (folder / "inbox").mkdir(exist_ok=True)
    for name, before in BEFORE.items():
        text = before
        for old, new in edits.get(name, ()):
            assert 1 == text.count(old), (name, old)
            text = text.replace(old, new)
        (folder / "inbox" / f"{name}.csv").write_text(text)


CLOSES = (
    "select metric, frozen_rc, restated_rc from marts.fct_period_close "
    f"where period_key = '{MONTH}' and scope_type = 'company'"
)


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Tell it once: four builds."""
    folder = tmp_path_factory.mktemp("month_end")
    path = folder / "pipeledger.toml"
    tables = "\n".join(f'tables.{name}.path = "{name}.csv"' for name in TABLES)
    path.write_text(SETTINGS.format(tables=tables))
    write(folder, {})
    first = call(path, OVER, "run")
    published = rows(
        path,
        "select 'won', sum(won_rc) from marts.mart_quota_gap where scope_type = 'company' "
        f"and period_key = '{MONTH}' union all select 'invoiced_net', sum(invoiced_net_rc) "
        f"from marts.mart_bookings_billings_cash where period_key = '{MONTH}' union all "
        "select 'ar_balance', sum(balance_rc) from marts.mart_ar_ageing "
        "where as_of_date = '2026-08-31' and document_type = 'invoice'",
    )
    close = call(path, OVER, "close", MONTH)

    write(folder, EDITS)
    shutil.rmtree(folder / "data" / "warehouse")
    later = call(path, LATER, "run")
    running = folder / "data" / "warehouse" / "pipeledger.duckdb"
    before = running.read_bytes()
    past = call(path, LATER, "build", "--as-of", OVER)
    with connect(Path(past["warehouse"])) as db:
        rebuilt = {name: checksum(db, "marts", name)[1] for name in first["checksums"]}
    story = Story(
        path,
        close,
        closed=rows(path, CLOSES),
        restated=rows(
            path,
            "select metric, regexp_replace(record_key, '^kontor:', ''), reason, difference_rc "
            "from marts.fct_period_restatement where scope_type = 'company'",
        ),
        totals=rows(
            path,
            "select closes.scope_type, closes.metric, closes.restated_rc - closes.frozen_rc, "
            "coalesce(sum(records.difference_rc), 0) from marts.fct_period_close as closes "
            "left join marts.fct_period_restatement as records "
            "using (close_id, metric, measure, scope_type, scope_key) "
            "group by closes.scope_type, closes.metric, closes.period_close_key, 3",
        ),
        r16=rows(path, R16),
        published=published,
        first_sums=first["checksums"],
        later_sums=later["checksums"],
        rebuilt_sums=rebuilt,
        left_alone=running.read_bytes() == before and Path(past["warehouse"]) != running,
    )
    call(path, LATER, "close", MONTH, "--again", "the deal was signed too soon")
    call(path, LAST, "publish")
    return story


R16 = (
    "select severity, record_key, value, detail from marts.fct_check_result where check_id = 'R-16'"
)


def test_the_close_freezes_what_was_published(story: Story) -> None:
    """Every figure of the month, counted by hand, and the three that readers look at first."""
    frozen = keyed([row[:2] for row in story.closed])

    assert [] == differences({name: (Decimal(value),) for name, value in FROZEN.items()}, frozen)
    assert [] == differences({name: frozen[name] for name, _ in story.published},
                             keyed(story.published))  # fmt: skip
    assert "2026-08-31 22:00:00+00:00" == story.close["seen_to"]
    assert [] == story.close["unread"]


def test_what_was_published_can_be_made_again_as_of_its_instant(story: Story) -> None:
    """Acceptance: any past day can be rebuilt, whatever the sources have rewritten since.

    Every mart, to the last row; but for the close, which was signed after the publication and
    within its instant (docs/decisions/0060).
    """
    moved = {name for name, then in story.first_sums.items() if story.later_sums[name] != then}

    changed = {name for name, then in story.first_sums.items() if story.rebuilt_sums[name] != then}

    assert {"fct_period_close"} == changed
    money = {"fct_invoice", "fct_payment", "fct_payment_allocation", "fct_credit_note", "fct_quota"}
    assert money | {"fct_deal", "fct_fx_rate", "mart_ar_ageing", "mart_quota_gap"} <= moved


def test_what_was_known_stays_worth_what_it_was(story: Story) -> None:
    """The table of rates was loaded anew: today's view of the win moves, that of the day stays."""
    rates = story.rows(
        "select rate_date, rate_type, rate_to_rc from marts.fct_fx_rate where currency_code = 'USD'"
        " and rate_date in ('2026-08-06', '2026-08-20', '2026-08-21') order by all"
    )
    worth = story.rows(
        "select basis, amount_rc from marts.fct_deal_daily "
        "where deal_key = 'kontor:D2' and date = '2026-09-01' order by all"
    )

    assert [
        (date(2026, 8, day), rate_type, Decimal(rate))
        for day, rate_type, rate in [
            *((6, "spot", "0.95"), (6, "spot_as_known", "0.9")),
            *((20, "spot", "0.92"), (20, "spot_as_known", "0.9")),
            *((21, "spot", "0.9"), (21, "spot_as_known", "0.9")),
        ]
    ] == rates
    assert [("as_known", Decimal(4500)), ("restated", Decimal(4600))] == worth


def test_a_build_of_the_past_leaves_the_running_warehouse_alone(story: Story) -> None:
    """It is a question about the past, not a change of the present."""
    assert story.left_alone


def test_each_record_says_what_it_changed_to_the_cent(story: Story) -> None:
    """Case 2 and 39, and all that billing can do to a month that is over."""
    expected = {key: (Decimal(value),) for key, value in RESTATED.items()}

    assert [] == differences(expected, keyed(story.restated, keys=3))


def test_the_records_add_up_to_what_the_figure_is_today(story: Story) -> None:
    """In each scope: what is not explained would be a difference that nobody can book."""
    restated = {name: Decimal(value) for name, value in FROZEN.items()}
    for (metric, _, _), value in RESTATED.items():
        restated[metric] += Decimal(value)

    today = keyed([(metric, now) for metric, _, now in story.closed])
    assert [] == differences({name: (value,) for name, value in restated.items()}, today)
    assert {"company", "team", "user"} == {row[0] for row in story.totals}
    assert [] == [row for row in story.totals if row[2] != row[3]]


def test_the_reopened_deal_is_named_with_the_closed_month_and_stops_nothing(story: Story) -> None:
    """R-16: finance learns of it, and everybody else has a report this morning."""
    assert [
        ("warn", "kontor:D1", 10000.10, f"taken up again, and won in the closed {MONTH}")
    ] == story.r16


def test_closed_again_both_closes_stay_and_the_deal_is_acknowledged(story: Story) -> None:
    """The first close still says what was signed, the last one what is signed now."""
    found = story.rows(
        "select close_no, is_current, reclose_reason, frozen_rc, restated_rc "
        f"from marts.fct_period_close where period_key = '{MONTH}' and metric = 'won' "
        "and scope_type = 'company' order by close_no"
    )

    assert [
        (1, False, None, Decimal("14500.10"), Decimal(7100)),
        (2, True, "the deal was signed too soon", Decimal(7100), Decimal(7100)),
    ] == found
    assert [("closed and taken up again",)] == [row[3:] for row in story.rows(R16)]


def test_a_restated_record_leads_back_to_the_file_it_came_from(story: Story) -> None:
    """Whoever asks why gets the landed versions, the one of then and the one of now."""
    found = call(story.settings_file, LAST, "trace", "fct_period_restatement", "kontor:A-04")

    invoice = next(step for step in found["versions"] if step["stream"] == "invoices")
    assert [("400", False), ("450", True)] == [
        (version["fields"]["net_amount"], version["is_used"]) for version in invoice["versions"]
    ]

"""Who reads what in PostgreSQL: the acceptance of a reader that sees its team and no more."""

from pathlib import Path

import duckdb
import psycopg
import pytest
import yaml
from psycopg import sql
from pydantic import SecretStr

from pipeledger.postgres.rights import rule_of
from pipeledger.postgres.shape import Column, Table
from pipeledger.project import ROOT
from pipeledger.settings.postgres import PostgresServing
from tests.postgres.server import Server, serving
from tests.postgres.test_publishing import put

TABLES = (
    "create schema marts",
    "create schema meta",
    "create table meta.builds as select 'b' as build_id, timestamptz '2026-10-15' as as_of",
    "create table meta.check_failures as select 'deal crm:2' as message",
    (
        "create table marts.dim_user as select * from (values ('ann', 'dach', true), "
        "('ben', 'dach', true), ('cid', 'west', true), ('dan', 'board', true), "
        "('eve', 'west', false)) as u(user_key, team_key, is_current)"
    ),
    (
        "create table marts.bridge_user_hierarchy as select *, null::timestamptz as valid_to from "
        "(values ('dan', 'ann'), ('dan', 'ben'), ('dan', 'dan'), ('ann', 'ann'), ('ben', 'ben'), "
        "('cid', 'cid')) as h(ancestor_user_key, descendant_user_key)"
    ),
    (
        "create table marts.fct_deal as select * from (values ('1', 'ann', 10), ('2', 'cid', 20), "
        "('3', 'dan', 40), ('4', 'unassigned', 80)) as d(deal_key, owner_user_key, amount)"
    ),
    "create table marts.fct_quote_line as select deal_key, amount as net from marts.fct_deal",
    (
        "create table marts.dim_contact as select 'c' || i as contact_key, 'Eva' as name "
        "from range(3) as r(i)"
    ),
    "create table marts.bridge_deal_contact as select '1' as deal_key, 'c1' as contact_key",
    (
        "create table marts.mart_quota_gap as select * from (values ('company', 'all', 150), "
        "('team', 'dach', 10), ('team', 'west', 20), ('team', 'board', 40), ('user', 'ann', 10), "
        "('manager', 'dan', 50)) as q(scope_type, scope_key, won)"
    ),
    "create table marts.mart_win_rate as select 0.5 as win_rate",
    "create table marts.dim_date as select date '2026-01-01' as date",
    "create view marts.fct_deal_daily as select deal_key, amount from marts.fct_deal",
)
ROLES = ("read", "dach", "west", "board", "finance")


@pytest.fixture
def published(server: Server, tmp_path: Path) -> tuple[Server, str, PostgresServing]:
    """The marts of two teams and their board, and a login ``<role>_of_<database>`` of each kind."""
    path = tmp_path / "one.duckdb"
    with duckdb.connect(str(path)) as db:
        for statement in TABLES:
            db.execute(statement)
    database = server.database()
    settings = serving(
        server,
        database,
        reader_role=f"read_{database}",
        teams={team: (f"{team}_{database}",) for team in ("dach", "west", "board")},
        all_rows=(f"finance_{database}",),
    )
    for number in range(2):  # the second time over the shape that stands
        with duckdb.connect(str(path)) as db:
            db.execute(f"update marts.dim_date set date = date '2026-01-01' + {number}")
        done = put(settings, path)
        assert (None, []) == (done.error, done.notes)
    with psycopg.connect(server.dsn(database, "admin"), autocommit=True) as admin:
        for role in ROLES:
            login = sql.Identifier(f"{role}_of_{database}")
            group = sql.Identifier(f"{role}_{database}")
            admin.execute(sql.SQL("create role {} login in role {}").format(login, group))
    return server, database, settings


def test_a_reader_sees_the_rows_of_its_teams(
    published: tuple[Server, str, PostgresServing],
) -> None:
    """R-09: whoever leads people sees theirs; who belongs to no team sees none."""
    server, database, _ = published

    def seen(query: str) -> dict[str, list[object]]:
        return {
            role: [row[0] for row in server.rows(database, query, f"{role}_of_{database}")]
            for role in ROLES
        }

    deals = {"read": [], "dach": ["1"], "west": ["2"], "board": ["1", "3"]}
    deals["finance"] = ["1", "2", "3", "4"]
    for mart in ("fct_deal", "fct_quote_line", "fct_deal_daily"):
        assert deals == seen(f"select deal_key from marts.{mart} order by 1"), mart
    assert {
        "read": [],
        "dach": ["team dach", "user ann"],
        "west": ["team west"],
        "board": ["manager dan", "team board", "team dach", "user ann"],
        "finance": [
            *("company all", "manager dan", "team board", "team dach", "team west", "user ann"),
        ],
    } == seen("select scope_type || ' ' || scope_key from marts.mart_quota_gap order by 1")
    contacts = seen("select contact_key from marts.dim_contact order by 1")
    assert (["c1"], [], []) == (contacts["dach"], contacts["west"], contacts["read"])
    assert [0, 0, 0, 0, 1] == list(_counts(seen("select 1 from marts.mart_win_rate")))
    assert [1, 1, 1, 1, 1] == list(_counts(seen("select 1 from marts.dim_date")))


def _counts(seen: dict[str, list[object]]) -> list[int]:
    return [len(rows) for rows in seen.values()]


FORBIDDEN = (
    "delete from marts.fct_deal",
    "insert into marts.dim_date values ('2030-01-01')",
    "update marts.fct_deal set amount = 0",
    "truncate marts.fct_deal",
    "create table marts.mine (key int)",
    "drop table marts.fct_deal",
    "alter table marts.fct_deal disable row level security",
    "select name from marts.dim_contact",
    "select * from marts.dim_contact",
    "select message from meta.check_failures",
    "select mart from meta.published",
    "insert into meta.reader_scope values ('x', 'all', '')",
)


def test_a_reader_cannot_write_nor_read_what_is_restricted(
    published: tuple[Server, str, PostgresServing],
) -> None:
    """R-09: finance sees all rows, and for all that no name of a contact."""
    server, database, _ = published

    for role in ("dach", "finance"):
        with psycopg.connect(
            server.dsn(database, f"{role}_of_{database}"), autocommit=True
        ) as reader:
            for statement in FORBIDDEN:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    reader.execute(statement)


def test_teams_that_are_taken_out_of_the_settings_open_the_marts_again(
    published: tuple[Server, str, PostgresServing], tmp_path: Path
) -> None:
    """Policies that stay behind would show a reader nothing, and nobody would know why."""
    server, database, settings = published

    done = put(settings.model_copy(update={"teams": {}}), tmp_path / "one.duckdb")

    assert done.error is None
    for role in ("read", "dach"):
        found = server.rows(
            database, "select count(*) from marts.fct_deal", f"{role}_of_{database}"
        )
        assert [(4,)] == found


def test_each_mart_belongs_to_somebody_or_is_hidden() -> None:
    """A new mart that shows the wrong rows to a team would be found by that team."""
    marts = [
        Table(
            model["name"],
            None,
            tuple(Column(one["name"], "VARCHAR", None) for one in model["columns"]),
        )
        for path in sorted((ROOT / "dbt_project" / "models" / "marts").glob("_*__models.yml"))
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])
    ]
    settings = PostgresServing(dsn=SecretStr("dbname=sales"))
    names = [mart.name for mart in marts]

    found: dict[str, list[str]] = {}
    for mart in marts:
        found.setdefault(rule_of(mart, settings, names)[0], []).append(mart.name)

    assert PINNED == {rule: sorted(names) for rule, names in found.items()}


PINNED: dict[str, list[str]] = {
    "company": ["dim_company"],
    "contact": ["dim_contact"],
    "deal": [
        "bridge_deal_company",
        "bridge_deal_contact",
        "bridge_deal_invoice",
        "fct_deal_change",
        "fct_email",
        "fct_order_line",
        "fct_quote_line",
        "fct_ticket",
        "mart_attribution",
    ],
    "hidden": [
        "fct_bill",
        "fct_credit_note_line",
        "fct_delivery",
        "fct_email_body",
        "fct_payment",
        "fct_stock",
        "map_record_alias",
        "mart_after_sales",
        "mart_ar_ageing_bucket",
        "mart_bookings_billings_cash",
        "mart_cash_forecast",
        "mart_contact_engagement",
        "mart_data_health",
        "mart_funnel_cohort",
        "mart_funnel_flow",
        "mart_funnel_lead_to_cash",
        "mart_mrr_movement",
        "mart_probability_calibration",
        "mart_product_demand",
        "mart_sales_velocity",
        "mart_source_health",
        "mart_stage_velocity",
        "mart_win_rate",
    ],
    "invoice": [
        "fct_credit_note",
        "fct_invoice",
        "fct_invoice_line",
        "fct_payment_allocation",
        "mart_ar_ageing",
        "mart_revenue_schedule",
    ],
    "owner": [
        "bridge_deal_credit",
        "bridge_user_hierarchy",
        "dim_user",
        "fct_activity",
        "fct_check_result",
        "fct_deal",
        "fct_deal_daily",
        "fct_deal_stage",
        "fct_deal_version",
        "fct_lead",
        "fct_order",
        "fct_pipeline_movement",
        "fct_quote",
        "mart_deal_billing_recon",
        "mart_deal_health",
        "mart_follow_up",
        "mart_order_to_cash",
        "mart_rep_performance",
        "mart_win_probability",
    ],
    "scope": [
        "fct_forecast_submission",
        "fct_period_close",
        "fct_period_figure",
        "fct_period_restatement",
        "fct_quota",
        "mart_billed_vs_forecast",
        "mart_forecast",
        "mart_forecast_accuracy",
        "mart_forecast_quota",
        "mart_pipeline_movement",
        "mart_quota_gap",
    ],
    "shared": ["dim_date", "dim_fiscal_period", "dim_pipeline", "dim_stage", "fct_fx_rate"],
}

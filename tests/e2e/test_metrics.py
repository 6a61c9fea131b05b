"""The semantic layer's measures equal the marts' own numbers.

MetricFlow writes the SQL of each metric from the semantic models; it runs on what is published.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
from metricflow_semantics.model.dbt_manifest_parser import (
    parse_manifest_from_dbt_generated_manifest,
)
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from pipeledger.pipeline import warehouse_of
from tests.e2e.road import Road

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("company"), pytest.mark.timeout(900)),
]

COUNTED = "from marts.fct_deal where not is_deleted and not is_excluded"
QUARTERS = (
    "from marts.mart_quota_gap where scope_type = 'company' and period_grain = 'quarter' "
    "and credit_type = 'revenue'"
)
UNBILLED = "from marts.mart_deal_billing_recon where billing_status = 'unbilled_late'"
MONTHS = "from marts.mart_bookings_billings_cash"
BY_HAND = {
    "deals_created": f"count(*) {COUNTED}",
    "won_deals": f"count(*) {COUNTED} and status = 'won'",
    "lost_deals": f"count(*) {COUNTED} and status = 'lost'",
    "decided_deals": f"count(*) {COUNTED} and status <> 'open'",
    "win_rate": f"count(*) filter (where status = 'won') / count(*) {COUNTED} and status <> 'open'",
    "bookings_rc": f"sum(amount_at_won_rc) {COUNTED} and status = 'won'",
    "open_pipeline_rc": f"sum(amount_rc) {COUNTED} and status = 'open'",
    "quota_rc": f"sum(quota_rc) {QUARTERS}",
    "quota_won_rc": f"sum(won_rc) {QUARTERS}",
    "quota_gap_rc": f"sum(gap_rc) {QUARTERS}",
    "quota_attainment": f"sum(won_rc) / sum(quota_rc) {QUARTERS}",
    "stalled_deals": "count(*) from marts.mart_deal_health where is_stalled",
    "stalled_rc": "sum(amount_rc) from marts.mart_deal_health where is_stalled",
    "won_unbilled_deals": f"count(*) {UNBILLED}",
    "won_unbilled_rc": f"sum(booked_net_rc) {UNBILLED}",
    "invoiced_net_rc": f"sum(invoiced_net_rc) {MONTHS}",
    "credited_net_rc": f"sum(credited_net_rc) {MONTHS}",
    "billed_net_rc": f"sum(invoiced_net_rc) - sum(credited_net_rc) {MONTHS}",
    "collected_rc": f"sum(paid_rc) {MONTHS}",
    "mrr_rc": "sum(mrr_end_rc) from marts.mart_mrr_movement where start_date = "
    "(select max(start_date) from marts.mart_mrr_movement)",
    "receivables_rc": "sum(balance_rc) from marts.mart_ar_ageing where is_today",
}

Ask = Callable[..., str]


class _Renderer:
    """What MetricFlow needs of a database to write SQL for it; the SQL runs on a reader's file."""

    sql_engine_type = SqlEngine.DUCKDB
    sql_plan_renderer = DuckDbSqlPlanRenderer()


@pytest.fixture(scope="module")
def ask(road: Road) -> Ask:
    """The SQL of a query: names of metrics, then what to group by."""
    path = warehouse_of(road.settings).parent / "dbt" / "semantic_manifest.json"
    manifest = parse_manifest_from_dbt_generated_manifest(path.read_text(encoding="utf-8"))
    named = {metric["name"] for metric in json.loads(path.read_text(encoding="utf-8"))["metrics"]}
    assert named == BY_HAND.keys()
    client: Any = _Renderer()
    engine = MetricFlowEngine(SemanticManifestLookup(manifest), client)

    def written(*metrics: str, by: tuple[str, ...] = ()) -> str:
        request = MetricFlowQueryRequest.create(metric_names=metrics, group_by_names=by)
        sql = engine.explain(request).sql_statement.sql
        # Readers open the serving file itself, whose name is the build's.
        return sql.replace('"pipeledger"."marts"', "marts")

    return written


@pytest.mark.parametrize("metric", sorted(BY_HAND))
def test_a_metric_equals_the_mart(ask: Ask, road: Road, metric: str) -> None:
    """Two tools that ask for one thing get one number."""
    ((found,),) = road.rows(ask(metric))
    ((expected,),) = road.rows(f"select {BY_HAND[metric]}")

    assert expected is not None
    assert expected == found


def test_bookings_by_month_add_up_to_the_bookings_of_every_day(ask: Ask, road: Road) -> None:
    """A month cuts time at the company's days; the sum of the months is the whole."""
    months = road.rows(ask("bookings_rc", "won_deals", by=("metric_time__month",)))
    ((total, deals),) = road.rows(ask("bookings_rc", "won_deals"))

    assert len(months) > 1
    assert (total, deals) == (sum(row[1] for row in months), sum(row[2] for row in months))


def test_mrr_of_months_is_not_added_up(ask: Ask, road: Road) -> None:
    """A year's MRR is that of its last month."""
    (years,) = [road.rows(ask("mrr_rc", by=("metric_time__year",)))]
    by_hand = road.rows(
        "select date_trunc('year', start_date), arg_max(total, start_date) from "
        "(select start_date, sum(mrr_end_rc) as total from marts.mart_mrr_movement group by 1) "
        "group by 1"
    )

    assert {str(year)[:10]: value for year, value in by_hand} == {
        str(year)[:10]: value for year, value in years
    }

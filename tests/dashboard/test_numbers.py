"""Every number on a page is the mart's, and the deals behind it add up to it."""

from decimal import Decimal
from typing import Any

import pytest

from dashboard.app import DATASETS, Pages, make_app
from dashboard.deal_sets import SETS, listing, total
from dashboard.pages import movement, overview, people, reconciliation
from dashboard.view import View
from tests.dashboard.conftest import look
from tests.e2e.road import Road

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("company")]


def _sum(view: View, name: str, **extra: Any) -> Decimal:
    found = view.reader.rows(total(name), {**view.parameters, "a": None, "b": None, **extra})
    return found[0]["value_rc"] or Decimal(0)


def test_won_and_open_are_the_quota_gaps_for_every_scope_and_period(road: Road) -> None:
    rows = road.rows(
        "select scope_type, scope_key, period_key, won_rc, open_pipeline_rc, is_closed_period "
        "from marts.mart_quota_gap where scope_type in ('company', 'team', 'user') "
        "and credit_type = 'revenue' and (is_current_period or scope_type <> 'user')"
    )
    assert len(rows) > 40
    for kind, key, period, won, is_open, is_closed in rows:
        scope = "company" if kind == "company" else f"{kind}:{key}"
        view = look(road.settings, f"?period={period}&scope={scope}")
        assert _sum(view, "won") == won, (scope, period)
        if not is_closed:
            assert _sum(view, "due") == is_open, (scope, period)


def test_a_movements_deals_add_up_to_its_bar(road: Road) -> None:
    for query in (
        "",
        "?scope=team:japan",
        "?scope=user:will.ford@nordlicht.example",
        "?pipeline=hubspot:default",
        "?period=FY2027-Q2",
    ):
        view = look(road.settings, query)
        moved = [row for row in view.rows(movement.BRIDGE) if row["row_type"] == "movement"]
        assert moved, query
        for row in moved:
            assert _sum(view, "moved", a=row["reason"]) == row["amount_rc"], (query, row["reason"])


def test_the_weeks_changes_add_up_to_their_bars(road: Road) -> None:
    view = look(road.settings)
    for row in view.rows(overview.CHANGED):
        assert _sum(view, "changed", a=row["reason"]) == row["amount_rc"]


def test_the_bridges_balance_as_they_are_shown(road: Road) -> None:
    view = look(road.settings)
    rows = view.rows(movement.BRIDGE)
    steps = [row["amount_rc"] for row in rows if row["row_type"] != "end"]
    assert sum(steps) == rows[-1]["amount_rc"]
    cash = view.rows(reconciliation.TO_CASH)[0]
    assert cash["residual_rc"] == 0
    ends = ("billed_rc", "residual_rc")
    parts = [cash[name] for name in cash if name.endswith("_rc") and name not in ends]
    assert sum(parts) == cash["billed_rc"]


def test_unbilled_and_stalled_are_what_the_demo_says(road: Road) -> None:
    view = look(road.settings)
    unbilled, stalled = (
        road.rows(
            "select sum(booked_net_rc) from marts.mart_deal_billing_recon "
            "where billing_status = 'unbilled_late'"
        )[0][0],
        road.rows("select sum(amount_rc) from marts.mart_deal_health where is_stalled")[0][0],
    )
    assert _sum(view, "billing", a="unbilled_late") == unbilled
    assert _sum(view, "stalled") == stalled


def test_the_status_matrix_holds_every_row_of_the_mart(road: Road) -> None:
    rows = look(road.settings).rows(reconciliation.MATRIX)
    truth = road.rows(
        "select count(*), sum(booked_net_rc), sum(billed_net_rc) from marts.mart_deal_billing_recon"
    )[0]
    assert (
        sum(row["n_rows"] for row in rows),
        sum(row["booked_net_rc"] or 0 for row in rows),
        sum(row["billed_net_rc"] or 0 for row in rows),
    ) == truth


def test_sellers_are_the_marts(road: Road) -> None:
    found = {row["subject_key"]: row["won_rc"] for row in look(road.settings).rows(people.REPS)}
    truth = dict(
        road.rows(
            "select subject_key, won_rc from marts.mart_rep_performance "
            "join marts.dim_fiscal_period using (period_key) where is_current"
        )
    )
    assert found == truth


def test_every_query_answers_under_every_kind_of_filter(road: Road) -> None:
    for query in (
        "",
        "?scope=team:japan&lang=ja",
        "?scope=user:will.ford@nordlicht.example",
        "?pipeline=hubspot:default&period=FY2027-M08",
        "?period=nonsense",
    ):
        view = look(road.settings, query)
        for data in DATASETS.values():
            view.rows(data)
        for name in SETS:
            view.reader.rows(listing(name), {**view.parameters, "basis": "deal"})


def test_what_is_shown_is_what_is_exported(road: Road) -> None:
    client = make_app(road.settings).server.test_client()
    view = look(road.settings)
    for name in ("quota", "bridge", "leakage", "reps"):
        text = client.get(f"/export/{name}.csv").get_data(as_text=True)
        assert f"as of {view.build['as_of']:%Y-%m-%d %H:%M} UTC" in text.splitlines()[0]
        rows = view.rows(DATASETS[name])
        for row in rows:
            for column in DATASETS[name].columns:
                if column.kind == "money" and row[column.name] is not None:
                    assert str(row[column.name]) in text, (name, column.name)
    assert client.get("/export/quota.exe").status_code == 404
    assert client.get("/export/secrets.csv").status_code == 404


def test_a_block_of_the_list_is_sorted_and_paged_by_the_server(road: Road) -> None:
    app = make_app(road.settings)
    pages = Pages(road.settings)
    with app.server.test_request_context("/"):
        wanted = {"startRow": 0, "endRow": 50, "sortModel": [{"colId": "name", "sort": "asc"}]}
        first = pages.block(wanted, "set=all")
        second = pages.block({**wanted, "startRow": 50}, "set=all")
        odd = pages.block(
            {"startRow": 0, "sortModel": [{"colId": "1; drop", "sort": "asc"}]}, "set=all"
        )
    names = [row["name"] for block in (first, second) for row in block["rowData"]]
    assert first["rowCount"] == second["rowCount"] == odd["rowCount"] > 900
    assert len({row["key"] for row in first["rowData"] + second["rowData"]}) == 100
    truth = road.rows(
        "select name from marts.fct_deal where not is_deleted and not is_excluded "
        "and duplicate_of_deal_key is null order by name, deal_key limit 100"
    )
    assert names == [name for (name,) in truth]

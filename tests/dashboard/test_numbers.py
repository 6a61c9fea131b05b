"""Numbers for every scope and period, what is exported, and how a list is paged."""

import pytest

from dashboard.app import DATASETS, Pages, make_app
from dashboard.deal_sets import LISTS, listing
from dashboard.filters import Filters
from dashboard.pages import movement, reconciliation
from dashboard.view import View
from tests.dashboard.conftest import look
from tests.e2e.road import Road

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("company")]


def test_won_and_open_are_the_quota_gaps_for_every_scope_and_period(road: Road) -> None:
    rows = road.rows(
        "select scope_type, scope_key, period_key, won_rc, open_pipeline_rc, is_closed_period "
        "from marts.mart_quota_gap where scope_type in ('company', 'team', 'user') "
        "and credit_type = 'revenue' and (is_current_period or scope_type <> 'user')"
    )
    assert len(rows) > 40
    first = look(road.settings)
    for kind, key, period, won, is_open, is_closed in rows:
        scope = "company" if kind == "company" else f"{kind}:{key}"
        filters = Filters(period=period, scope=scope)
        view = View(road.settings, first.reader, filters, first.now)
        view.build = first.build
        assert (view.total("won")["value_rc"] or 0) == won, (scope, period)
        if not is_closed:
            assert (view.total("due")["value_rc"] or 0) == is_open, (scope, period)


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


def test_every_query_answers_under_every_kind_of_filter(road: Road) -> None:
    for query in (
        "",
        "?scope=team:japan&lang=ja",
        "?scope=user:will.ford@nordlicht.example",
        "?pipeline=hubspot:default&period=FY2027-M08",
        "?period=nonsense&currency=deal",
        "?day=2026-09-10&currency=deal",
    ):
        view = look(road.settings, query)
        for data in DATASETS.values():
            view.rows(data)
        for name in LISTS:
            view.reader.rows(listing(name, is_past=view.is_past), view.parameters)


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

"""Who may look, and that a viewer of a team gets that team's rows of every mart."""

import pytest

from dashboard.access import OPEN_TO_ALL, Viewer, rule, viewer_of
from dashboard.app import make_app
from dashboard.deal_sets import listing
from pipeledger.settings.dashboard import Dashboard, DashboardViewer
from tests.dashboard.conftest import look
from tests.e2e.road import Road

SIGNED_IN = Dashboard(
    user_header="X-Forwarded-Email",
    viewers=(
        DashboardViewer(user="head@example.com"),
        DashboardViewer(user="lead@example.com", teams=("japan",)),
    ),
)


def test_nobody_is_asked_where_the_settings_name_no_header() -> None:
    assert viewer_of(Dashboard(), "anybody") == Viewer()


@pytest.mark.parametrize("header", [None, "", "stranger@example.com", "lead@example.com,x"])
def test_whom_the_settings_do_not_name_sees_nothing(header: str | None) -> None:
    assert viewer_of(SIGNED_IN, header) is None


def test_the_header_says_who_it_is() -> None:
    assert viewer_of(SIGNED_IN, " Lead@Example.com ") == Viewer("lead@example.com", ("japan",))
    assert viewer_of(SIGNED_IN, "head@example.com") == Viewer("head@example.com")


def test_a_mart_that_no_rule_covers_is_empty() -> None:
    assert rule("mart_new", {"amount_rc", "company_key"}) == "false"


@pytest.mark.e2e
@pytest.mark.xdist_group("company")
def test_a_viewer_of_a_team_gets_no_row_of_another(road: Road) -> None:
    viewer = Viewer("lead@example.com", ("japan",))
    view = look(road.settings, viewer=viewer)
    users = {
        key
        for (key,) in road.rows(
            "select user_key from marts.dim_user where is_current and team_key = 'japan'"
        )
    }
    assert users
    marts = view.reader.rows(
        "select table_name as mart, string_agg(column_name, ',') as names from duckdb_columns() "
        "where schema_name = 'marts' and database_name = 'published' group by 1"
    )
    assert len(marts) > 50
    for mart in marts:
        name, columns = mart["mart"], set(mart["names"].split(","))
        found = view.reader.rows(f'select * from "{name}" limit 20000')
        if name in OPEN_TO_ALL:
            assert found
        if "owner_user_key" in columns and "deal_key" not in columns:
            assert {row["owner_user_key"] for row in found} <= users, name
        if "scope_type" in columns:
            assert {row["scope_key"] for row in found} <= {"japan", *users}, name
        if (
            "team_key" in columns
            and "is_company_row" not in columns
            and "scope_type" not in columns
        ):
            assert {row["team_key"] for row in found} <= {"japan"}, name
    own = {row["deal_key"] for row in view.reader.rows("select deal_key from fct_deal")}
    assert 0 < len(own) < 1000
    every = view.reader.rows(listing("all"), view.parameters)
    assert {row["deal_key"] for row in every} <= own
    assert view.reader.rows("select * from mart_bookings_billings_cash") == []


@pytest.mark.e2e
@pytest.mark.xdist_group("company")
def test_the_server_asks_for_the_header_at_every_address(road: Road) -> None:
    client = make_app(
        road.settings.model_copy(update={"dashboard": SIGNED_IN})
    ).server.test_client()
    for path in ("/", "/deal?key=x", "/_dash-layout", "/export/quota.csv", "/assets/filters.js"):
        assert client.get(path).status_code == 403, path
    lead = {"X-Forwarded-Email": "lead@example.com"}
    assert client.get("/", headers=lead).status_code == 200
    key = road.rows(
        "select deal_key from marts.fct_deal join marts.dim_user as u on owner_user_key = user_key "
        "and u.is_current where team_key <> 'japan' limit 1"
    )[0][0]
    for name in ("stays", "versions", "invoices", "payments", "mails"):
        text = client.get(f"/export/{name}.csv?key={key}", headers=lead).get_data(as_text=True)
        assert len(text.strip().splitlines()) == 2, name

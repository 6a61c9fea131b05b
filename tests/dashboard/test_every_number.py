"""Every number of every page is the mart's, its picture shows it, and its deals come to it."""

from decimal import Decimal
from typing import Any

import pytest

from dashboard.app import DATASETS, MODULES
from dashboard.deal_sets import OF_A_DAY, total
from dashboard.filters import Filters, parse
from dashboard.pages import deal
from dashboard.parts import NUMERIC, SHOWN
from dashboard.shell import PAGES
from dashboard.view import Data, View
from tests.dashboard.conftest import look
from tests.dashboard.drawn import Drawn, Panel, draw
from tests.dashboard.truths import SUMS, TILES, TRUTHS, WITHOUT_DEALS, Asked
from tests.e2e.road import Road

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("company")]

SELLER = "will.ford@nordlicht.example"
LOOKS = (
    "",
    "?scope=team:japan&lang=ja",
    f"?scope=user:{SELLER}&lang=id",
    "?pipeline=hubspot:default",
    "?period=FY2027-Q2",
)
"""A company, a team, a seller, a pipeline and an earlier quarter, in three languages."""


class Behind:
    """The lists that numbers lead to; each is counted once."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._known: dict[str, dict[str, Any]] = {}

    def __call__(self, href: str) -> dict[str, Any]:
        """How many rows the list has, and what they come to."""
        if href not in self._known:
            filters = parse(href.partition("?")[2])
            there = View(self.view.settings, self.view.reader, filters, self.view.now)
            there.build = self.view.build
            if filters.period == self.view.filters.period:
                there.period = self.view.period
            said = {name: filters.extra.get(name) for name in "abc"}
            self._known[href] = there.total(filters.extra["set"], **said)
        return self._known[href]


def _numbers(data: Data, rows: list[dict[str, Any]]) -> list[str]:
    names = [column.name for column in data.columns if column.kind in NUMERIC]
    return sorted(repr([_plain(row[name]) for name in names]) for row in rows)


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal | float | int) else value


@pytest.mark.parametrize("query", LOOKS)
def test_every_number_is_the_marts_and_leads_to_what_is_behind_it(road: Road, query: str) -> None:
    view, asked = look(road.settings, query), Asked(query)
    behind = Behind(view)
    seen = set()
    for page in PAGES:
        drawn = draw(view, page)
        for data in MODULES[page].DATASETS:
            seen.add(data.name)
            rows = view.rows(data)
            names = [column.name for column in data.columns if column.kind in NUMERIC]
            truth = view.reader.rows(TRUTHS[data.name](asked))
            named = [dict(zip(names, row.values(), strict=True)) for row in truth]
            assert _numbers(data, rows) == _numbers(data, named), data.name
            if data.name == "stages":
                _holds_lanes(view, drawn, rows, behind)
            else:
                _holds_table(view, data, drawn.panels[data.name], rows, behind)
        for label, (kind, sql) in TILES.get(page, {}).items():
            found = view.reader.rows(sql(asked))
            value = next(iter(found[0].values())) if found else None
            assert drawn.tiles[view.words(label)].text == view.text(kind, value, {}), label
    assert seen == set(DATASETS) - {data.name for data in deal.DATASETS}


def _holds_table(
    view: View, data: Data, panel: Panel, rows: list[dict[str, Any]], behind: Behind
) -> None:
    """A table shows its rows, and each number leads to what is behind it."""
    assert len(panel.rows) == min(len(rows), SHOWN), data.name
    for row, line in zip(rows, panel.rows, strict=False):
        for column, cell in zip(data.columns, line, strict=True):
            if column.kind not in NUMERIC:
                continue
            name = (data.name, column.name)
            assert cell.text == view.text(column.kind, row[column.name], row), name
            is_of_a_deal = data.columns[0].kind == "deal"
            is_known_to_lead_nowhere = column.name in WITHOUT_DEALS.get(data.name, ())
            is_nothing = row[column.name] is None or (
                column.kind == "count" and not row[column.name]
            )
            if is_nothing or is_of_a_deal or is_known_to_lead_nowhere:
                continue
            assert cell.href is not None, name
            if name in SUMS and not _is_of_its_list(view, data, row):
                come = behind(cell.href)
                told = come["n"] if column.kind == "count" else come["value_rc"] or 0
                assert told == row[column.name], (name, cell.href)
            elif view.filters == Filters() and column.name != "gap_rc":  # nothing won is no deal
                assert behind(cell.href)["n"] or not row[column.name], (name, cell.href)


def _is_of_its_list(view: View, data: Data, row: dict[str, Any]) -> bool:
    is_of_bookings = data.name == "bookings" and row["row_type"] != "movement"
    return is_of_bookings or (view.is_past and row.get("reason") == "fx")


def _holds_lanes(view: View, drawn: Drawn, rows: list[dict[str, Any]], behind: Behind) -> None:
    """The board shows value and number of each stage, which are those of its list."""
    assert len(drawn.lanes) == len(rows) > 0
    for row, (value, number) in zip(rows, drawn.lanes, strict=True):
        assert value.text == view.words.money(row["amount_rc"], view.currency)
        assert number.text == view.words("n_deals", n=view.words.count(row["n_deals"]))
        assert value.href is not None
        assert value.href == number.href
        come = behind(value.href)
        assert (come["n"], come["value_rc"] or 0) == (row["n_deals"], row["amount_rc"])


def test_headlines_lead_to_deals_that_come_to_them(road: Road) -> None:
    view = look(road.settings)
    behind = Behind(view)
    for page, labels in {
        "overview": (
            *("col.quota_rc", "col.won_rc", "col.open_pipeline_rc"),
            *("overview.unbilled", "overview.stalled"),
        ),
        "movement": ("code.start", "code.end", "col.no_close_date_rc"),
        "forecast": ("col.quota_rc",),
        "reconciliation": ("overview.unbilled", "col.residual_rc"),
    }.items():
        tiles = draw(view, page).tiles
        for label in labels:
            tile = tiles[view.words(label)]
            assert tile.href is not None, label
            come = behind(tile.href)["value_rc"] or Decimal(0)
            assert tile.text == view.words.money(come, view.currency), label


def test_a_picture_shows_the_numbers_of_its_table(road: Road) -> None:
    view = look(road.settings)
    pictured = set()
    for page in PAGES:
        drawn = draw(view, page)
        for data in MODULES[page].DATASETS:
            figure = drawn.panels.get(data.name, Panel()).figure
            if figure is None:
                continue
            pictured.add(data.name)
            rows = view.rows(data)
            known = _columns(data, rows)
            for trace in figure["data"]:
                is_lying = trace.get("orientation") == "h" or trace.get("mode") == "markers"
                values = [_plain(value) for value in trace["x" if is_lying else "y"]]
                assert values in known, (data.name, trace.get("name"))
                if trace["type"] == "waterfall" and data.name != "to_cash":
                    short = [
                        view.words.short_money(row["amount_rc"], view.currency) for row in rows
                    ]
                    assert [text.removeprefix("+") for text in trace["text"]] == short
    assert len(pictured) > 12


def _columns(data: Data, rows: list[dict[str, Any]]) -> list[list[Any]]:
    """What a picture of these rows may draw, as plain numbers."""
    found = []
    for column in data.columns:
        if column.kind in NUMERIC:
            values = [_plain(row[column.name]) for row in rows]
            known = [value for value in values if value is not None]
            found += [values, known, known[:15]]
            if column.kind == "share":
                found.append([None if value is None else value * 100 for value in values])
    if data.name == "to_cash":
        found += [[_plain(row[name]) for name in row if name.endswith("_rc")][:-1] for row in rows]
    if data.name == "methods":
        sure = [row for row in rows if row["p10_rc"] is not None]
        found.append([float(row["p90_rc"] - row["p10_rc"]) for row in sure])
    if data.name == "flags":
        months = sorted({row["month"] for row in rows})
        by = {(row["month"], row["severity"]): row["n_records"] for row in rows}
        found += [
            [float(by.get((month, severity), 0)) for month in months]
            for severity in ("warn", "error")
        ]
    return found


@pytest.mark.parametrize("day", ["2026-09-10", "2026-08-31"])
def test_an_earlier_day_is_the_daily_marts(road: Road, day: str) -> None:
    view = look(road.settings, f"?day={day}")
    behind = Behind(view)
    drawn = {page: draw(view, page) for page in ("pipeline", "movement", "overview")}
    stood = (
        f"from marts.fct_deal_daily where basis = 'restated' and date = date '{day}' "
        "and status = 'open' and not is_deleted and not is_merged_away and not is_excluded "
    )
    stages = {
        row["stage_key"]: (row["n"], row["amount_rc"])
        for row in view.reader.rows(
            f"select stage_key, count(*) as n, sum(amount_rc) as amount_rc {stood} group by 1"
        )
    }
    rows = view.rows(DATASETS["stages"])
    _holds_lanes(view, drawn["pipeline"], rows, behind)
    assert {
        row["stage_key"]: (row["n_deals"], row["amount_rc"]) for row in rows if row["n_deals"]
    } == stages
    due = view.reader.rows(
        f"select sum(amount_rc) as amount_rc {stood} "
        "and expected_close_date between date '2026-08-01' and date '2026-10-31'"
    )[0]["amount_rc"]
    for page in ("movement", "overview"):
        bridge = drawn[page].panels["bridge"]
        _holds_table(view, DATASETS["bridge"], bridge, view.rows(DATASETS["bridge"]), behind)
    assert view.rows(DATASETS["bridge"])[-1]["amount_rc"] == due
    # What the postings leave unsaid is exchange rates: nothing of deals in our own currency.
    sides = " union all ".join(
        f"select deal_key, {sign}amount_rc as rc {stood.replace(day, side)} "
        "and expected_close_date between date '2026-08-01' and date '2026-10-31'"
        for sign, side in (("", day), ("-", "2026-07-31"))
    )
    left = view.reader.rows(
        f"select sum(rc) as rc from ({sides} union all select deal_key, -amount_rc "
        "from marts.fct_pipeline_movement where basis = 'restated' and window_type = 'period' "
        "and ledger = 'pipeline' and is_company_row and period_key = 'FY2027-Q3' "
        f"and posted_date <= date '{day}') "
        "where deal_key in (select deal_key from marts.fct_deal where currency_code = 'EUR')"
    )
    assert left[0]["rc"] == 0
    assert drawn["movement"].tiles[view.words("code.end")].text == view.words.money(
        due, view.currency
    )
    won = view.reader.rows(
        "select count(*) as n from marts.fct_deal where status = 'won' and not is_deleted "
        f"and not is_excluded and closed_date between date '2026-08-01' and date '{day}'"
    )[0]["n"]
    assert view.total("won")["n"] == won


def test_today_seen_as_a_day_is_the_publication(road: Road) -> None:
    """The two ways to the same deals: as they are, and as they stood at the end of the day."""
    view = look(road.settings)
    for name in OF_A_DAY:
        said = {"a": "commit"} if name == "category" else {}
        if name == "stage":
            said = {"a": "hubspot:default:qualifiedtobuy"}
        asked = {**view.parameters, "a": None, **said}
        now, then = (
            view.reader.rows(total(name, is_past=is_past), asked)[0] for is_past in (False, True)
        )
        if name == "all":  # a day keeps closed deals for ninety days
            assert then["n"] < now["n"]
        else:
            assert then == now, name

"""Filters stand in the address and nowhere else."""

import pytest

from dashboard.filters import Filters, page_of, parse


def test_what_is_chosen_comes_back_out_of_the_address() -> None:
    chosen = Filters(
        period="FY2027-Q3",
        scope="team:emea & co",
        pipeline="hubspot:default",
        currency="deal",
        method="commit",
        day="2026-09-10",
        edition="20261128T142040233996-8eb9",
        lang="ja",
    )
    assert parse(chosen.query()) == chosen


def test_a_link_keeps_the_filters_and_drops_what_is_of_one_page() -> None:
    filters = parse("?period=FY2027-Q3&set=won&key=x&page=4")
    assert parse(filters.query(scope="team:west")) == Filters(period="FY2027-Q3", scope="team:west")


@pytest.mark.parametrize(
    "query",
    [
        "?scope=planet:earth",
        "?scope=team:",
        "?currency=gold&method=dice&lang=tlh",
        "?edition=../../etc/passwd",
        "?day=2026-02-31",
        "?period=" + "x" * 400,
        "?" + "a=b&" * 3000,
    ],
)
def test_what_makes_no_sense_counts_as_not_said(query: str) -> None:
    assert parse(query) == Filters()


@pytest.mark.parametrize(("said", "page"), [("3", 3), ("0", 1), ("-2", 1), ("²", 1), ("1e9", 1)])
def test_a_page_is_a_number_from_one(said: str, page: int) -> None:
    assert page_of(Filters(extra={"page": said})) == page

"""The dashboard in a browser: every page, filters, drill, export, states, barriers."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from dashboard.app import Pages, make_app
from dashboard.filters import LANGUAGES
from dashboard.i18n import Words
from dashboard.shell import PAGES, path_of
from pipeledger.pipeline import clock_of
from pipeledger.settings import Settings
from tests.dashboard.conftest import Site, look, served_from
from tests.e2e.road import Road

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("company")]
Serve = Callable[[Settings], Site]
# A busy machine is slow and not wrong.
expect.set_options(timeout=30_000)


class Watched:
    """A tab that remembers what went wrong in it and where it went."""

    def __init__(
        self,
        tab: Page,
        colours: Literal["light", "dark"] = "light",
        size: tuple[int, int] = (1280, 900),
    ) -> None:
        self.tab = tab
        self.tab.emulate_media(color_scheme=colours)
        self.tab.set_viewport_size({"width": size[0], "height": size[1]})
        self.tab.set_default_timeout(30_000)
        self.faults: list[str] = []
        self._listeners = {
            "console": self._said,
            "pageerror": lambda error: self.faults.append(str(error)),
            "request": self._asked,
        }
        for event, listener in self._listeners.items():
            self.tab.on(event, listener)  # type: ignore[call-overload]

    def _said(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:http://127.0.0.1:")):
            self.faults.append(f"asked {request.url}")

    def open(self, address: str) -> Page:
        """Go there and wait until it is drawn."""
        self.tab.goto(address)
        self.tab.wait_for_selector("#page.ready #content")
        return self.tab

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for event, listener in self._listeners.items():
            self.tab.remove_listener(event, listener)
        assert self.faults == []

    def turn_to(self, page: str) -> Page:
        """Go to another page as a reader does: by its link, without loading the program again."""
        self.tab.locator(f"nav.pages a[href*='{path_of(page)}?']").first.click()
        self.tab.wait_for_selector(f"#page.ready #content[data-page={page}] h1")
        return self.tab


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """One tab for all tests here: what it has loaded and compiled, Plotly above all, stays."""
    tab = browser.new_page()
    yield tab
    tab.close()


@pytest.fixture(scope="module")
def site(road: Road, serve: Serve) -> Site:
    """The dashboard of the company, one for all tests here."""
    return serve(road.settings)


_AXE = Axe().axe_script
# A table's later rows are made as its first ones, and a picture is drawn by Plotly.
_WHERE = {
    "exclude": [["tbody tr:nth-child(n+5)"], [".main-svg"], [".lane:nth-child(n+3)"], ["option"]]
}
_WCAG = ("wcag2a", "wcag2aa")
_RULES: dict[str, dict[str, Any]] = {
    # What a language or dark colours may break; how a page is built is the same in all of them.
    "en": {"runOnly": [*_WCAG, "best-practice"]},
    "ja": {"runOnly": [*_WCAG]},
    "id": {"runOnly": [*_WCAG], "rules": {"color-contrast": {"enabled": False}}},
}


def _barriers(tab: Page, language: str = "en") -> list[str]:
    rules = {**_RULES[language], "resultTypes": ["violations"], "preload": False}
    if not tab.evaluate("typeof axe === 'object'"):
        tab.evaluate(_AXE)
    found = tab.evaluate("([where, rules]) => axe.run(where, rules)", [_WHERE, rules])["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_in_every_language(site: Site, window: Page, language: str) -> None:
    words = Words(language)
    with Watched(window, "dark" if language == "ja" else "light") as watched:
        tab = watched.open(f"{site.address}/?lang={language}")
        assert tab.evaluate("document.documentElement.lang") == language
        for page in PAGES:
            watched.turn_to(page)
            expect(tab.locator("h1")).to_have_text(words(f"page.{page}"))
            assert tab.locator(".state-failed").count() == 0
            assert _barriers(tab, language) == [], page


def test_filters_go_into_the_address_and_back_takes_them_out(
    road: Road, site: Site, window: Page
) -> None:
    with Watched(window) as watched:
        tab = watched.open(f"{site.address}/?lang=en")
        company = tab.locator(".tile-number").first.inner_text()
        tab.locator("select[data-filter=scope]").select_option("team:japan")
        team = look(road.settings, "?scope=team:japan")
        quota = team.reader.rows(
            "select quota_rc from mart_quota_gap where scope_key = 'japan' and is_current_period"
        )[0]["quota_rc"]
        expect(tab.locator(".tile-number").first).to_have_text(
            team.words.money(quota, team.currency)
        )
        assert "scope=team%3Ajapan" in tab.url
        tab.locator("nav.pages a").nth(4).click()
        expect(tab.locator("h1")).to_have_text("Movement")
        assert "scope=team%3Ajapan" in tab.url
        tab.go_back()
        expect(tab.locator("h1")).to_have_text("Overview")
        tab.go_back()
        expect(tab.locator(".tile-number").first).to_have_text(company)
        expect(tab.locator("select[data-filter=scope]")).to_have_value("company")


def test_an_earlier_day_goes_into_the_address(site: Site, window: Page) -> None:
    with Watched(window) as watched:
        tab = watched.open(f"{site.address}/movement?lang=en")
        tab.locator("input[data-filter=day]").fill("2026-09-10")
        tab.locator("input[data-filter=day]").blur()
        expect(tab.locator(".notice-day")).to_contain_text("the end of Sep 10, 2026")
        assert "day=2026-09-10" in tab.url
        watched.turn_to("people")
        expect(tab.locator(".notice-day")).to_contain_text("keep no single days")


def test_from_a_number_to_its_deals_to_a_deal_to_its_trace(
    site: Site, window: Page, tmp_path: Path
) -> None:
    with Watched(window) as watched:
        tab = watched.open(f"{site.address}/?lang=en")
        won = tab.locator("a.tile-number").nth(1).inner_text()
        tab.locator("a.tile-number").nth(1).click()
        expect(tab.locator("h1")).to_have_text("Deals")
        expect(tab.locator(".tile-number").nth(1)).to_have_text(won)
        tab.wait_for_selector(".ag-row a")
        assert _barriers(tab) == []
        with tab.expect_download() as saved:
            tab.locator("a.export").first.click()
        saved.value.save_as(tmp_path / "deals.csv")
        count = int(tab.locator(".tile-number").first.inner_text())
        lines = (tmp_path / "deals.csv").read_text(encoding="utf-8").splitlines()
        assert len(lines) == count + 2
        tab.locator(".ag-header-cell-text", has_text="Name").click()
        expect(tab.locator("[col-id=name][aria-sort=ascending]")).to_be_visible()
        name = tab.locator(".ag-row a").first.inner_text()
        tab.locator(".ag-row a").first.click()
        expect(tab.locator("h2.deal-name")).to_have_text(name)
        for part in ("stays", "versions", "contacts", "mails", "quotes", "invoices", "payments"):
            assert tab.locator(f"section#{part}").count() == 1
        assert _barriers(tab) == []
        tab.locator("a.button").click()
        expect(tab.locator("h1")).to_have_text("Trace")
        expect(tab.locator("ol.versions li").first).to_be_visible()
        assert _barriers(tab) == []


def test_hostile_names_are_text(hostile: Settings, serve: Serve, window: Page) -> None:
    site = serve(hostile)
    with Watched(window) as watched:
        for address in ("/pipeline?lang=en", "/deals?set=open&lang=en", "/funnel?lang=en"):
            tab = watched.open(site.address + address)
            if "deals" in address:
                tab.wait_for_selector(".ag-row a")
                names = tab.locator(".ag-row a").all_inner_texts()
                assert "<script>window.harmed = true</script>" in names
            if "funnel" in address:
                expect(tab.locator("#cohort .ytick").first).to_contain_text("<b><script>window")
            assert tab.evaluate("window.harmed") is None
            assert tab.locator("img[src=x]").count() == 0


def test_states_are_designed(road: Road, serve: Serve, window: Page, tmp_path: Path) -> None:
    paths = road.settings.paths.model_copy(update={"serving": tmp_path / "none"})
    bare = serve(road.settings.model_copy(update={"paths": paths}))
    later = clock_of(road.settings)() + timedelta(days=3)
    stale = serve(road.settings.model_copy(update={"clock": later}))
    emptied = serve(
        served_from(
            road.settings,
            tmp_path / "emptied",
            [
                "delete from marts.fct_deal",
                "delete from marts.mart_quota_gap",
                "delete from marts.mart_pipeline_movement",
                "delete from marts.mart_forecast",
                "delete from marts.fct_pipeline_movement",
                "delete from marts.mart_deal_health",
                "update meta.source_status set state = 'partial' where stream = 'deals'",
            ],
        )
    )
    pages = Pages(emptied.settings)
    with make_app(emptied.settings).server.test_request_context("/"):
        for page in (*map(path_of, PAGES), "/deals", "/deal"):
            assert "state-failed" not in str(pages.draw(page, "?lang=en")), page
    broken = serve(
        served_from(road.settings, tmp_path / "broken", ["drop table marts.mart_quota_gap"])
    )
    with Watched(window) as watched:
        tab = watched.open(f"{bare.address}/?lang=en")
        expect(tab.locator(".state-unpublished h2")).to_have_text("Nothing is published yet")
        tab = watched.open(f"{stale.address}/?lang=en")
        expect(tab.locator(".notice-stale")).to_contain_text("Stale sources")
        tab = watched.open(f"{emptied.address}/?lang=en")
        expect(tab.locator(".notice-partial")).to_contain_text("deals")
        expect(tab.locator("#quota .empty")).to_be_visible()
        tab = watched.open(f"{broken.address}/?lang=en")
        expect(tab.locator(".state-failed h2")).to_be_visible()
        tab = watched.open(f"{bare.address}/nowhere?lang=en")
        expect(tab.locator(".state-missing h2")).to_be_visible()


def test_a_keyboard_and_a_phone_are_enough(site: Site, window: Page) -> None:
    with Watched(window, size=(390, 844)) as watched:
        tab = watched.open(f"{site.address}/?lang=en")
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.className") == "skip"
        for page in PAGES:
            watched.turn_to(page)
            wide = tab.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, page
        tab.locator("#theme").focus()
        before = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        tab.keyboard.press("Enter")
        assert tab.evaluate("getComputedStyle(document.body).backgroundColor") != before

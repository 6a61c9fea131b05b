"""Three catalogues with the same keys, and numbers as each language writes them."""

import re
import string
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import dashboard
from dashboard.app import DATASETS, MODULES
from dashboard.deal_sets import LISTS, columns
from dashboard.filters import LANGUAGES, METHODS
from dashboard.i18n import Words, catalogue, plain, shortened

_SAID = re.compile(
    r"""words\(\s*"([a-z_.]+)"|"((?:col|empty|overview|recon|health|deals)\.[a-z_]+)"""
)


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_every_key_with_the_same_places(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    assert set(other) == set(english)
    assert all(other.values())
    assert {key: _places(text) for key, text in other.items()} == {
        key: _places(text) for key, text in english.items()
    }


def test_every_text_that_the_pages_name_is_in_the_catalogue() -> None:
    folder = Path(dashboard.__file__).parent
    named = {
        first or second
        for path in folder.rglob("*.py")
        for first, second in _SAID.findall(path.read_text(encoding="utf-8"))
    }
    named |= {f"col.{one.name}" for data in DATASETS.values() for one in data.columns}
    named |= {f"data.{name}" for name in DATASETS}
    named |= {f"page.{name}" for name in MODULES}
    named |= {f"set.{name}" for name in LISTS}
    named |= {f"col.{name}" for listed in LISTS for name in columns(listed)}
    named |= {f"code.{name}" for name in METHODS}
    assert len(named) > 200
    assert named - set(catalogue("en")) == set()


def test_money_is_exact_and_as_the_language_writes_it() -> None:
    amount = Decimal("12345678901234.5600")
    assert Words("en").money(amount, "EUR") == "€12,345,678,901,234.56"
    assert Words("id").money(amount, "EUR") == "€12.345.678.901.234,56"
    assert Words("ja").money(Decimal("1234.0000"), "JPY") == "￥1,234"


def test_instants_are_in_the_companys_zone() -> None:
    at = datetime(2026, 10, 15, 6, 0, tzinfo=UTC)
    shown = Words("en", "Europe/Berlin").instant(at).replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert shown == "Oct 15, 2026 8:00 AM +0200"
    assert Words("ja", "Asia/Tokyo").instant(at).startswith("2026/10/15 15:00")


def test_a_word_that_no_catalogue_has_is_shown_as_it_is() -> None:
    assert Words("ja").code("won") == "受注"
    assert Words("ja").code("brand_new_status") == "brand new status"


def test_marks_that_turn_the_reading_direction_are_not_shown() -> None:
    assert plain("invoice\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe") == "invoicefdp.exe"
    assert plain("a\x00b\nc") == "a b c"
    assert shortened("x" * 100, 10) == "x" * 9 + "…"

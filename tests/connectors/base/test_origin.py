"""Where a credential may go is read from the part of an address that says so."""

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.base.errors import OriginRefused
from connectors.base.transport import Origin

TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="\\"))


@given(TEXT, TEXT)
@example("", "@evil.example/")
@example("/deals#", "@evil.example/")
@example(":443@evil.example/", "x")
@example(".evil.example/", "x")
@example("@evil.example#", "/@good.example")
def test_an_origin_is_where_the_request_would_go(place: str, query: str) -> None:
    """It is read without the query, which may be long; the request goes by all of the address."""
    url = f"https://good.example{place}?{query}"
    try:
        origin = Origin.of(url)
        goes_to = httpx.URL(url)
    except (OriginRefused, httpx.InvalidURL):
        return

    assert goes_to.host.rstrip(".").lower() == origin.host
    assert (goes_to.port or 443) == origin.port
    assert not goes_to.userinfo


@pytest.mark.parametrize("letter", ["\\", " ", "\n", "\x00", "\t"])
def test_a_letter_that_programs_read_differently_is_refused_wherever_it_stands(
    letter: str,
) -> None:
    """One takes a backslash for a slash, another drops a line's end."""
    for url in (f"https://good.example/{letter}", f"https://good.example/?q={letter}"):
        with pytest.raises(OriginRefused, match="backslash"):
            Origin.of(url)

"""Pages end when the vendor says so, and never go round."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.base.client import Response
from connectors.base.decode import partial
from connectors.base.errors import OriginRefused, PaginationLoop, ProtocolError
from connectors.base.paging import (
    CursorPages,
    Fetch,
    KeysetPages,
    LinkPages,
    OffsetPages,
    RawPage,
    by_get,
    link_header,
)
from sandbox.exchange import Reply, Request, reply_json
from sandbox.http import SandboxServer
from tests.connectors.base.asking import NOON, client_of, vendor


class Listed(msgspec.Struct):
    rows: list[msgspec.Raw]
    next: str | None = None
    more: bool = False
    total: int = 0


class Row(msgspec.Struct):
    id: int


CURSOR = CursorPages(Listed, rows=lambda page: page.rows, next=lambda page: page.next)
LINK = LinkPages(Listed, rows=lambda page: page.rows, next=lambda page, _: page.next)
OFFSET = OffsetPages(
    Listed, rows=lambda page: page.rows, more=lambda page, after: after < page.total
)
KEYSET = KeysetPages(
    Listed,
    rows=lambda page: page.rows,
    more=lambda page: page.more,
    key=lambda row: str(partial(row, Row).id),
)


def scripted(answer: Callable[[str | None], dict[str, Any]]) -> Fetch:
    """Answers made from the token, without a server."""

    async def fetch(token: str | None) -> Response:
        body = msgspec.json.encode(answer(token))
        return Response(200, {}, body, NOON, "https://vendor.example/v1/list?page=0")

    return fetch


def row(number: int) -> dict[str, int]:
    return {"id": number}


def ids(pages: list[RawPage[Listed]]) -> list[int]:
    return [partial(one, Row).id for page in pages for one in page.rows]


async def take(pages: AsyncIterator[RawPage[Listed]], count: int) -> None:
    for _ in range(count):
        await anext(pages)


async def test_a_cursor_is_followed_over_short_and_empty_pages() -> None:
    """A page cap lowered under way, or a page all filtered out, is not the end."""
    script: dict[str | None, dict[str, Any]] = {
        None: {"rows": [row(1), row(2)], "next": "a"},
        "a": {"rows": [], "next": "b"},
        "b": {"rows": [row(3)], "next": "c"},
        "c": {"rows": [row(4)], "next": ""},
    }

    pages = [page async for page in CURSOR.read(scripted(script.__getitem__))]

    assert [1, 2, 3, 4] == ids(pages)
    assert ["a", "b", "c", None] == [page.next for page in pages]


async def test_a_token_resumes_after_its_page() -> None:
    """A crash repeats at most the page that was not yet durable."""
    script: dict[str | None, dict[str, Any]] = {"b": {"rows": [row(3)]}}

    pages = [page async for page in CURSOR.read(scripted(script.__getitem__), start="b")]

    assert [3] == ids(pages)


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: {"rows": [row(1)], "next": "same"},
        lambda token: {"rows": [row(len(token or ""))], "next": "b" if token == "a" else "a"},
        lambda token: {"rows": [row(7)], "next": (token or "") + "x"},
        lambda token: {"rows": [], "next": (token or "") + "x"},
    ],
    ids=["same token", "two in turn", "same page", "empty for ever"],
)
async def test_a_cursor_that_goes_round_is_a_loop(
    answer: Callable[[str | None], dict[str, Any]],
) -> None:
    """Read on, it would fill the disk or never end."""
    pages = CURSOR.read(scripted(answer))

    with pytest.raises(PaginationLoop):
        await take(pages, 12)


async def test_pages_without_end_stop_at_the_cap() -> None:
    """New tokens and new rows for ever: only a count can tell."""
    endless = CursorPages(Listed, rows=CURSOR.rows, next=CURSOR.next, max_pages=5)

    with pytest.raises(PaginationLoop, match="after 5 pages"):
        async for _ in endless.read(
            scripted(lambda token: {"rows": [row(len(token or ""))], "next": (token or "") + "x"})
        ):
            pass


async def test_offsets_move_by_the_rows_received() -> None:
    """Asked for 100, given 2: the next offset is 2, or 98 rows are lost."""
    stock = [row(number) for number in range(5)]

    def answer(token: str | None) -> dict[str, Any]:
        first = int(token or 0)
        return {"rows": stock[first : first + 2], "total": len(stock)}

    pages = [page async for page in OFFSET.read(scripted(answer))]

    assert [0, 1, 2, 3, 4] == ids(pages)
    assert ["2", "4", None] == [page.next for page in pages]


async def test_an_offset_that_stands_still_is_a_loop() -> None:
    """A total larger than the list would be asked for ever."""
    with pytest.raises(PaginationLoop):
        async for _ in OFFSET.read(scripted(lambda _: {"rows": [], "total": 9}), start="4"):
            pass


async def test_a_keyset_goes_on_after_the_last_row() -> None:
    """The key is the last row's, whatever the page holds."""
    script: dict[str | None, dict[str, Any]] = {
        None: {"rows": [row(9), row(8)], "more": True},
        "8": {"rows": [row(7)], "more": False},
    }

    pages = [page async for page in KEYSET.read(scripted(script.__getitem__))]

    assert [9, 8, 7] == ids(pages)


@pytest.mark.parametrize("rows", [[], [{"id": 8}]], ids=["empty", "same"])
async def test_a_keyset_that_does_not_move_is_a_loop(rows: list[dict[str, int]]) -> None:
    """More is promised, but there is nothing to begin after."""
    with pytest.raises(PaginationLoop):
        async for _ in KEYSET.read(scripted(lambda _: {"rows": rows, "more": True})):
            pass


async def test_an_error_under_a_200_is_not_the_last_page() -> None:
    """Without its row field an answer is no page at all."""
    with pytest.raises(ProtocolError):
        async for _ in CURSOR.read(scripted(lambda _: {"error": "internal"})):
            pass


async def test_relative_and_absolute_links_are_followed_inside_the_origin(tmp_path: Path) -> None:
    """The credential goes with each page, so each link is checked."""

    def answer(request: Request) -> Reply:
        page = int(request.param("page") or 0)
        follow = {0: "/list?page=1", 1: f"http://{request.headers['host']}/list?page=2"}
        return reply_json({"rows": [row(page)], "next": follow.get(page)})

    with SandboxServer(answer) as server:
        async with client_of(server, tmp_path) as client:
            pages = [page async for page in LINK.read(by_get(client, "/list", {"limit": "9"}))]

    assert [0, 1, 2] == ids(pages)
    assert ["/list?limit=9", "/list?page=1", "/list?page=2"] == [
        request.target for request in server.requests
    ]


async def test_a_foreign_next_link_is_refused_and_its_server_sees_no_token(tmp_path: Path) -> None:
    """A poisoned page must not send our key elsewhere."""
    with vendor() as thief:
        away = reply_json({"rows": [row(1)], "next": f"{thief.url}/list"})
        with vendor(away) as server:
            async with client_of(server, tmp_path) as client:
                with pytest.raises(OriginRefused):
                    async for _ in LINK.read(by_get(client, "/list")):
                        pass

    assert [] == list(thief.requests)


async def test_a_token_is_added_to_the_parameters_of_every_page(tmp_path: Path) -> None:
    """A filter that is missing on page two brings records that were not asked for."""

    def answer(request: Request) -> Reply:
        follow = None if request.param("after") else "n&1"
        return reply_json({"rows": [row(1)], "next": follow})

    with SandboxServer(answer) as server:
        async with client_of(server, tmp_path) as client:
            ask = by_get(client, "/list", (("type", "a"), ("type", "b")), param="after")
            async for _ in CURSOR.read(ask):
                pass

    assert ["/list?type=a&type=b", "/list?type=a&type=b&after=n%261"] == [
        request.target for request in server.requests
    ]


@pytest.mark.parametrize(
    ("header", "link"),
    [
        ('<https://v.example/a?p=2>; rel="next", <https://v.example/a?p=9>; rel="last"', "p=2"),
        ("<https://v.example/a?p=3>; rel=next", "p=3"),
        ('<https://v.example/a?p=9>; rel="last"', None),
        ("", None),
    ],
)
def test_a_link_header_names_the_next_page(header: str, link: str | None) -> None:
    """RFC 8288: quotes are optional, other relations are not ours."""
    found = link_header(Response(200, {"link": header}, b"", NOON))

    assert (f"https://v.example/a?{link}" if link else None) == found

"""How vendors say "there is more": paging as values.

A value names the envelope (a msgspec Struct) and how to read the rows and the next token
out of it; ``read`` asks for page after page:

    class Deals(msgspec.Struct):
        results: list[msgspec.Raw]          # required: an error under a 200 is refused
        paging: Paging | None = None

    DEALS = CursorPages(
        Deals,
        rows=lambda page: page.results,
        next=lambda page: page.paging.next.after if page.paging else None,
    )
    ask = by_get(client, "/crm/objects/2026-09/deals", {"limit": "100"}, param="after")
    async for page in DEALS.read(ask):
        page.rows, page.response, page.next

Every value stops only on the vendor's own word, never on the length of a page, and
raises PaginationLoop when a token comes twice, when two pages running are equal, when
more is promised over ten empty pages, or when pages do not end. A reader that asks in
another way (POST, two pages ahead) hands in its own ``Fetch``.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

import httpx
import msgspec

from connectors.base.client import Client, Params, Response
from connectors.base.errors import PaginationLoop, ProtocolError

E = TypeVar("E")
Token: TypeAlias = str
Fetch: TypeAlias = Callable[[Token | None], Awaitable[Response]]
"""Asks for the page that a token names; None is the first page."""
_Following: TypeAlias = Callable[[E, Sequence[msgspec.Raw], Response, Token | None], Token | None]

MAX_PAGES = 100_000
MAX_EMPTY_PAGES = 10


@dataclass(frozen=True, slots=True)
class RawPage(Generic[E]):
    """One page: rows as the vendor's own bytes, and the token that resumes after them.

    ``next`` None means that the vendor said this is the last page.
    """

    rows: Sequence[msgspec.Raw]
    response: Response
    next: Token | None
    envelope: E


class _LoopGuard:
    """Remembers what was seen, in a few bytes a page."""

    def __init__(self, max_pages: int) -> None:
        self._max_pages = max_pages
        self._tokens: set[bytes] = set()
        self._last_rows = b""
        self._pages = 0
        self._empty = 0

    def check(self, rows: Sequence[msgspec.Raw], token: Token) -> None:
        """Look at a page that promises another."""
        self._pages += 1
        if self._pages >= self._max_pages:
            raise PaginationLoop(f"more is promised after {self._pages} pages")
        mark = hashlib.blake2b(token.encode(), digest_size=12).digest()
        if mark in self._tokens:
            raise PaginationLoop(f"the pages go round: the token {token[:80]!r} came twice")
        self._tokens.add(mark)
        if not rows:
            self._empty += 1
            if self._empty > MAX_EMPTY_PAGES:
                raise PaginationLoop(f"more is promised after {self._empty} empty pages")
            return
        self._empty = 0
        digest = hashlib.blake2b(digest_size=16)
        for row in rows:
            digest.update(row)
        if digest.digest() == self._last_rows:
            raise PaginationLoop("the same page came twice running")
        self._last_rows = digest.digest()


async def _walk(
    fetch: Fetch,
    start: Token | None,
    *,
    envelope: type[E],
    rows: Callable[[E], Sequence[msgspec.Raw]],
    following: _Following[E],
    max_pages: int,
) -> AsyncIterator[RawPage[E]]:
    guard = _LoopGuard(max_pages)
    token = start
    while True:
        response = await fetch(token)
        page = response.decode(envelope)
        here = rows(page)
        upcoming = following(page, here, response, token)
        if upcoming is not None:
            guard.check(here, upcoming)
            if upcoming == token:
                raise PaginationLoop(f"the next page is this page: token {upcoming[:80]!r}")
        yield RawPage(here, response, upcoming, page)
        if upcoming is None:
            return
        token = upcoming


def by_get(
    client: Client,
    path: str,
    params: Params = (),
    *,
    param: str | None = None,
    budget: str = "default",
    cost: int = 1,
) -> Fetch:
    """Ask by GET with the token in ``param``; without ``param`` the token is the address.

    ``params`` go with every page, but not with a next link, which carries its own.
    """
    pairs = list(params.items()) if isinstance(params, Mapping) else list(params)

    async def fetch(token: Token | None) -> Response:
        if token is not None and param is None:
            return await client.get(token, budget=budget, cost=cost)
        asked = pairs if token is None or param is None else [*pairs, (param, token)]
        return await client.get(path, params=asked, budget=budget, cost=cost)

    return fetch


@dataclass(frozen=True, slots=True)
class CursorPages(Generic[E]):
    """The answer carries an opaque token for the next page, or none."""

    envelope: type[E]
    rows: Callable[[E], Sequence[msgspec.Raw]]
    next: Callable[[E], Token | None]
    max_pages: int = MAX_PAGES

    def read(self, fetch: Fetch, *, start: Token | None = None) -> AsyncIterator[RawPage[E]]:
        """Yield pages from the token ``start`` on."""

        def following(
            page: E, _rows: Sequence[msgspec.Raw], _response: Response, _token: Token | None
        ) -> Token | None:
            return self.next(page) or None

        return _walk(
            *(fetch, start),
            envelope=self.envelope,
            rows=self.rows,
            following=following,
            max_pages=self.max_pages,
        )


@dataclass(frozen=True, slots=True)
class LinkPages(Generic[E]):
    """The answer carries the address of the next page, in the body or a Link header.

    A relative link is joined to the address that answered; the client refuses any that
    leaves the origin.
    """

    envelope: type[E]
    rows: Callable[[E], Sequence[msgspec.Raw]]
    next: Callable[[E, Response], str | None]
    max_pages: int = MAX_PAGES

    def read(self, fetch: Fetch, *, start: Token | None = None) -> AsyncIterator[RawPage[E]]:
        """Yield pages; tokens are absolute addresses."""

        def following(
            page: E, _rows: Sequence[msgspec.Raw], response: Response, _token: Token | None
        ) -> Token | None:
            link = self.next(page, response)
            if not link:
                return None
            try:
                return str(httpx.URL(response.url).join(link))
            except httpx.InvalidURL as fault:
                raise ProtocolError(f"the next link is no address: {fault}") from None

        return _walk(
            *(fetch, start),
            envelope=self.envelope,
            rows=self.rows,
            following=following,
            max_pages=self.max_pages,
        )


def link_header(response: Response) -> str | None:
    """The address of ``rel="next"`` in a Link header (RFC 8288); None where there is none."""
    for link in response.headers.get("link", "").split(","):
        address, _, attributes = link.partition(";")
        if "rel=next" in attributes.replace('"', "").replace(" ", ""):
            return address.strip().removeprefix("<").removesuffix(">")
    return None


@dataclass(frozen=True, slots=True)
class OffsetPages(Generic[E]):
    """Rows are asked for by number; ``more(envelope, offset_after)`` is the vendor's word.

    The offset moves by the rows received, so that a vendor that gives fewer than asked
    loses nothing. Rows shift when the list changes under way: only with a stable order,
    and an overlap or a second pass.
    """

    envelope: type[E]
    rows: Callable[[E], Sequence[msgspec.Raw]]
    more: Callable[[E, int], bool]
    first: int = 0
    max_pages: int = MAX_PAGES

    def read(self, fetch: Fetch, *, start: Token | None = None) -> AsyncIterator[RawPage[E]]:
        """Yield pages; tokens are offsets as text."""

        def following(
            page: E, rows: Sequence[msgspec.Raw], _response: Response, token: Token | None
        ) -> Token | None:
            after = (self.first if token is None else int(token)) + len(rows)
            return str(after) if self.more(page, after) else None

        return _walk(
            *(fetch, start),
            envelope=self.envelope,
            rows=self.rows,
            following=following,
            max_pages=self.max_pages,
        )


@dataclass(frozen=True, slots=True)
class KeysetPages(Generic[E]):
    """The next page begins after the last row's key; ``more`` is the vendor's own word."""

    envelope: type[E]
    rows: Callable[[E], Sequence[msgspec.Raw]]
    more: Callable[[E], bool]
    key: Callable[[msgspec.Raw], Token]
    max_pages: int = MAX_PAGES

    def read(self, fetch: Fetch, *, start: Token | None = None) -> AsyncIterator[RawPage[E]]:
        """Yield pages; tokens are keys."""

        def following(
            page: E, rows: Sequence[msgspec.Raw], _response: Response, _token: Token | None
        ) -> Token | None:
            if not self.more(page):
                return None
            if not rows:
                raise PaginationLoop("more is promised after an empty page, which has no key")
            return self.key(rows[-1])

        return _walk(
            *(fetch, start),
            envelope=self.envelope,
            rows=self.rows,
            following=following,
            max_pages=self.max_pages,
        )

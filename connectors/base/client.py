"""The one way to a vendor's HTTP API: bounded, budgeted, retried, and never fooled.

A connector asks ``get``, ``post_json`` or ``post_form`` and gets a ``Response`` with a
status that it said was fine, or an error of the family in ``errors``. It never sleeps,
never counts requests and never sees a credential.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import urlencode

import httpx

from connectors.base.answer import Garbled, Response, described, must_be_json, retry_after
from connectors.base.auth import Auth
from connectors.base.budget import Budget, Budgets, Observed
from connectors.base.errors import (
    AccessDenied,
    BudgetSpent,
    ProtocolError,
    SourceError,
    VendorError,
)
from connectors.base.stream import Resources
from connectors.base.transport import (
    Answer,
    Bounds,
    Origin,
    Transient,
    base_origin,
    check_addresses,
    exchange,
    new_http,
    with_params,
    without_query,
)

__all__ = ["Client", "ClientSettings", "Params", "Response", "retry_after"]

Params: TypeAlias = Mapping[str, str] | Sequence[tuple[str, str]]

OK = frozenset({200})
RETRIED = frozenset({408, 423, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Where the vendor is and how it wants to be asked.

    ``observe`` reads the vendor's rate headers into what is left per limit. ``judge`` may
    turn an unaccepted answer into its own error, before the general rules apply; it gets
    what the general message says. ``proper`` refuses an accepted answer that is not what is
    due, by raising: ``Garbled`` where another try may help. ``again`` says whether an
    answer is worth another try, True or False, or None for what its status means in
    general; a refused credential never is. ``stale`` says of a 401 whether another token
    may help, where the vendor also answers 401 for a missing right; it always may where it
    is None. ``pause`` gives the seconds to wait before the next try where the vendor asks
    for its own rhythm (attempt counts from 1).
    """

    base_url: str
    budgets: tuple[Budget, ...] = (Budget(),)
    ca_file: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    observe: Callable[[Mapping[str, str]], Mapping[str, Observed]] | None = None
    judge: Callable[[Response, str], SourceError | None] | None = None
    proper: Callable[[Response], None] = must_be_json
    again: Callable[[Response], bool | None] | None = None
    stale: Callable[[Response], bool] | None = None
    pause: Callable[[Response, int], float | None] | None = None
    attempts: int = 5
    longest_pause_seconds: float = 60.0
    """A vendor that asks for more gets BudgetSpent: the next run goes on."""
    first_pause_seconds: float = 0.5
    deadline_seconds: float = 300.0
    """Of one request with all its tries, waiting for the budget not counted."""
    bounds: Bounds = field(default_factory=Bounds)


class Client:
    """The HTTP client of one open connection."""

    def __init__(
        self,
        settings: ClientSettings,
        auth: Auth,
        http: httpx.AsyncClient,
        budgets: Budgets,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._auth = auth
        self._http = http
        self._budgets = budgets
        self._clock = clock
        self._origin = base_origin(settings.base_url)
        self._is_checked = False
        self.requests = 0
        self.bytes = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: ClientSettings, *, auth: Auth, resources: Resources
    ) -> AsyncIterator["Client"]:
        """Open connections and budgets; both end with the block.

        Raises:
            ConfigError: the base URL or the certificate file cannot be used.
        """
        budgets = Budgets(settings.budgets, resources.state_dir)
        try:
            async with new_http(ca_file=settings.ca_file) as http:
                yield cls(settings, auth, http, budgets, resources.clock)
        finally:
            budgets.close()

    def report(self) -> Mapping[str, Any]:
        """What is used and left of each allowance."""
        return self._budgets.report()

    async def get(
        self,
        path_or_url: str,
        *,
        params: Params = (),
        budget: str = "default",
        cost: int = 1,
        ok: frozenset[int] = OK,
        headers: Mapping[str, str] | None = None,
        proper: Callable[[Response], None] | None = None,
    ) -> Response:
        """GET a path of the base URL, or a link that the vendor gave.

        ``headers`` go with this request alone, such as what a conditional one compares, and
        so does ``proper``, where something else is due than what the settings say.
        """
        return await self._ask(
            "GET",
            path_or_url,
            params,
            None,
            budget=budget,
            cost=cost,
            ok=ok,
            more=headers,
            proper=proper,
        )

    async def post_json(
        self,
        path: str,
        body: Any,
        *,
        budget: str = "default",
        cost: int = 1,
        ok: frozenset[int] = OK,
    ) -> Response:
        """POST a JSON body; only for calls that read, because a retry repeats them."""
        content = ("application/json", json.dumps(body).encode())
        return await self._ask("POST", path, (), content, budget=budget, cost=cost, ok=ok)

    async def post_form(
        self,
        path: str,
        form: Mapping[str, str],
        *,
        budget: str = "default",
        cost: int = 1,
        ok: frozenset[int] = OK,
    ) -> Response:
        """POST a form; only for calls that read, because a retry repeats them."""
        content = ("application/x-www-form-urlencoded", urlencode(form).encode())
        return await self._ask("POST", path, (), content, budget=budget, cost=cost, ok=ok)

    async def delete(self, path: str) -> Response:
        """DELETE what the connector made itself to read by it, such as a query job."""
        ok = frozenset({200, 204})
        return await self._ask("DELETE", path, (), None, budget="default", cost=1, ok=ok)

    async def _ask(
        self,
        method: str,
        path: str,
        params: Params,
        content: tuple[str, bytes] | None,
        *,
        budget: str,
        cost: int,
        ok: frozenset[int],
        more: Mapping[str, str] | None = None,
        proper: Callable[[Response], None] | None = None,
    ) -> Response:
        is_link = "://" in path.split("?", 1)[0]
        url = path if is_link else self._settings.base_url.rstrip("/") + path
        url = with_params(url, params)
        Origin.of(url)  # refuses what is no address at all; `exchange` compares it
        what = f"{method} {httpx.URL(without_query(url)).path}"
        began = time.monotonic()
        renewed = False
        attempt = 0
        while True:
            attempt += 1
            headers = dict(await self._auth.headers())
            try:
                asked = {**(more or {}), **headers}
                response = await self._once(method, url, asked, content, budget, cost)
                if response.status in ok:
                    (proper or self._settings.proper)(response)
                    return response
            except Transient as fault:
                trouble, pause, status = f"{what}: {fault}", None, None
                is_nonsense = isinstance(fault, Garbled)
            except ProtocolError as fault:
                raise type(fault)(f"{what}: {fault}") from None
            else:
                trouble, is_nonsense = described(what, response), False
                status = response.status
                stale = self._settings.stale
                if response.status == 401 and not renewed and (stale is None or stale(response)):
                    renewed = True
                    if await self._auth.renew(headers):
                        attempt -= 1
                        continue
                self._refuse(response, trouble)
                pause = self._wanted_pause(response, attempt)
                if response.status == 429:
                    self._budgets.throttled(budget, pause or self._settings.first_pause_seconds)
            wait = self._pause(attempt) if pause is None else pause
            out_of_time = time.monotonic() - began + wait > self._settings.deadline_seconds
            if attempt >= self._settings.attempts or out_of_time:
                kind = ProtocolError if is_nonsense else VendorError
                raise kind(f"{trouble}. It failed {attempt} times; try again later.", status=status)
            await asyncio.sleep(wait)

    async def _once(
        self,
        method: str,
        url: str,
        own: Mapping[str, str],
        content: tuple[str, bytes] | None,
        budget: str,
        cost: int,
    ) -> Response:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "pipeledger",
            **self._settings.headers,
            **own,
        }
        if content is not None:
            headers["Content-Type"] = content[0]
        async with self._budgets.spend(budget, cost):
            self.requests += 1
            if not self._is_checked:
                await check_addresses(self._origin, is_base=True)
                self._is_checked = True
            answer: Answer = await exchange(
                self._http,
                method,
                url,
                allowed=frozenset({self._origin}),
                headers=headers,
                content=None if content is None else content[1],
                bounds=self._settings.bounds,
            )
        self.bytes += len(answer.body)
        if self._settings.observe is not None:
            self._budgets.observe(self._settings.observe(answer.headers))
        return Response(answer.status, answer.headers, answer.body, self._clock(), answer.url)

    def _refuse(self, response: Response, trouble: str) -> None:
        """Raise what a status means; return where another try may mend it."""
        if self._settings.judge is not None:
            verdict = self._settings.judge(response, trouble)
            if verdict is not None:
                raise verdict
        if response.status == 401:
            raise AccessDenied(
                f"{trouble}. Check or renew the credential.", status=401, whole_source=True
            )
        again = None if self._settings.again is None else self._settings.again(response)
        if response.status == 403 and again is not True:
            raise AccessDenied(f"{trouble}. Grant the right, or drop the stream.", status=403)
        if again is False or (again is None and response.status not in RETRIED):
            raise VendorError(trouble, status=response.status)

    def _wanted_pause(self, response: Response, attempt: int) -> float | None:
        """The pause that the vendor wants, in seconds.

        Raises:
            BudgetSpent: it is longer than we wait.
        """
        wanted = retry_after(response.headers, datetime.now(UTC))
        if wanted is None and self._settings.pause is not None:
            wanted = self._settings.pause(response, attempt)
        if wanted is not None and wanted > self._settings.longest_pause_seconds:
            raise BudgetSpent(
                f"the vendor asks to wait {wanted:.0f} s ({response.status}); "
                "the next run goes on from the stored cursor.",
                resets_at=datetime.now(UTC) + timedelta(seconds=wanted),
                status=response.status,
            )
        return wanted

    def _pause(self, attempt: int) -> float:
        """Twice as long each time, with a random share so that clients spread."""
        longest = self._settings.first_pause_seconds * 2.0 ** (attempt - 1)
        return min(self._settings.longest_pause_seconds, longest) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter

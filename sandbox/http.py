"""A small loopback HTTP/1.1 server for sandbox vendors, with faults on demand.

A vendor is one plain function from `Request` to `Reply`; usually a `Router` over methods of
its state. The server runs in a thread of its own (tests) or in a process of its own (demo,
benchmarks), on 127.0.0.1 at a port that the system chooses.

    with SandboxServer(Router().get("/ping", lambda request: reply_json({"ok": True}))) as server:
        httpx.get(server.url + "/ping")

It speaks HTTP itself because faults need the socket: half a body under a full
Content-Length, a connection cut before the answer, bytes that drip.
"""

import asyncio
import multiprocessing
import re
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote

from sandbox.exchange import App, Reply, Request, reply_json

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_LOGGED_REQUESTS = 100_000
IDLE_SECONDS = 60.0


class RollingLimit:
    """At most ``limit`` hits in any ``window_seconds``; what is refused is not counted."""

    def __init__(
        self,
        limit: int,
        window_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = limit
        self.window_seconds = window_seconds
        self._clock = clock
        self._hits: deque[float] = deque()

    def hit(self) -> bool:
        """Count one; False when it is one too many."""
        self._forget()
        if len(self._hits) >= self.limit:
            return False
        self._hits.append(self._clock())
        return True

    @property
    def remaining(self) -> int:
        """How many are left in the current window."""
        self._forget()
        return self.limit - len(self._hits)

    def _forget(self) -> None:
        oldest = self._clock() - self.window_seconds
        while self._hits and self._hits[0] <= oldest:
            self._hits.popleft()


@dataclass(slots=True)
class Fault:
    """A scripted answer in place of the vendor's own, for the next ``times`` matches.

    ``path`` is a regular expression searched in the path. ``skip`` lets so many matches
    pass first. ``answer`` gets the request and the answer that the vendor would have given.
    """

    path: str
    answer: Callable[[Request, Reply], Reply]
    times: int = 1
    skip: int = 0
    method: str | None = None
    met: int = 0
    """How often it struck."""

    def strikes(self, request: Request) -> bool:
        """Count the request if it matches; True if it is the fault's turn."""
        if self.method not in (None, request.method) or not re.search(self.path, request.path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if not self.times:
            return False
        self.times -= 1
        self.met += 1
        return True


class SandboxServer:
    """Serves one app on loopback, in a thread, between ``start`` and ``stop``.

    ``latency_seconds`` is added to every answer (requests in flight wait side by side) and
    may be changed while it runs. ``requests`` is the log of what came in, newest last,
    bounded; a test may clear it. ``tls`` holds the certificate of an encrypted one. The app is
    called from the server's thread only, one request at a time; whoever changes its state
    meanwhile does so under ``lock``.
    """

    def __init__(
        self,
        app: App,
        *,
        latency_seconds: float = 0.0,
        max_connections: int = 256,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.app = app
        self._tls = tls
        self.latency_seconds = latency_seconds
        self.faults: list[Fault] = []
        self.requests: deque[Request] = deque(maxlen=MAX_LOGGED_REQUESTS)
        self.lock = threading.RLock()
        self.port = 0
        self.errors: list[BaseException] = []
        """What the app raised (the client saw a 500); a test asserts that it is empty."""
        self._max_connections = max_connections
        self._connections = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}"

    def fail(
        self,
        path: str,
        answer: Callable[[Request, Reply], Reply],
        *,
        times: int = 1,
        skip: int = 0,
        method: str | None = None,
    ) -> Fault:
        """Script a fault; returns it, so that a test can ask how often it struck."""
        fault = Fault(path, answer, times, skip, method)
        with self.lock:
            self.faults.append(fault)
        return fault

    def count(self, path: str, method: str | None = None) -> int:
        """How many logged requests match a method and a regular expression of the path."""
        with self.lock:
            return sum(
                method in (None, one.method) and re.search(path, one.path) is not None
                for one in self.requests
            )

    def start(self) -> Self:
        """Listen; returns when the port is open."""
        opened = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(opened)), name="sandbox", daemon=True
        )
        self._thread.start()
        if not opened.wait(10):
            raise RuntimeError("the sandbox server did not open its port within 10 s")
        return self

    def stop(self) -> None:
        """Close the port and every connection."""
        if self._loop is not None and self._stopping is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)
            self._loop = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def _serve(self, opened: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(self._converse(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            # A task that is cancelled before it began closes nothing itself.
            task.add_done_callback(lambda _: writer.transport.abort())

        server = await asyncio.start_server(
            accept, "127.0.0.1", 0, limit=MAX_HEAD_BYTES, ssl=self._tls
        )
        self.port = server.sockets[0].getsockname()[1]
        opened.set()
        await self._stopping.wait()
        # Whoever is just being let in has no conversation yet that could be ended, and asyncio
        # forgets his socket when the server closes before it is done with him.
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                while entering := asyncio.all_tasks() - tasks - {asyncio.current_task()}:
                    await asyncio.wait(entering)
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            if self._connections > self._max_connections:
                writer.write(_head(Reply(status=503), 0))
                return
            while request := await _read_request(reader):
                reply = self._answer_logged(request)
                wait = self.latency_seconds + reply.delay_seconds
                if wait > 0:
                    await asyncio.sleep(wait)
                if not await _send(writer, reply):
                    return
        except (ConnectionError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            return  # the client went away or spoke no HTTP: nobody is left to answer
        finally:
            self._connections -= 1
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    def _answer_logged(self, request: Request) -> Reply:
        with self.lock:
            self.requests.append(request)
            try:
                reply = self.app(request)
                for fault in self.faults:
                    if fault.strikes(request):
                        return fault.answer(request, reply)
            except Exception as error:  # noqa: BLE001 - a bug of a vendor must show in the test
                self.errors.append(error)
                return reply_json({"status": "error", "message": f"sandbox bug: {error!r}"}, 500)
            return reply


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection; None when the client is done."""
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
        return None
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= MAX_BODY_BYTES:
        return None
    body = await reader.readexactly(length) if length else b""
    path, _, query = target.partition("?")
    return Request(
        method=method,
        path=unquote(path),
        query=parse_qs(query, keep_blank_values=True),
        headers=headers,
        body=body,
        target=target,
    )


def _head(reply: Reply, length: int) -> bytes:
    names = {name.lower() for name in reply.headers}
    lines = [f"HTTP/1.1 {reply.status} {_reason(reply.status)}"]
    if "date" not in names:
        lines.append(f"Date: {http_date(datetime.now(UTC))}")
    if "content-type" not in names and length:
        lines.append(f"Content-Type: {reply.content_type}")
    lines.append("Transfer-Encoding: chunked" if reply.chunked else f"Content-Length: {length}")
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Vendor"


async def _send(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    """Send an answer; False when the connection must not be used again."""
    if reply.drop:
        return False
    body = reply.body if reply.cut_after is None else reply.body[: reply.cut_after]
    writer.write(_head(reply, len(reply.body)))
    if reply.drip_seconds:
        for start in range(0, len(body), 1024):
            writer.write(body[start : start + 1024])
            await writer.drain()
            await asyncio.sleep(reply.drip_seconds)
    elif reply.chunked:
        writer.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")
        if reply.cut_after is None:
            writer.write(b"0\r\n\r\n")
    else:
        writer.write(body)
    await writer.drain()
    return reply.cut_after is None


def http_date(instant: datetime) -> str:
    """An instant as HTTP writes it, e.g. ``Thu, 15 Oct 2026 06:00:00 GMT``."""
    return format_datetime(instant.astimezone(UTC), usegmt=True)


def _serve_until_told(make: Callable[[], SandboxServer], pipe: Any) -> None:
    with make() as server:
        pipe.send(server.port)
        with suppress(EOFError, KeyboardInterrupt):
            pipe.recv()


@contextmanager
def in_own_process(make: Callable[[], SandboxServer]) -> Iterator[str]:
    """Run a server in a process of its own and yield its URL; it ends with the block.

    ``make`` must be importable from the new process (a function of a module, or a
    `functools.partial` of one). Should this process die, the server's pipe ends and it stops.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve_until_told, args=(make, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(60):
            raise RuntimeError("the sandbox process did not open its port within 60 s")
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        ours.close()
        process.join(10)
        if process.is_alive():
            process.terminate()

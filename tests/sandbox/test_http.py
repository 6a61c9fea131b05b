"""The server under the sandbox vendors does what a fault script says, byte for byte."""

import functools
import gc
import json
import socket
import sys

import httpx
import pytest

from sandbox.exchange import Reply, Request, Router, reply_html, reply_json
from sandbox.http import RollingLimit, SandboxServer, in_own_process


def echo(request: Request) -> Reply:
    return reply_json({"values": request.values, "query": request.query, "method": request.method})


def make_server() -> SandboxServer:
    router = Router().get("/things/{thing}", echo)
    return SandboxServer(router.post("/things", lambda request: reply_json(request.json())))


def test_a_route_gets_its_placeholders_and_query() -> None:
    """Vendor functions read ids from paths; a wrong match would answer for another record."""
    with make_server() as server, httpx.Client(base_url=server.url) as client:
        answer = client.get("/things/a%20b", params={"limit": "5"}).json()

    assert {"values": {"thing": "a b"}, "query": {"limit": ["5"]}, "method": "GET"} == answer


def test_one_connection_serves_many_requests_and_unknown_paths_are_404() -> None:
    """Clients keep connections alive; a server that mixes up bodies would hide real bugs."""
    with make_server() as server, httpx.Client(base_url=server.url) as client:
        bodies = [client.post("/things", json={"n": n}).json() for n in range(20)]
        unknown = client.get("/nothing").status_code
        wrong_method = client.delete("/things").status_code

    assert [{"n": n} for n in range(20)] == bodies
    assert (404, 405) == (unknown, wrong_method)


def test_a_cut_body_promises_more_than_it_sends() -> None:
    """Half a page under a full Content-Length must reach the client as a broken answer."""
    with make_server() as server:
        server.fail("/things", lambda _, reply: Reply(body=reply.body, cut_after=5))

        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{server.url}/things/1")
        recovered = httpx.get(f"{server.url}/things/1").status_code

    assert recovered == 200


def test_a_dropped_connection_and_a_page_of_html_are_scripted_in_turn() -> None:
    """Faults strike in number and order as scripted, and count how often they did."""
    with make_server() as server:
        dropped = server.fail("/things/1", lambda *_: Reply(drop=True), skip=1)
        html = server.fail("/things/1", lambda *_: reply_html("<h1>login</h1>"), times=2)

        first = httpx.get(f"{server.url}/things/1")
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{server.url}/things/1")
        third = httpx.get(f"{server.url}/things/1")
        fourth = httpx.get(f"{server.url}/things/1")

    assert first.text.startswith("<h1>")
    assert third.text.startswith("<h1>")
    assert json.loads(fourth.content)["values"] == {"thing": "1"}
    assert (dropped.met, html.met) == (1, 2)


def test_a_bug_of_a_vendor_is_kept_for_the_test() -> None:
    """A sandbox that answers its own bugs with 500 alone would look like the vendor's fault."""

    def broken(request: Request) -> Reply:
        raise KeyError(request.path)

    with SandboxServer(broken) as server:
        status = httpx.get(f"{server.url}/x").status_code

    assert status == 500
    assert ["KeyError('/x')"] == [repr(error) for error in server.errors]


def test_a_rolling_limit_refuses_the_one_too_many_and_forgets_with_time() -> None:
    """The vendors' limits roll; a fixed window would let twice the rate pass at its border."""
    now = 0.0
    limit = RollingLimit(2, 10.0, clock=lambda: now)

    first = [limit.hit(), limit.hit(), limit.hit()]
    now = 10.0
    later = limit.hit()

    assert [True, True, False] == first
    assert later
    assert limit.remaining == 1


def test_a_server_can_live_in_a_process_of_its_own() -> None:
    """The demo and the benchmarks must not share one interpreter lock with the server."""
    with in_own_process(functools.partial(make_server)) as url:
        answer = httpx.get(f"{url}/things/7").json()["values"]

    assert {"thing": "7"} == answer


def test_a_server_that_is_stopped_while_it_lets_clients_in_forgets_no_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it forgets is found at some later time, and fails whatever test runs then."""
    forgotten: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda one: forgotten.append(str(one.exc_value)))
    gc.freeze()  # what earlier tests left need not be looked through forty times
    try:
        for _ in range(40):
            with make_server() as server:
                clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]
            for client in clients:
                client.close()
            del server
            gc.collect()
    finally:
        gc.unfreeze()

    assert [] == forgotten

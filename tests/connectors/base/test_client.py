"""The client reaches the vendor, only the vendor, and is never fooled by what answers."""

import gzip
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.base.answer import must_be_table
from connectors.base.auth import Bearer
from connectors.base.client import Response, retry_after
from connectors.base.errors import (
    AccessDenied,
    BodyTooLarge,
    BudgetSpent,
    OriginRefused,
    ProtocolError,
    VendorError,
)
from connectors.base.transport import Bounds
from sandbox.exchange import Reply, reply_html, reply_json
from tests.connectors.base.asking import NOON, TOKEN, client_of, vendor


async def test_an_answer_carries_its_bytes_its_time_and_exact_numbers(tmp_path: Path) -> None:
    """A float would lose the cents of a large amount before anybody saw them."""
    with vendor(Reply(body=b'{"amount":1234567890123456.78}')) as server:
        async with client_of(server, tmp_path) as client:
            answer = await client.get("/deals", params={"limit": "5"})

    assert b'{"amount":1234567890123456.78}' == answer.body
    assert "1234567890123456.78" == str(answer.json()["amount"])
    assert NOON == answer.observed_at
    assert (1, len(answer.body)) == (client.requests, client.bytes)
    assert f"Bearer {TOKEN}" == server.requests[0].headers["authorization"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_transient_status_is_tried_again(tmp_path: Path, status: int) -> None:
    """One bad second of a vendor must not cost an hour of data."""
    with vendor() as server:
        server.fail("/x", lambda *_: reply_json({"message": "busy"}, status))
        async with client_of(server, tmp_path) as client:
            answer = await client.get("/x")

    assert (200, 2) == (answer.status, server.count("/x"))


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_lasting_fault_ends_after_the_given_tries(tmp_path: Path, status: int) -> None:
    """Endless retries are a storm that the vendor punishes."""
    with vendor() as server:
        server.fail("/x", lambda *_: reply_json({"message": "still down"}, status), times=99)
        async with client_of(server, tmp_path) as client:
            with pytest.raises(VendorError, match="still down"):
                await client.get("/x")

    assert 3 == server.count("/x")


@pytest.mark.parametrize("status", [400, 404, 410, 422])
async def test_a_refusal_is_not_repeated(tmp_path: Path, status: int) -> None:
    """Asking again what was refused spends the allowance for nothing."""
    with vendor(reply_json({"message": "no such thing"}, status)) as server:
        async with client_of(server, tmp_path) as client:
            with pytest.raises(VendorError, match="no such thing") as caught:
                await client.get("/x")

    assert (status, 1) == (caught.value.status, server.count("/x"))


@pytest.mark.parametrize("told", ["86400", "1e300", "inf", "Fri, 16 Oct 2099 06:00:00 GMT"])
async def test_an_absurd_retry_after_ends_as_budget_spent(tmp_path: Path, told: str) -> None:
    """A sync that sleeps a day holds its lock a day; the next run goes on instead."""
    with vendor(reply_json({}, 429, {"Retry-After": told})) as server:
        async with client_of(server, tmp_path) as client:
            with pytest.raises(BudgetSpent) as caught:
                await client.get("/x")

    assert caught.value.resets_at > datetime.now(UTC) + timedelta(hours=12)
    assert 1 == server.count("/x")


@pytest.mark.parametrize("told", ["0", "-5", "Thu, 15 Oct 2020 06:00:00 GMT", "soon", "nan"])
async def test_a_past_or_unreadable_retry_after_is_tried_again(tmp_path: Path, told: str) -> None:
    """Clocks differ and headers lie; neither may stop the sync."""
    with vendor() as server:
        server.fail("/x", lambda *_: reply_json({}, 429, {"Retry-After": told}))
        async with client_of(server, tmp_path) as client:
            answer = await client.get("/x")

    assert (200, 2) == (answer.status, server.count("/x"))


def test_a_retry_after_date_counts_from_the_answers_own_clock() -> None:
    """Our clock an hour ahead must not turn "in 30 s" into "an hour ago"."""
    headers = {
        "retry-after": "Thu, 15 Oct 2026 06:00:30 GMT",
        "date": "Thu, 15 Oct 2026 06:00:00 GMT",
    }

    seconds = retry_after(headers, datetime(2026, 10, 15, 7, tzinfo=UTC))

    assert 30.0 == seconds


@pytest.mark.parametrize(
    "nonsense",
    [
        reply_html("<html>Please log in</html>"),
        Reply(body=b""),
        Reply(body=b"   "),
        Reply(body=b"{}"),
        Reply(body=b"null"),
        Reply(body=b'{"a": NaN}'),
        Reply(body=b'{"ok": true}', content_type="text/html"),
        Reply(body=b"[" * 100_000 + b"]" * 100_000),
    ],
    ids=["html", "empty", "blank", "nothing", "null", "nan", "type", "depth"],
)
async def test_a_200_that_says_nothing_true_is_an_error(tmp_path: Path, nonsense: Reply) -> None:
    """Read as "no more records" it would end the sync early and look complete."""
    with vendor(nonsense) as server:
        async with client_of(server, tmp_path) as client:
            with pytest.raises(ProtocolError, match="GET /x"):
                await client.get("/x")


@pytest.mark.parametrize(
    "cut",
    [
        Reply(body=b'{"data": [{"id": 1}], "has_more": true}', cut_after=20),
        Reply(body=b'{"data": [{"id": 1}], "has_more": true}', cut_after=20, chunked=True),
        Reply(body=b'{"data": [{"id": 1}'),
        Reply(drop=True),
        Reply(body=gzip.compress(b'{"id": 1}' * 50)[:30], headers={"Content-Encoding": "gzip"}),
    ],
    ids=["length", "chunked", "no length", "dropped", "gzip"],
)
async def test_half_an_answer_is_asked_for_again(tmp_path: Path, cut: Reply) -> None:
    """Half a page taken for a whole one loses records without a word."""
    with vendor() as server:
        server.fail("/x", lambda *_: cut)
        async with client_of(server, tmp_path) as client:
            answer = await client.get("/x")

    assert b'{"data":[{"id":1}],"has_more":false}' == answer.body
    assert 2 == server.count("/x")


async def test_an_answer_that_stays_half_is_never_given_out(tmp_path: Path) -> None:
    """After all tries it is an error, not the last thing that arrived."""
    with vendor(Reply(body=b'{"data": [{"id": 1}')) as server:
        async with client_of(server, tmp_path) as client:
            with pytest.raises(ProtocolError, match="too early"):
                await client.get("/x")

    assert 3 == server.count("/x")


async def test_a_drip_feed_meets_the_deadline(tmp_path: Path) -> None:
    """Every read is quick enough for a read timeout; only the whole is too slow."""
    drip = Reply(body=b'{"data":"' + b"x" * 100_000 + b'"}', drip_seconds=0.05)
    with vendor(drip) as server:
        bounds = Bounds(deadline_seconds=0.2)
        async with client_of(server, tmp_path, bounds=bounds, attempts=1) as client:
            with pytest.raises(VendorError, match=r"no whole answer within 0\.2 s"):
                await client.get("/x")


async def test_a_gzip_bomb_stops_at_the_cap(tmp_path: Path) -> None:
    """200 kB on the wire become 200 MB in memory if unpacked in one go."""
    bomb = gzip.compress(b"[" + b"0," * 5_000_000 + b"0]")
    with vendor(Reply(body=bomb, headers={"Content-Encoding": "gzip"})) as server:
        async with client_of(server, tmp_path, bounds=Bounds(max_body_bytes=100_000)) as client:
            with pytest.raises(BodyTooLarge, match="100000 bytes"):
                await client.get("/x")

    assert 1 == server.count("/x")


async def test_a_gzip_answer_is_unpacked(tmp_path: Path) -> None:
    """Vendors pack what they may; the record's text must come out as it was."""
    packed = Reply(body=gzip.compress(b'{"id":1}'), headers={"Content-Encoding": "gzip"})
    with vendor(packed) as server:
        async with client_of(server, tmp_path) as client:
            answer = await client.get("/x")

    assert b'{"id":1}' == answer.body


async def test_a_missing_right_is_told_in_the_vendors_words(tmp_path: Path) -> None:
    """Rows that vanish for lack of access read as missing money."""
    told = {"message": "This app hasn't been granted crm.objects.deals.read"}
    with vendor(reply_json(told, 403, {"Request-Id": "req_7f3a"})) as server:
        async with client_of(server, tmp_path) as client:
            with pytest.raises(AccessDenied, match=r"deals\.read.*req_7f3a") as caught:
                await client.get("/crm/deals")

    assert (403, False, 1) == (caught.value.status, caught.value.whole_source, server.count("/"))


async def test_a_refused_static_token_stops_the_source(tmp_path: Path) -> None:
    """There is nothing to renew, so nothing is asked twice."""
    with vendor(reply_json({"message": "bad token"}, 401)) as server:
        async with client_of(server, tmp_path) as client:
            with pytest.raises(AccessDenied, match="bad token") as caught:
                await client.get("/x")

    assert (True, 1) == (caught.value.whole_source, server.count("/x"))


async def test_a_foreign_link_is_refused_and_its_server_hears_nothing(tmp_path: Path) -> None:
    """A next link is data; following it with a token would give the token away."""
    with vendor() as server, vendor() as thief:
        trick = f"http://127.0.0.1:{server.port}@127.0.0.1:{thief.port}/x"
        async with client_of(server, tmp_path) as client:
            for link in (
                f"{thief.url}/x",
                trick,
                f"https://127.0.0.1:{server.port}/x",
                "http://169.254.169.254/latest/meta-data",
                "https://evil.example/x",
                f"http://localhost:{server.port}/x",
                "ftp://127.0.0.1/x",
                f"{server.url}\\@evil.example/x",
                "@evil.example/x",
                ".evil.example/x",
            ):
                with pytest.raises(OriginRefused):
                    await client.get(link)

    assert [] == list(thief.requests)
    assert [] == list(server.requests)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_host_is_refused(tmp_path: Path, status: int) -> None:
    """Httpx would take keys and cookies along."""
    with vendor() as server, vendor() as thief:
        away = {"Location": f"{thief.url}/x"}
        server.fail("/x", lambda *_: Reply(status=status, headers=away), times=9)
        async with client_of(server, tmp_path) as client:
            with pytest.raises(OriginRefused, match="not the configured"):
                await client.get("/x")

    assert [] == list(thief.requests)
    assert 1 == server.count("/x")


async def test_a_redirect_inside_the_origin_is_followed_a_few_times(tmp_path: Path) -> None:
    """Vendors move paths; a loop of redirects ends."""
    with vendor() as server:
        server.fail("/old", lambda *_: Reply(status=301, headers={"Location": "/new"}))
        loop = Reply(status=302, headers={"Location": "/loop"})
        server.fail("/loop", lambda *_: loop, times=99)
        async with client_of(server, tmp_path) as client:
            moved = await client.get("/old")
            with pytest.raises(ProtocolError, match="redirects"):
                await client.get("/loop")

    assert f"{server.url}/new" == moved.url
    assert 4 == server.count("/loop")


async def test_cookies_of_an_answer_are_not_kept(tmp_path: Path) -> None:
    """A session cookie is a credential that nobody configured."""
    with vendor(Reply(body=b'{"id":1}', headers={"Set-Cookie": "session=abc; Path=/"})) as server:
        async with client_of(server, tmp_path) as client:
            await client.get("/x")
            await client.get("/x")

    assert all("cookie" not in request.headers for request in server.requests)


async def test_no_error_text_shows_a_secret(tmp_path: Path) -> None:
    """Error texts land in logs, state tables and bug reports (I6)."""
    echo = reply_json({"message": f"token {TOKEN} of api_key=hidden123 is bad"}, 400)
    with vendor(echo) as server:
        async with client_of(server, tmp_path) as client:
            with pytest.raises(VendorError) as caught:
                await client.get("/x", params={"access_token": "another-secret"})

    assert TOKEN not in str(caught.value)
    assert "hidden123" not in str(caught.value)
    assert "another-secret" not in str(caught.value)


async def test_what_nobody_listens_to_is_a_vendor_error(tmp_path: Path) -> None:
    """Refused connections are tried again, then named."""
    with vendor() as server:
        pass
    async with client_of(server, tmp_path) as client:
        with pytest.raises(VendorError, match=r"GET /x: ConnectError.*failed 3 times"):
            await client.get("/x")


async def test_a_table_is_due_where_it_was_asked_for(tmp_path: Path) -> None:
    """A login page under a 200 has rows of a kind, too."""
    with vendor(Reply(200, b"a,b\n1,2\n", "text/csv")) as server:
        server.fail("/page", lambda *_: reply_html("<p>sign in</p>"), times=9)
        async with client_of(server, tmp_path) as client:
            found = await client.get("/table", proper=must_be_table)
            with pytest.raises(ProtocolError, match="where a table was due"):
                await client.get("/page", proper=must_be_table)
            with pytest.raises(ProtocolError):
                await client.get("/table")

    assert b"a,b\n1,2\n" == found.body


async def test_a_403_that_the_vendor_means_as_busy_is_tried_again(tmp_path: Path) -> None:
    """And one that means a missing right never is."""
    with vendor() as server:
        server.fail("/x", lambda *_: reply_json({"message": "too many at once"}, 403))
        server.fail("/y", lambda *_: reply_json({"message": "closed"}, 403), times=9)
        async with client_of(
            server, tmp_path, again=lambda answer: b"at once" in answer.body or None
        ) as client:
            answer = await client.get("/x")
            with pytest.raises(AccessDenied, match="closed"):
                await client.get("/y")

    assert (200, 2, 1) == (answer.status, server.count("/x"), server.count("/y"))


async def test_a_fault_that_outlives_all_tries_says_its_status(tmp_path: Path) -> None:
    """A connector asks for less where the vendor was too slow for so much."""
    late = reply_json({"message": "upstream"}, 504)
    with vendor(late) as server:
        async with client_of(server, tmp_path) as client:
            with pytest.raises(VendorError) as caught:
                await client.get("/x")

    assert 504 == caught.value.status


async def test_a_vendor_of_files_says_itself_what_an_answer_must_be(tmp_path: Path) -> None:
    """Not everything is JSON; whatever is due, a page in its place is refused."""

    def packed(response: Response) -> None:
        if not response.body.startswith(b"PK"):
            raise ProtocolError("no archive")

    with vendor(Reply(body=b"PK\x03\x04", content_type="application/zip")) as server:
        async with client_of(server, tmp_path, proper=packed) as client:
            answer = await client.get("/x", headers={"If-None-Match": '"mark"'})
            await client.get("/x")
            server.fail("/x", lambda *_: reply_html("<html>"))
            with pytest.raises(ProtocolError, match="no archive"):
                await client.get("/x")

    assert b"PK\x03\x04" == answer.body
    assert ['"mark"', None] == [one.headers.get("if-none-match") for one in server.requests][:2]
    assert f"Bearer {TOKEN}" == server.requests[0].headers["authorization"]


async def test_a_401_that_no_other_token_mends_takes_none(tmp_path: Path) -> None:
    """Some vendors answer 401 to a missing scope, and count the tokens that they grant."""

    class Renewed(Bearer):
        renewals = 0

        async def renew(self, refused: Mapping[str, str]) -> bool:
            del refused
            self.renewals += 1
            return True

    auth = Renewed(SecretStr(TOKEN))
    with vendor(reply_json({"code": "SCOPE"}, 401)) as server:
        for stale, told in ((lambda _: False, (0, 1)), (lambda _: True, (1, 3))):
            async with client_of(server, tmp_path, auth=auth, stale=stale) as client:
                with pytest.raises(AccessDenied):
                    await client.get("/x")
            assert told == (auth.renewals, server.count("/x"))

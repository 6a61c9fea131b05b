"""The Zoho sandbox refuses what Zoho refuses; a server that answers anything proves nothing."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.company import build
from sandbox.zoho import CLIENT, REFRESH_TOKEN, SECRET, CoqlError, ZohoServer, ZohoState, parse

API = "/crm/v8"


@pytest.fixture
def server() -> Iterator[ZohoServer]:
    with ZohoServer(ZohoState()) as running:
        yield running
        assert [] == running.errors


def token_of(server: ZohoServer, **wrong: str) -> dict[str, Any]:
    form = {
        "grant_type": "refresh_token",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "refresh_token": REFRESH_TOKEN,
        **wrong,
    }
    content: dict[str, Any] = httpx.post(server.url + "/oauth/v2/token", data=form).json()
    return content


def ask(server: ZohoServer, path: str, word: str = "Zoho-oauthtoken", **params: str) -> Any:
    if not server.tokens:
        token_of(server)
    headers = {"Authorization": f"{word} {next(iter(server.tokens))}"}
    return httpx.get(f"{server.url}{API}/{path}", params=params, headers=headers)


def test_ten_tokens_in_ten_minutes_and_no_more(server: ZohoServer) -> None:
    """Whoever asks for one at every run stops everybody."""
    found = [token_of(server) for _ in range(11)]

    assert 10 == len([one for one in found if "access_token" in one])
    assert "too many requests" in found[10]["error_description"]


def test_a_wrong_grant_is_refused_under_200(server: ZohoServer) -> None:
    """As the accounts server does."""
    assert {"error": "invalid_code"} == token_of(server, refresh_token="1000.other")
    assert {"error": "invalid_client"} == token_of(server, client_secret="other")


def test_only_zohos_own_word_opens(server: ZohoServer) -> None:
    """Bearer is another vendor's."""
    assert 401 == ask(server, "org", word="Bearer").status_code
    assert 200 == ask(server, "org").status_code


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "REQUIRED_PARAM_MISSING"),
        ({"fields": ",".join(f"F{number}" for number in range(51))}, "LIMIT_EXCEEDED"),
        ({"fields": "id", "page": "11"}, "DISCRETE_PAGINATION_LIMIT_EXCEEDED"),
        ({"fields": "id", "per_page": "201"}, "INVALID_DATA"),
        ({"fields": "id", "sort_by": "Amount"}, "INVALID_DATA"),
        ({"fields": "id", "page_token": "made-up"}, "EXPIRED_VALUE"),
        ({"fields": "id", "page_token": "x", "page": "2"}, "AMBIGUITY_DURING_PROCESSING"),
    ],
)
def test_lists_refuse_what_is_not_theirs(
    server: ZohoServer, params: dict[str, str], code: str
) -> None:
    """Page caps, tokens and parameters."""
    server.state.has("Deals")

    assert code == ask(server, "Deals", **params).json()["code"]


def test_a_page_token_belongs_to_its_request(server: ZohoServer) -> None:
    """With other fields it names another list."""
    for _ in range(3):
        server.state.has("Deals")
    first = ask(server, "Deals", fields="id", per_page="2").json()["info"]

    other = ask(
        server, "Deals", fields="id,Amount", per_page="2", page_token=first["next_page_token"]
    )

    assert "TOKEN_BOUND_DATA_MISMATCH" == other.json()["code"]


def test_nothing_is_204(server: ZohoServer) -> None:
    """And no list that is empty."""
    assert (204, b"") == (
        ask(server, "Deals", fields="id").status_code,
        ask(server, "Deals", fields="id").content,
    )


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("select id from Deals", "SYNTAX_ERROR"),
        ("select id from Deals where a = 1 and b = 2 and c = 3", "SYNTAX_ERROR"),
        ("select id from Deals where id is not null limit 2001", "LIMIT_EXCEEDED"),
        ("select id from Deals where id > 1 limit 2000 offset 98001", "LIMIT_EXCEEDED"),
        ("select id, id from Deals where id > 1", "DUPLICATE_DATA"),
        ("select id from Deals where id > 1 order by id, id", "DUPLICATE_DATA"),
        (
            f"select id from Deals where id in ({', '.join(str(n) for n in range(101))})",
            "LIMIT_EXCEEDED",
        ),
        (
            f"select {', '.join(f'f{n}' for n in range(501))} from Deals where id > 1",
            "LIMIT_EXCEEDED",
        ),
    ],
)
def test_queries_keep_to_the_grammar(query: str, code: str) -> None:
    """What the vendor would refuse must not pass here."""
    with pytest.raises(CoqlError) as caught:
        parse(query)

    assert code == caught.value.code


def test_three_conditions_pass_when_they_are_nested() -> None:
    """By twos, as the documentation wants it."""
    query = parse("select id from Deals where ((a = 1 and b = 'x') or c is null) limit 5")

    assert query.matches({"a": 1, "b": "x", "c": 3})
    assert query.matches({"a": 0, "c": None})
    assert not query.matches({"a": 1, "b": "y", "c": 3})


def test_the_company_is_the_same_each_time() -> None:
    """The same seed gives the same bytes."""
    assert build(seed=7, scale=0.02).zoho == build(seed=7, scale=0.02).zoho

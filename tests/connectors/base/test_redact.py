"""Secrets do not reach a log, whatever road they take."""

from typing import Any

import pytest
from pydantic import SecretStr

from connectors.base.errors import VendorError
from connectors.base.redact import redact, redact_event, remember

CANARY = "canary-9d1f22"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"Authorization: Basic {CANARY}==",
        f"https://user:{CANARY}@host/x",
        f"https://host/x?api_key={CANARY}&a=1",
        f"https://host/x?a=1&access_token={CANARY}",
        f"client_secret={CANARY}",
        f'{{"refresh_token": "{CANARY}"}}',
        "key sk_live_canary9d1f22 refused",
        "key rk_test_canary9d1f22 refused",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    """Vendors quote what they were sent."""
    shown = redact(text)

    assert CANARY not in shown
    assert "canary9d1f22" not in shown


def test_a_known_secret_is_masked_wherever_it_stands() -> None:
    """A password has no shape; only its value gives it away."""
    remember(SecretStr("correct horse battery"), SecretStr("abc"))

    assert "x *** y" == redact("x correct horse battery y")
    assert "abc stays, it is a word" == redact("abc stays, it is a word")


def test_every_field_of_a_log_event_is_masked() -> None:
    """Tracebacks and nested values reach the renderer too; headers and bodies never do."""
    remember("correct horse battery")
    event: dict[str, Any] = {
        "event": "failed",
        "error": ValueError("correct horse battery"),
        "headers": {"accept": "json"},
        "nested": {"list": ["correct horse battery", SecretStr("zzz"), b"Bearer abcdefghi"]},
        "rows": 3,
    }

    masked = redact_event(None, "info", event)

    assert {
        "event": "failed",
        "error": "ValueError: ***",
        "headers": "***",
        "nested": {"list": ["***", "***", "Bearer ***"]},
        "rows": 3,
    } == masked


def test_an_error_is_masked_when_it_is_made() -> None:
    """No caller can forget it."""
    assert "refused token=***" == str(VendorError("refused token=hunter2hunter2"))

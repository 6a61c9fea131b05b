"""pipeledger.example.toml and .env.example: valid, and nothing is missing in them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from connectors.base.errors import ConfigError
from pipeledger.project import ROOT
from pipeledger.settings import Settings, load_settings
from pipeledger.settings.secrets import PREFIX, secret_fields
from pipeledger.sources import CONNECTORS, connector

EXAMPLE = (ROOT / "pipeledger.example.toml").read_text(encoding="utf-8")
VARIABLES = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)

# Connections that the example shows switched off.
OTHERS = (
    *("SUPPORT_MAIL", "RENEWED_MAIL", "MSGRAPH", "GMAIL", "PIPEDRIVE_APP"),
    *("SALESFORCE_JWT", "SALESFORCE_WEB"),
    "ALERTS",
)


def place(folder: Path, text: str) -> Path:
    """Lay the files that the example names around it."""
    for secret in re.findall(r'"(secrets/\w+(?:\.pem)?)"', text):
        path = folder / secret
        path.parent.mkdir(exist_ok=True)
        shaped = {
            "stripe": "rk_live_from_the_secret_file",
            "dsn": "dbname=sales user=publisher",
            "_address": "https://hooks.example.com/value-of-the-file",
        }
        found = next((text for word, text in shaped.items() if word in secret), None)
        path.write_text(found or "value-of-the-secret-file")
        path.chmod(0o600)
    (folder / "inbox").mkdir()
    path = folder / "pipeledger.toml"
    path.write_text(text, encoding="utf-8")
    return path


def models() -> Iterator[type[BaseModel]]:
    """Every model that a key of the settings can belong to."""
    waiting: list[Any] = [Settings, *(connector(source).settings for source in CONNECTORS)]
    seen: set[Any] = set()
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        if isinstance(one, type) and issubclass(one, BaseModel):
            yield one
            waiting += [field.annotation for field in one.model_fields.values()]
        waiting += get_args(one)


def test_the_example_is_valid_as_it_stands(tmp_path: Path) -> None:
    """A user copies it; an example that is refused teaches the wrong thing first."""
    secrets = {name: value for name, value in VARIABLES.items() if "CRM_US" not in name}
    secrets = {
        name: value for name, value in secrets.items() if not any(one in name for one in OTHERS)
    }
    path = place(tmp_path, EXAMPLE)

    loaded = load_settings(path, {n: v for n, v in secrets.items() if n.startswith(PREFIX)})

    assert [
        "crm",
        "billing",
        "subscriptions",
        "ecb",
        "books",
        "vtiger",
        "zoho",
        "odoo",
        "pipedrive",
        "quickbooks",
        "salesforce",
        "sales_mail",
        "plan",
    ] == [c.name for c in loaded.settings.connections]
    assert () == loaded.notes


def test_the_example_is_valid_with_every_key_switched_on(tmp_path: Path) -> None:
    """A key that is explained but refused is worse than one that is not explained."""
    text = re.sub(r"(?m)^#(?=[\w\[])", "", EXAMPLE)
    path = place(tmp_path, text)

    loaded = load_settings(path, {})

    assert [
        "crm",
        "crm_us",
        "billing",
        "subscriptions",
        "ecb",
        "books",
        "vtiger",
        "zoho",
        "odoo",
        "pipedrive",
        "pipedrive_app",
        "quickbooks",
        "salesforce",
        "salesforce_jwt",
        "salesforce_web",
        "sales_mail",
        "support_mail",
        "renewed_mail",
        "workspace",
        "office",
        "plan",
    ] == [connection.name for connection in loaded.settings.connections]


def test_the_examples_custom_calendar_is_valid(tmp_path: Path) -> None:
    """Its lines replace the keys of the rule above them."""
    periods = "".join(re.findall(r"(?m)^#~(.*\n)", EXAMPLE))
    path = place(tmp_path, '[company.fiscal_year]\npattern = "custom"\n' + periods)

    loaded = load_settings(path, {})

    assert "FY2027-M01" == loaded.settings.company.fiscal_year.periods[0].key


def test_the_example_shows_every_key() -> None:
    """A key that stands nowhere is found by nobody."""
    shown = set(re.findall(r"(?m)^#?~?([\w.]+)(?:_file)? = ", EXAMPLE))
    shown |= {part for key in shown for part in key.split(".")}
    shown |= set(re.findall(r"[{,] (\w+) = ", EXAMPLE))
    shown |= {
        part for name in re.findall(r"(?m)^#?~?\[+([\w.]+)\]+", EXAMPLE) for part in name.split(".")
    }
    shown |= {name.removesuffix("_file") for name in shown} | {"token", "password", "api_key"}

    missing = [
        f"{model.__name__}.{info.alias or name}"
        for model in models()
        for name, info in model.model_fields.items()
        if (info.alias or name) not in shown and name != "connections"
    ]

    assert [] == missing


def test_every_secret_is_listed_with_a_dead_value() -> None:
    """`.env.example` is where an operator looks for what to provide."""
    listed = set(VARIABLES)

    missing = [
        f"{source}.{name}"
        for source in CONNECTORS
        for name in secret_fields(connector(source).settings)
        if not any(
            one.startswith(f"{PREFIX}SOURCES__{source.upper()}__")
            and one.endswith(f"__{name.upper()}")
            for one in listed
        )
    ]

    assert [] == missing
    assert all("dead" in VARIABLES[name] for name in listed if name.startswith(PREFIX))


def test_the_example_needs_its_secrets(tmp_path: Path) -> None:
    """Copied without any, it must say which variables to set."""
    path = place(tmp_path, EXAMPLE)

    with pytest.raises(ConfigError) as caught:
        load_settings(path, {})

    for name in ("HUBSPOT__CRM__TOKEN", "STRIPE__BILLING__API_KEY", "IMAP__SALES_MAIL__PASSWORD"):
        assert f"PIPELEDGER__SOURCES__{name}" in str(caught.value)

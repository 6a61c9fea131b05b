"""Great Expectations on landed data, before any model reads it.

DuckDB profiles each landed stream in one scan; the expectations judge the profiles, a small
pandas batch, so that the cost does not grow with the data. What fails names the stream, the
rule and the first records.
"""

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb

from pipeledger.build import Failure, LandedReport

SHOWN_RECORDS = 10
# Keys that no connector lands, and credentials by their shape.
SECRETS = (
    r'"(client_secret|hosted_invoice_url|invoice_pdf|receipt_url|hs_email_text|hs_email_html|'
    r'hs_note_body|hs_call_body|password|access_token|refresh_token)"\s*:\s*"[^"]'
    r"|\b(sk|rk)_live_[A-Za-z0-9]{8}|-----BEGIN [A-Z ]*PRIVATE KEY"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation: no row of a stream may fulfil ``condition``."""

    name: str
    condition: str
    severity: Literal["error", "warn"]
    meaning: str


RULES = (
    Rule("s12_id", "record_id is null or record_id = ''", "error", "a record without an id"),
    Rule(
        "s12_payload",
        "payload is not null and not json_valid(payload)",
        "error",
        "a payload that is no JSON",
    ),
    Rule(
        "change_word",
        "change not in ('upsert', 'deleted', 'archived', 'merged', 'converted', 'access_lost')",
        "error",
        "a change that no connector makes",
    ),
    Rule(
        "upsert_payload", "change = 'upsert' and payload is null", "error", "an upsert of nothing"
    ),
    Rule(
        "s13_clock",
        "source_updated_at > observed_at + interval 5 minutes",
        "warn",
        "a source's clock that runs ahead of ours",
    ),
    Rule(
        "s14_secret",
        f"regexp_matches(payload, '{SECRETS}')",
        "error",
        "a secret or the text of a mail",
    ),
    Rule(
        "s14_body",
        "connection in (select connection from config.connections where not stores_bodies "
        "and source in ('gmail', 'imap', 'msgraph')) and contains(payload, '\"body_text\":')",
        "warn",
        "the text of a mail, landed before store_bodies was turned off",
    ),
)


def check_landed(warehouse: Path) -> LandedReport:
    """Judge every raw view of a prepared warehouse.

    Args:
        warehouse: the DuckDB file with the schema ``raw``.

    Returns:
        How many expectations were asked, and those that some stream did not meet.
    """
    with duckdb.connect(str(warehouse)) as db:
        db.execute("set timezone = 'UTC'")
        profiles = _profiles(db)
        if not profiles:
            return LandedReport(0)
        unmet = _unmet(profiles)
        failures = tuple(
            Failure(
                f"landed_{rule.name}",
                rule.severity,
                sum(int(profile[rule.name]) for profile in profiles),
                f"{rule.meaning}, in {', '.join(streams)}",
                _records(db, rule, streams),
            )
            for rule, streams in unmet
        )
    return LandedReport(len(RULES) * len(profiles), failures)


def _profiles(db: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """One row per landed stream: how many of its rows break each rule."""
    tables = db.execute(
        "select table_name from information_schema.tables "
        "where table_schema = 'raw' and table_type = 'VIEW' order by table_name"
    ).fetchall()
    counts = ", ".join(f"count(*) filter (where {rule.condition}) as {rule.name}" for rule in RULES)
    names = [rule.name for rule in RULES]
    found = []
    for (table,) in tables:
        row = db.execute(f'select {counts} from raw."{table}"').fetchall()[0]  # noqa: S608 - our names
        found.append({"stream": str(table), **dict(zip(names, row, strict=True))})
    return found


def _unmet(profiles: list[dict[str, Any]]) -> list[tuple[Rule, list[str]]]:
    """The rules that some stream breaks, judged by Great Expectations."""
    with warnings.catch_warnings():
        # Deprecations inside the library are not this project's to mend.
        warnings.simplefilter("ignore")
        import great_expectations as gx
        import pandas as pd
        from great_expectations.data_context.types.base import ProgressBarsConfig
        from great_expectations.expectations.core.expect_column_values_to_be_between import (
            ExpectColumnValuesToBeBetween,
        )

        # Its renderer stumbles over numpy's numbers and logs a traceback; the result is right.
        # Some of its modules set levels of their own, so nothing may pass upwards either.
        library = logging.getLogger("great_expectations")
        library.setLevel(logging.CRITICAL)
        library.propagate = False
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("landing").add_dataframe_asset("profiles")
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch(
            {"dataframe": pd.DataFrame(profiles)}
        )
        suite = gx.ExpectationSuite(
            name="landed",
            expectations=[
                ExpectColumnValuesToBeBetween(column=rule.name, min_value=0, max_value=0)
                for rule in RULES
            ],
        )
        outcome = batch.validate(suite)
    configs = [one.expectation_config for one in outcome.results if not one.success]
    failed = {config.kwargs["column"] for config in configs if config is not None}
    return [
        (rule, [str(profile["stream"]) for profile in profiles if profile[rule.name]])
        for rule in RULES
        if rule.name in failed
    ]


def _records(db: duckdb.DuckDBPyConnection, rule: Rule, streams: list[str]) -> tuple[str, ...]:
    """The first records that break a rule, by their landed version; never their content."""
    found: list[str] = []
    for stream in streams:
        rows = db.execute(
            f'select raw_version_id from raw."{stream}" where {rule.condition} limit ?',  # noqa: S608 - our names
            [SHOWN_RECORDS - len(found)],
        ).fetchall()
        found += [str(row[0]) for row in rows]
        if len(found) >= SHOWN_RECORDS:
            break
    return tuple(found)

"""Metrics say what status says, to a parser of Prometheus' own."""

from datetime import UTC, datetime
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from pipeledger.metrics import exposition

LABELS = ("source", "connection", "stream", "severity", "step")
AT = datetime(2026, 10, 15, 6, tzinfo=UTC)


def stream(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "source": "hubspot",
        "connection": 'a "quoted" one',
        "stream": name,
        "error": "secret",
        "state": "complete",
        "complete_at": AT,
        "is_stale": False,
        "seen": 10,
        "appended": 2,
        **changes,
    }


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (
            sample.name.removeprefix("pipeledger_"),
            *(sample.labels[one] for one in LABELS if one in sample.labels),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_fact_is_a_sample() -> None:
    """Failed and stale are told apart: a running sync has not failed."""
    failures = [{"severity": "error"}, {"severity": "warn"}, {"severity": "warn"}]
    build = {"failures": failures, "seconds": {"models": 20.5}}
    text = exposition(
        {
            "streams": [
                stream("deals"),
                stream("calls", state="failed", is_stale=True, complete_at=None),
                stream("notes", state="running"),
            ],
            "quarantined": 3,
            "last_build": {"state": "checks_failed", "at": AT.isoformat(), "build": build},
            "published": {"as_of": AT},
            "postgres": {"is_current": False},
        }
    )

    found = samples(text)

    deals, calls, notes = (
        ("hubspot", 'a "quoted" one', one) for one in ("deals", "calls", "notes")
    )
    assert AT.timestamp() == found[("stream_complete_timestamp_seconds", *deals)]
    assert ("stream_complete_timestamp_seconds", *calls) not in found
    flags = {one: found[("stream_failed", *one)] for one in (deals, calls, notes)}
    assert {deals: 0, calls: 1, notes: 0} == flags
    assert (0, 1) == (found[("stream_stale", *deals)], found[("stream_stale", *calls)])
    assert (10, 2) == tuple(
        found[(f"stream_last_sync_{n}", *deals)] for n in ("records", "versions")
    )
    assert 3 == found[("quarantined_records",)]
    assert (1, 2) == tuple(found[("last_build_failed_checks", one)] for one in ("error", "warn"))
    assert 20.5 == found[("last_build_seconds", "models")]
    assert 0 == found[("last_build_published",)]
    assert AT.timestamp() == found[("published_as_of_timestamp_seconds",)]
    assert 0 == found[("postgres_is_current",)]
    assert "secret" not in text


def test_before_the_first_run_there_is_nothing_to_be_mistaken_for_a_zero() -> None:
    """A published instant of 1970 would look like a very old one."""
    nothing: dict[str, Any] = {"streams": [], "quarantined": 0}
    nothing |= dict.fromkeys(("last_build", "published", "postgres"))

    assert {("quarantined_records",): 0} == samples(exposition(nothing))

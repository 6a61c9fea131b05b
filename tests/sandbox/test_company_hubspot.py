"""The fictional company in HubSpot's shape."""

import hashlib
import json
from typing import Any

import pytest

from sandbox.company import Company, build
from sandbox.company.pipelines import PIPELINES, STAGES


@pytest.fixture(scope="module")
def company() -> Company:
    """A twentieth of the company."""
    return build(seed=7, scale=0.05)


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()


def test_the_same_seed_gives_the_same_objects(company: Company) -> None:
    """Truth that changes between two runs proves nothing."""
    again = build(seed=7, scale=0.05)

    assert digest(company.hubspot) == digest(again.hubspot)


def test_another_seed_gives_another_company(company: Company) -> None:
    """A seed that is ignored would hide faults that only some data shows."""
    other = build(seed=8, scale=0.05)

    assert digest(company.hubspot) != digest(other.hubspot)


def test_histories_run_newest_first_and_end_in_the_current_value(company: Company) -> None:
    """The warehouse builds stays from them; a gap would be a lost stage change."""
    for deal in company.hubspot["deals"]:
        for name, entries in deal["history"].items():
            stamps = [entry["timestamp"] for entry in entries]
            assert stamps == sorted(set(stamps), reverse=True), (deal["id"], name)
            assert len(entries) <= 20
            current = deal["properties"][name]
            assert (entries[0]["value"] if entries else "") == (current or ""), (deal["id"], name)
        assert deal["history"]["dealstage"][-1]["timestamp"] == deal["createdAt"]


def test_every_stage_belongs_to_the_pipeline_of_its_deal(company: Company) -> None:
    """An unknown stage stops publication; only a test may plant one."""
    for deal in company.hubspot["deals"]:
        pipeline = PIPELINES[deal["properties"]["pipeline"]]
        stage = STAGES[deal["properties"]["dealstage"]]

        assert stage in pipeline.stages
        assert deal["properties"]["hs_is_closed"] == str(stage.kind != "open").lower()


def test_every_property_value_is_text_or_null_and_defined(company: Company) -> None:
    """HubSpot shows every value as text, and discovery reads the definitions."""
    for kind, definitions in company.hubspot["properties"].items():
        known = {definition["name"] for definition in definitions}
        for held in company.hubspot[kind]:
            assert set(held["properties"]) == known, kind
            assert all(isinstance(value, str | None) for value in held["properties"].values())


def test_associations_lead_to_records_that_exist(company: Company) -> None:
    """A dangling id would count as an orphan in every check."""
    ids = {
        kind: {held["id"] for held in company.hubspot[kind]}
        for kind in ("deals", "contacts", "companies", "line_items", "quotes")
    }
    for kind in ("deals", "contacts", "leads", "line_items", "quotes", "emails", "meetings"):
        for held in company.hubspot[kind]:
            for other, linked in held["associations"].items():
                assert set(linked) <= ids[other], (kind, held["id"], other)


def test_merged_away_records_are_not_listed_but_named_by_their_survivor(company: Company) -> None:
    """HubSpot never lists a loser again; the survivor's list is the only trace."""
    for kind, losers in company.hubspot["merged"].items():
        listed = {held["id"]: held for held in company.hubspot[kind]}
        assert losers, kind
        for loser in losers:
            assert loser["id"] not in listed
            merged = listed[loser["survivorId"]]["properties"]["hs_merged_object_ids"]
            assert loser["id"] in merged.split(";")

"""The two sales pipelines as HubSpot holds them, and the stages' order and kind."""

from dataclasses import dataclass
from typing import Any, Literal

StageKind = Literal["open", "won", "lost"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: ``order`` from 1; probability as HubSpot's text."""

    id: str
    label: str
    order: int
    kind: StageKind
    probability: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline and its stages in order, won and lost last."""

    id: str
    label: str
    stages: tuple[Stage, ...]

    @property
    def open_stages(self) -> tuple[Stage, ...]:
        """The stages a deal works through, in order."""
        return tuple(stage for stage in self.stages if stage.kind == "open")

    @property
    def won(self) -> Stage:
        """The stage of won deals."""
        return next(stage for stage in self.stages if stage.kind == "won")

    @property
    def lost(self) -> Stage:
        """The stage of lost deals."""
        return next(stage for stage in self.stages if stage.kind == "lost")


def _pipeline(id_: str, label: str, *rows: tuple[str, str, StageKind, str]) -> Pipeline:
    return Pipeline(
        id_,
        label,
        tuple(
            Stage(stage_id, name, order, kind, probability)
            for order, (stage_id, name, kind, probability) in enumerate(rows, 1)
        ),
    )


# Both pipelines have a "Proposal" and a "Negotiation": a join on labels multiplies rows.
NEW_BUSINESS = _pipeline(
    "default",
    "New business",
    ("appointmentscheduled", "Discovery", "open", "0.1"),
    ("qualifiedtobuy", "Qualified", "open", "0.2"),
    ("presentationscheduled", "Demo", "open", "0.4"),
    ("98411702", "Trial", "open", "0.5"),
    ("decisionmakerboughtin", "Proposal", "open", "0.7"),
    ("contractsent", "Negotiation", "open", "0.85"),
    ("closedwon", "Closed won", "won", "1.0"),
    ("closedlost", "Closed lost", "lost", "0.0"),
)
RENEWALS = _pipeline(
    "74120933",
    "Renewals",
    ("74120941", "Upcoming", "open", "0.5"),
    ("74120942", "In talks", "open", "0.6"),
    ("74120943", "Proposal", "open", "0.75"),
    ("74120944", "Negotiation", "open", "0.9"),
    ("74120945", "Closed won", "won", "1.0"),
    ("74120946", "Churned", "lost", "0.0"),
)
PIPELINES = {pipeline.id: pipeline for pipeline in (NEW_BUSINESS, RENEWALS)}
STAGES = {stage.id: stage for pipeline in PIPELINES.values() for stage in pipeline.stages}
PIPELINE_OF_STAGE = {
    stage.id: pipeline for pipeline in PIPELINES.values() for stage in pipeline.stages
}
CATEGORIES = {
    stage.id: category
    for pipeline in PIPELINES.values()
    for stage, category in zip(
        reversed(pipeline.open_stages), ("commit", "most_likely", "best_case"), strict=False
    )
}
"""What the settings call a deal of a stage that nobody called anything: HubSpot's stages have no
forecast category of their own. The stages before the third last are pipeline."""

LEAD_PIPELINE = "lead-pipeline-id"
LEAD_STAGES = (
    ("new-stage-id", "New", "NEW"),
    ("attempting-stage-id", "Attempting", "IN_PROGRESS"),
    ("connected-stage-id", "Connected", "IN_PROGRESS"),
    ("qualified-stage-id", "Qualified", "QUALIFIED"),
    ("unqualified-stage-id", "Disqualified", "UNQUALIFIED"),
)

CREATED = "2023-10-02T07:00:00.000Z"


def hubspot_deal_pipelines() -> list[dict[str, Any]]:
    """The answer of GET pipelines/deals, one dict per pipeline with its stages inline."""
    return [
        {
            "id": pipeline.id,
            "label": pipeline.label,
            "displayOrder": place,
            "createdAt": CREATED,
            "updatedAt": CREATED,
            "archived": False,
            "stages": [
                {
                    "id": stage.id,
                    "label": stage.label,
                    "displayOrder": stage.order - 1,
                    "metadata": {
                        "isClosed": "false" if stage.kind == "open" else "true",
                        "probability": stage.probability,
                    },
                    "createdAt": CREATED,
                    "updatedAt": CREATED,
                    "archived": False,
                    "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
                }
                for stage in pipeline.stages
            ],
        }
        for place, pipeline in enumerate(PIPELINES.values())
    ]


def hubspot_lead_pipelines() -> list[dict[str, Any]]:
    """The answer of GET pipelines/leads."""
    return [
        {
            "id": LEAD_PIPELINE,
            "label": "Lead pipeline",
            "displayOrder": 0,
            "createdAt": CREATED,
            "updatedAt": CREATED,
            "archived": False,
            "stages": [
                {
                    "id": stage_id,
                    "label": label,
                    "displayOrder": place,
                    "metadata": {"leadState": state, "isClosed": "false"},
                    "createdAt": CREATED,
                    "updatedAt": CREATED,
                    "archived": False,
                    "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
                }
                for place, (stage_id, label, state) in enumerate(LEAD_STAGES)
            ],
        }
    ]

"""What the tables of the settings owe each other, once each of them is valid by itself."""

from pathlib import Path
from typing import Any

from pipeledger.retention import EXPIRING
from pipeledger.settings.domains import outside
from pipeledger.settings.draft import Draft
from pipeledger.settings.explain import near
from pipeledger.settings.model import Settings


def check_rules(draft: Draft, settings: Settings, sources: Any) -> None:
    """Rules name a configured connection (sound or not), and a stage is described once."""
    names = [
        str(name)
        for instances in (sources.values() if isinstance(sources, dict) else ())
        if isinstance(instances, dict)
        for name in instances
    ]
    rules: list[tuple[str, str]] = [
        (f"stages.{i}.connection", rule.connection) for i, rule in enumerate(settings.stages)
    ]
    rules += [(f"pipelines.{i}.connection", r.connection) for i, r in enumerate(settings.pipelines)]
    pairs: set[tuple[str, str]] = set()
    for index, one in enumerate(settings.billing.superseded):
        if one.connection is None:
            continue
        key = f"billing.superseded.{index}"
        rules += [(f"{key}.connection", one.connection), (f"{key}.by", one.by)]
        if one.connection == one.by or (one.by, one.connection) in pairs:
            draft.wrong(key, f"{one.connection} and {one.by} would supersede each other")
        pairs.add((one.connection, one.by))
    known = sorted(sources) if isinstance(sources, dict) else []
    for source in settings.schedule.sources:
        if source not in known:
            key = f"schedule.sources.{source}"
            draft.wrong(key, f"there is no source {source!r}{near(source, known)}")
    for key, name in rules:
        if name not in names:
            draft.wrong(key, f"there is no connection {name!r}{near(name, names)}")
    _check_retention(draft, settings)
    _check_alerts(draft, settings)
    won: dict[tuple[str, str], str] = {}
    seen: set[tuple[str, str, str]] = set()
    for index, rule in enumerate(settings.stages):
        pipeline = (rule.connection, rule.pipeline_id)
        if (*pipeline, rule.stage_id) in seen:
            draft.wrong(f"stages.{index}", f"the stage {rule.stage_id} is described above already")
        seen.add((*pipeline, rule.stage_id))
        if rule.type == "won" and won.setdefault(pipeline, rule.stage_id) != rule.stage_id:
            draft.wrong(
                f"stages.{index}",
                f"a second won stage of pipeline {':'.join(pipeline)} beside {won[pipeline]}, "
                "a deal is won in one place",
            )


def _check_retention(draft: Draft, settings: Settings) -> None:
    """Only streams that no total is made of may lose records."""
    for source, streams in settings.retention.items():
        allowed = EXPIRING.get(source, frozenset())
        for stream in streams:
            if stream not in allowed:
                listed = ", ".join(sorted(allowed)) or f"none of {source}"
                draft.wrong(
                    f"retention.{source}.{stream}",
                    "its records are kept for ever: totals or histories are made of them, or there "
                    f"is no such stream. Rules may stand for mail and activities: {listed}",
                )


def _check_alerts(draft: Draft, settings: Settings) -> None:
    """Nobody outside is told, and no export takes another's file."""
    alerts = settings.alerts
    named = [(f"alerts.{topic}", getattr(alerts, topic)) for topic in ("finance", "data_team")]
    named += [("alerts.smtp.sender", (alerts.smtp.sender,))] if alerts.smtp is not None else []
    for key, addresses in named:
        for address in addresses:
            if (problem := outside(address, settings.company.own_domains)) is not None:
                draft.wrong(key, problem)
    taken: set[Path] = set()
    for index, one in enumerate(settings.exports):
        if one.path in taken:
            draft.wrong(
                f"exports.{index}", f"{one.path} is written by an export above; name `file`"
            )
        taken.add(one.path)

"""Edits of a twin's [overrides], apart from the page that offers them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from twin.config_sections import ActivityOverride, AgentOverride, DurationOverride, OverridesSection


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was set by hand."""

    kind: str
    """'activity', 'agent' or 'routing'."""
    name: str
    what: str
    """In words: 'drop, mean_min 10'."""


def lines(section: OverridesSection) -> tuple[Line, ...]:
    """Everything that was set by hand."""
    kinds: Mapping[str, Mapping[str, BaseModel | Mapping[str, float]]] = {
        "activity": section.activity,
        "agent": section.agent,
        "routing": section.routing,
    }
    return tuple(
        Line(
            kind,
            name,
            _words(value.model_dump(exclude_defaults=True) if isinstance(value, BaseModel) else value),
        )
        for kind, entries in kinds.items()
        for name, value in entries.items()
    )


def _words(values: Mapping[str, object]) -> str:
    parts = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            parts.append(_words(value))
        elif isinstance(value, bool):
            parts.append(key if value else f"not {key}")
        elif isinstance(value, tuple):
            parts.append(f"{key}: {', '.join(map(str, value))}")
        else:
            parts.append(f"{key} {value}")
    return "; ".join(parts)


def name_in_log(section: OverridesSection, label: str) -> str:
    """The log's name of an activity that may have been renamed by hand."""
    return next((name for name, o in section.activity.items() if o.rename == label), label)


def duration(way: str, minutes: float) -> DurationOverride | None:
    """What a choice of 'as fitted', 'constant' or 'mean' stands for."""
    match way:
        case "constant":
            return DurationOverride(constant_min=minutes)
        case "mean":
            return DurationOverride(mean_min=minutes)
    return None


def with_activity(section: OverridesSection, name: str, value: ActivityOverride) -> OverridesSection:
    """An activity's override set; one that changes nothing is taken out."""
    others = {known: o for known, o in section.activity.items() if known != name}
    if value != ActivityOverride():
        others[name] = value
    return section.model_copy(update={"activity": others})


def with_agent(section: OverridesSection, name: str, hours: str) -> OverridesSection:
    """An agent's weekly hours set; empty ones are taken out. Raises pydantic's ValidationError."""
    others = {known: o for known, o in section.agent.items() if known != name}
    if hours.strip():
        others[name] = AgentOverride(calendar=hours.strip())
    return section.model_copy(update={"agent": others})


def with_routing(section: OverridesSection, gateway: str, shares: Mapping[str, float]) -> OverridesSection:
    """A gateway's probabilities set (flow -> share of 0..1); none takes them out."""
    others = {known: s for known, s in section.routing.items() if known != gateway}
    if shares:
        others[gateway] = dict(shares)
    return section.model_copy(update={"routing": others})


def without(section: OverridesSection, line: Line) -> OverridesSection:
    """Everything but one line."""
    entries = {name: value for name, value in getattr(section, line.kind).items() if name != line.name}
    return section.model_copy(update={line.kind: entries})

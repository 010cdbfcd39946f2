"""The tables of a scenario file, one class each (see docs/whatif.md)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, PlainValidator, Strict, model_validator

from metagraph.errors import UsageError
from twin.config_sections import (
    DurationOverride,
    Hours,
    Name,
    Names,
    NotNegative,
    Positive,
    Section,
    Share,
    Zone,
)
from twin.spans import seconds_of

_NONE = re.compile(r"0+ *[dhms]")


def _moment(value: object) -> object:
    """An instant, or the text of a time after the beginning as seconds."""
    expected = (
        "expected an instant with a zone such as 2024-03-01T09:00:00Z, or a time after the beginning such as "
        '"48h", "2d" or "1d12h"'
    )
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value} is no such instant; {expected}")
    if _NONE.fullmatch(value.strip()):
        return 0.0
    try:
        return seconds_of(value, "")
    except UsageError:
        return _told(value, expected)


def _told(text: str, expected: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is not understood; {expected}") from error
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no zone; {expected}")
    return found


Moment = Annotated[datetime | float, PlainValidator(_moment)]
"""An instant, or seconds after the beginning."""
Work = Literal["handed over", "waits"]
Rule = Literal["FIFO", "LIFO", "HP", "SDD", "SERPT", "HPCS"]


class Dated(Section):
    """What tables share that hold from an instant on, or until one."""

    since: Moment | None = Field(default=None, alias="from")
    """None: from the beginning on."""
    until: Moment | None = None
    """None: to the end."""


class Away(Dated):
    """What tables about being away share."""

    agents: Names
    work: Work = "handed over"


class LoseSection(Away):
    """[[lose]]: agents who leave, at an instant or before anything begins, for good or until they return."""


class AbsenceSection(Away):
    """[[absence]]: agents who are away for a time; their work waits for them unless it is handed over."""

    work: Work = "waits"

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if self.since is None or self.until is None:
            raise ValueError(
                "an absence has a 'from' and an 'until'; agents who are gone for good are in [[lose]]"
            )
        return self


class HireSection(Dated):
    """[[hire]]: more agents, comparable to one who is there."""

    like: Name
    count: Annotated[int, Field(ge=1, le=1000)] = 1
    names: Names | None = None
    skills: Names | None = None
    """Activities; none: those of `like`."""
    pace: Positive = 1.0
    """Work done in the time in which `like` does 1."""
    cost_per_h: NotNegative | None = None
    hours: Hours | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.names is not None and len(self.names) != self.count:
            raise ValueError(
                f"{len(self.names)} names for {self.count} agents; give as many names as 'count'"
            )
        return self


class SkillsSection(Dated):
    """[[skills]]: who may do an activity."""

    activity: Name
    add: Names | None = None
    remove: Names | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.add is None and self.remove is None:
            raise ValueError("say with 'add' or 'remove' whose skills change")
        return self


class CalendarSection(Dated):
    """[[calendar]]: other weekly hours."""

    agents: Names
    hours: Hours
    time_zone: Zone | None = None


class OvertimeSection(Section):
    """[[overtime]]: hours worked beyond the calendar, once."""

    agents: Names
    since: Moment = Field(alias="from")
    until: Moment
    rate: NotNegative = 1.0
    """What an hour costs, times the agent's cost_per_h."""


class CapacitySection(Dated):
    """[[capacity]]: how many items agents work on at once."""

    agents: Names
    at_once: Annotated[int, Field(ge=1, le=10_000)]


class CostSection(Section):
    """[[cost]]: what an hour of agents, or an execution of an activity, costs."""

    agents: Names | None = None
    per_h: NotNegative | None = None
    activities: Names | None = None
    per_execution: NotNegative | None = None

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if (self.agents is None) != (self.per_h is None):
            raise ValueError("'agents' and 'per_h' go together")
        if (self.activities is None) != (self.per_execution is None):
            raise ValueError("'activities' and 'per_execution' go together")
        if self.agents is None and self.activities is None:
            raise ValueError("name 'agents' with 'per_h', or 'activities' with 'per_execution'")
        return self


class DurationSection(Dated):
    """[[duration]]: how long work takes; what isn't named stands for all."""

    activities: Names | None = None
    agents: Names | None = None
    classes: Names | None = None
    segments: Names | None = None
    factor: Positive


class DelaySection(Dated):
    """[[delay]]: waiting that needs nobody, before activities."""

    activities: Names | None = None
    factor: NotNegative


class AutomateSection(DurationOverride, Dated):
    """[[automate]]: an activity that a robot does."""

    activity: Name
    cost: NotNegative = 0.0
    """Money per execution, in place of what it cost."""
    invested: NotNegative = 0.0
    """Money, once."""
    at_once: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Items at once; None: any number."""
    delay: bool = True
    """Whether the delay before it stays."""


class DropSection(Dated):
    """[[drop]]: an activity that is no longer done."""

    activity: Name


class PreemptibleSection(Dated):
    """[[preemptible]]: whether more urgent work may interrupt activities."""

    activities: Names
    allowed: bool


class ArrivalsSection(Dated):
    """[[arrivals]]: more or fewer orders."""

    factor: NotNegative
    classes: Names | None = None
    segments: Names | None = None


class RoutingSection(Dated):
    """[[routing]]: probabilities of a gateway's branches, whatever the order did before."""

    gateway: Name
    weights: Annotated[dict[Name, Share], Field(min_length=1)]


class BatchSection(Dated):
    """[[batch]]: how work is collected before it is done; `none` ends it."""

    activity: Name
    none: bool = False
    kind: Literal["sequential", "simultaneous"] | None = None
    size: Annotated[int, Field(ge=1)] | None = None
    wait_h: Positive | None = None
    per_item: NotNegative | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        said = (self.kind, self.size, self.wait_h, self.per_item)
        if self.none == any(one is not None for one in said):
            raise ValueError("give none = true, or how batches are made: kind, size, wait_h, per_item")
        return self


class PrioritySection(Dated):
    """[[priority]]: which rule the queues of activities go by, where the policy doesn't say."""

    activities: Names | None = None
    rule: Rule


PLANNING = ("plan_every_h", "computing_min", "gap", "time_limit_s")


class PolicySection(Dated):
    """[policy]: what goes first, in which queue work waits, and what may interrupt."""

    policy: Name | None = None
    assignment: Literal["JSQ", "JFQ", "JAQ", "JDQ"] | None = None
    tie: Literal["keep", "back"] | None = None
    preemption: bool | None = None
    max_preemptions: Annotated[int, Field(ge=0)] | None = None
    resume_penalty_min: NotNegative | None = None
    same_agent: bool | None = None
    plan_every_h: Positive | None = None
    """Of milp, as what follows: how often a plan is made."""
    computing_min: NotNegative | None = None
    """Simulated time until it counts."""
    gap: Positive | None = None
    time_limit_s: Positive | None = None

    @model_validator(mode="after")
    def _planned(self) -> Self:
        plans = [name for name in PLANNING if getattr(self, name) is not None]
        if plans and (self.policy or "").lower() != "milp":
            raise ValueError(f'{plans[0]} says how plans are made: it goes with policy = "milp" only')
        return self


class Scenario(Section):
    """The whole file."""

    name: Name = "scenario"
    note: str = ""
    cost: Annotated[tuple[CostSection, ...], Strict(False)] = ()
    hire: Annotated[tuple[HireSection, ...], Strict(False)] = ()
    skills: Annotated[tuple[SkillsSection, ...], Strict(False)] = ()
    lose: Annotated[tuple[LoseSection, ...], Strict(False)] = ()
    absence: Annotated[tuple[AbsenceSection, ...], Strict(False)] = ()
    calendar: Annotated[tuple[CalendarSection, ...], Strict(False)] = ()
    overtime: Annotated[tuple[OvertimeSection, ...], Strict(False)] = ()
    capacity: Annotated[tuple[CapacitySection, ...], Strict(False)] = ()
    duration: Annotated[tuple[DurationSection, ...], Strict(False)] = ()
    delay: Annotated[tuple[DelaySection, ...], Strict(False)] = ()
    automate: Annotated[tuple[AutomateSection, ...], Strict(False)] = ()
    drop: Annotated[tuple[DropSection, ...], Strict(False)] = ()
    preemptible: Annotated[tuple[PreemptibleSection, ...], Strict(False)] = ()
    routing: Annotated[tuple[RoutingSection, ...], Strict(False)] = ()
    batch: Annotated[tuple[BatchSection, ...], Strict(False)] = ()
    priority: Annotated[tuple[PrioritySection, ...], Strict(False)] = ()
    arrivals: Annotated[tuple[ArrivalsSection, ...], Strict(False)] = ()
    policy: PolicySection | None = None

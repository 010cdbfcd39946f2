"""A scenario applied to a metagraph: every edit, with what it changed in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from metagraph.model import Metagraph
from metagraph.validate import check
from twin.edit_tools import Place
from twin.edits_agents import Edit, away, calendars, capacity, costs, nobody_left, overtime
from twin.edits_flow import arrivals, priority, routing
from twin.edits_hired import hire, skills
from twin.edits_work import automate, batches, delays, drop, durations, preemptible
from twin.policies import Wanted
from twin.scenario_sections import PolicySection, Scenario

_Edit = Callable[[Metagraph, Any, Place], Edit]
_EDITS: tuple[tuple[str, _Edit], ...] = (
    ("cost", costs),
    ("hire", hire),
    ("skills", skills),
    ("lose", away),
    ("absence", away),
    ("calendar", calendars),
    ("overtime", overtime),
    ("capacity", capacity),
    ("duration", durations),
    ("delay", delays),
    ("automate", automate),
    ("drop", drop),
    ("preemptible", preemptible),
    ("routing", routing),
    ("batch", batches),
    ("priority", priority),
    ("arrivals", arrivals),
)
"""In the order in which they are applied: those who are hired cost what the others do, and are known to all
that comes after."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one table of a scenario changed."""

    where: str
    """'[[hire]] 1'"""
    text: str
    """'before → after', in words."""


@dataclass(frozen=True, slots=True)
class Overtime:
    """Hours beyond the calendar, and what they cost."""

    agent: str
    start: datetime
    end: datetime
    rate: float
    """Times the agent's cost per hour."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A metagraph as a scenario has it, and what of the scenario is no edit of a metagraph."""

    name: str
    metagraph: Metagraph
    changes: tuple[Change, ...]
    policy: PolicySection | None = None
    """How queues are served, in place of what the baseline does."""
    invested: float = 0.0
    """Money, once."""
    overtime: tuple[Overtime, ...] = ()
    notes: tuple[str, ...] = ()

    def wanted(self, before: Wanted) -> Wanted:
        """The baseline's policy options with the scenario's in their place."""
        if self.policy is None:
            return before
        said = self.policy.model_dump(exclude_none=True)
        minutes = said.pop("resume_penalty_min", None)
        if minutes is not None:
            said["resume_penalty_s"] = 60.0 * minutes
        # A policy by name comes whole: options of the one before it say nothing about it.
        kept = {} if "policy" in said else {name: getattr(before, name) for name in before.__slots__}
        return Wanted(**(kept | said))


def edited(
    metagraph: Metagraph,
    scenario: Scenario,
    begin: datetime | None = None,
    before: Wanted | None = None,
) -> Edited:
    """The metagraph with all edits of the scenario; `begin` is what times like "48 h" count from,
    and `before` the policy that the scenario's is compared with.

    Nodes and agents keep their places, so that runs of both use common random numbers. Raises DataError for
    an edit that names something unknown or changes nothing, and for what the edits together make impossible.
    """
    graph, changes, extra = metagraph, [], []
    for key, apply in _EDITS:
        for i, said in enumerate(getattr(scenario, key), 1):
            place = Place(f"{scenario.name}, [[{key}]] {i}", begin)
            graph, words = apply(graph, said, place)
            changes += [Change(f"[[{key}]] {i}", text) for text in words]
            if key == "overtime":
                start, end = place.span(said.since, said.until)
                if start is not None and end is not None:
                    extra += [Overtime(agent, start, end, said.rate) for agent in said.agents]
    if scenario.policy is not None:
        changes += [Change("[policy]", text) for text in _policy_words(scenario, before or Wanted())]
    check(graph, f"the twin {metagraph.name!r} as {scenario.name!r} has it")
    return Edited(
        name=scenario.name,
        metagraph=graph,
        changes=tuple(changes),
        policy=scenario.policy,
        invested=sum(one.invested for one in scenario.automate),
        overtime=tuple(extra),
        notes=tuple(nobody_left(graph)),
    )


def _policy_words(scenario: Scenario, before: Wanted) -> Iterator[str]:
    """What of the policy is another one."""
    assert scenario.policy is not None
    said = scenario.policy.model_dump(exclude_none=True)
    minutes = said.pop("resume_penalty_min", None)
    if minutes is not None:
        said["resume_penalty_s"] = 60.0 * minutes
    new = {name: value for name, value in said.items() if getattr(before, name) != value}
    if not new:
        raise Place(f"{scenario.name}, [policy]", None).nothing("the baseline's policy says the same")
    for name, value in new.items():
        old = getattr(before, name)
        yield f"{name.replace('_', ' ')}: {'as the policy has it' if old is None else old} → {value}"

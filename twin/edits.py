"""A scenario applied to a metagraph: every edit, with what it changed in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from metagraph.model import Metagraph
from metagraph.validate import check
from twin.edit_tools import Place, dated
from twin.edits_agents import Edit, away, calendars, capacity, costs, nobody_left, overtime
from twin.edits_flow import arrivals, priority, routing
from twin.edits_hired import hire, skills
from twin.edits_work import automate, batches, delays, drop, durations, preemptible
from twin.planned_policy import Planning
from twin.policies import Wanted
from twin.scenario_sections import PLANNING, PolicySection, Scenario
from twin.words import instant

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
_DATED_THEMSELVES = ("cost", "hire", "lose", "absence", "overtime", "arrivals")
"""Edits whose dates the metagraph itself holds, or that have none; for others the process is another one from
an instant on."""


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
class Phase:
    """The process from an instant on, until the next one's."""

    start: datetime | None
    """None: from the beginning."""
    metagraph: Metagraph
    policy: PolicySection | None = None
    """How queues are served, in place of what the baseline does."""

    def wanted(self, before: Wanted) -> Wanted:
        """The baseline's policy options with the scenario's in their place."""
        if self.policy is None:
            return before
        said = _options(self.policy)
        # A policy by name comes whole: options of the one before it say nothing about it.
        kept = {} if "policy" in said else {name: getattr(before, name) for name in before.__slots__}
        return Wanted(**(kept | said))

    def planning(self) -> Planning:
        """How milp plans."""
        said = {} if self.policy is None else self.policy.model_dump(include=set(PLANNING), exclude_none=True)
        return Planning(**{_PLANNING[name][0]: _PLANNING[name][1] * value for name, value in said.items()})


_PLANNING = {
    "plan_every_h": ("every_s", 3600.0),
    "computing_min": ("computing_s", 60.0),
    "gap": ("gap", 1.0),
    "time_limit_s": ("time_limit_s", 1.0),
}
"""Keys of [policy]: what they are of Planning, and their unit in its own."""


@dataclass(frozen=True, slots=True)
class Investment:
    """Money, once."""

    money: float
    at: datetime | None
    """None: at the beginning."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A metagraph as a scenario has it, and what of the scenario is no edit of a metagraph."""

    name: str
    phases: tuple[Phase, ...]
    """One, and one more for each instant at which something but people and arrivals changes; all with the
    same nodes and agents in the same places."""
    changes: tuple[Change, ...]
    investments: tuple[Investment, ...] = ()
    overtime: tuple[Overtime, ...] = ()
    notes: tuple[str, ...] = ()
    starts: Mapping[str, datetime | None] = field(default_factory=dict)
    """From when on each table holds; None: from the beginning."""

    @property
    def metagraph(self) -> Metagraph:
        """As it is in the beginning."""
        return self.phases[0].metagraph

    def wanted(self, before: Wanted) -> Wanted:
        """The policy options of the beginning."""
        return self.phases[0].wanted(before)

    def invested(self, until: datetime) -> float:
        """Money that is invested by an instant."""
        return sum(one.money for one in self.investments if one.at is None or one.at <= until)


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
    spans = {place.where: _span(said, place) for _, _, said, place in _tables(scenario, begin)}
    spans |= {place.where: _span(said, place) for _, said, place in _policies(scenario, begin)}
    words: dict[str, list[str]] = {}
    phases = []
    for start in _starts(scenario, begin, spans):
        here = _Here(begin, start, spans, words)
        graph = here.applied(metagraph, scenario)
        phases.append(Phase(start, graph, here.policy(scenario, before or Wanted())))
    phases = _together(phases)
    for phase in phases:
        check(phase.metagraph, f"the twin {metagraph.name!r} as {scenario.name!r} has it")
    title = f"{scenario.name}, "
    return Edited(
        name=scenario.name,
        phases=tuple(phases),
        changes=tuple(Change(where.removeprefix(title), text) for where in spans for text in words[where]),
        investments=tuple(
            Investment(said.invested, spans[place.where][0])
            for key, _, said, place in _tables(scenario, begin)
            if key == "automate" and said.invested
        ),
        overtime=tuple(_overtime(scenario, begin)),
        notes=tuple(dict.fromkeys(note for phase in phases for note in nobody_left(phase.metagraph))),
        starts={where.removeprefix(title): start for where, (start, _) in spans.items()},
    )


_Span = tuple[datetime | None, datetime | None]


def _tables(scenario: Scenario, begin: datetime | None) -> Iterator[tuple[str, _Edit, Any, Place]]:
    """Each table but [policy]: its key, what applies it, what it says, where it stands."""
    for key, apply in _EDITS:
        for i, said in enumerate(getattr(scenario, key), 1):
            yield key, apply, said, Place(f"{scenario.name}, [[{key}]] {i}", begin)


def _policies(scenario: Scenario, begin: datetime | None) -> Iterator[tuple[str, PolicySection, Place]]:
    if scenario.policy is not None:
        yield "policy", scenario.policy, Place(f"{scenario.name}, [policy]", begin)


def _span(said: Any, place: Place) -> _Span:
    """When a table holds. Raises DataError where that is over before anything begins."""
    start, end = place.span(getattr(said, "since", None), getattr(said, "until", None))
    if end is not None and place.begin is not None and end <= place.begin:
        raise place.nothing(f"it is over at {instant(end)}, and nothing begins before {instant(place.begin)}")
    return start, end


def _starts(scenario: Scenario, begin: datetime | None, spans: dict[str, _Span]) -> list[datetime | None]:
    """The beginning, and each instant at which another process begins."""
    cut = [place.where for key, _, _, place in _tables(scenario, begin) if key not in _DATED_THEMSELVES]
    cut += [place.where for _, _, place in _policies(scenario, begin)]
    dates = {at for where in cut for at in spans[where] if at is not None}
    return [None, *sorted(at for at in dates if begin is None or at > begin)]


@dataclass(frozen=True, slots=True)
class _Here:
    """The edits of one phase."""

    begin: datetime | None
    start: datetime | None
    spans: dict[str, _Span]
    words: dict[str, list[str]]
    """What each table changed, as told by the first phase in which it holds."""

    def holds(self, key: str, where: str) -> bool:
        at, (start, end) = self.start or self.begin, self.spans[where]
        if key in _DATED_THEMSELVES:
            return True
        return (start is None or (at is not None and start <= at)) and (end is None or at is None or end > at)

    def tell(self, key: str, where: str, texts: Sequence[str]) -> None:
        when = "" if key in _DATED_THEMSELVES else dated(*self.spans[where])
        self.words.setdefault(where, [text + when for text in texts])

    def applied(self, graph: Metagraph, scenario: Scenario) -> Metagraph:
        for key, apply, said, place in _tables(scenario, self.begin):
            if self.holds(key, place.where):
                graph, texts = apply(graph, said, place)
                self.tell(key, place.where, texts)
        return graph

    def policy(self, scenario: Scenario, before: Wanted) -> PolicySection | None:
        for key, said, place in _policies(scenario, self.begin):
            if self.holds(key, place.where):
                self.tell(key, place.where, list(_policy_words(said, before, place)))
                return said
        return None


def _together(phases: Sequence[Phase]) -> list[Phase]:
    """The phases with the agents of all of them in each, in the same places: a robot that isn't there yet has
    nothing to do."""
    agents = {agent.id: agent for phase in reversed(phases) for agent in reversed(phase.metagraph.agents)}
    order = dict.fromkeys(agent.id for phase in phases for agent in phase.metagraph.agents)
    calendars = {one.id: one for phase in phases for one in phase.metagraph.calendars}
    found = []
    for phase in phases:
        mine = {agent.id: agent for agent in phase.metagraph.agents}
        crew = tuple(mine.get(name, agents[name]) for name in order)
        known = {one.id for one in phase.metagraph.calendars}
        wanted = dict.fromkeys(agent.calendar for agent in crew if agent.calendar not in known)
        more = tuple(calendars[name] for name in wanted)
        graph = phase.metagraph
        if len(mine) < len(crew):
            graph = replace(graph, agents=crew, calendars=(*graph.calendars, *more))
        found.append(replace(phase, metagraph=graph))
    return found


def _overtime(scenario: Scenario, begin: datetime | None) -> Iterator[Overtime]:
    for key, _, said, place in _tables(scenario, begin):
        if key == "overtime":
            start, end = place.span(said.since, said.until)
            if start is not None and end is not None:
                yield from (Overtime(agent, start, end, said.rate) for agent in said.agents)


def _options(policy: PolicySection) -> dict[str, Any]:
    """What a [policy] says, as options of policies."""
    said = policy.model_dump(exclude_none=True, exclude={"since", "until", *PLANNING})
    minutes = said.pop("resume_penalty_min", None)
    return said if minutes is None else said | {"resume_penalty_s": 60.0 * minutes}


def _policy_words(policy: PolicySection, before: Wanted, place: Place) -> Iterator[str]:
    """What of the policy is another one."""
    new = {name: value for name, value in _options(policy).items() if getattr(before, name) != value}
    if not new:
        raise place.nothing("the baseline's policy says the same")
    planning = policy.model_dump(include=set(PLANNING), exclude_none=True)
    yield from (f"plans: {name.replace('_', ' ')} = {value:g}" for name, value in planning.items())
    for name, value in new.items():
        old = getattr(before, name)
        yield f"{name.replace('_', ' ')}: {'as the policy has it' if old is None else old} → {value}"

"""When agents work, come and leave, and how fast delays run: what a metagraph says of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import inf

import numpy as np

from metagraph.agents import Agent
from metagraph.calendars import Calendar
from metagraph.errors import DataError
from metagraph.model import Metagraph
from simulation.clocks import ClockPlan, DrawnDays, PacePlan, Span, merged
from simulation.program import PRESENCE, Records
from simulation.tables import tabulate

LEAST_BETWEEN_S = 1.0
"""Of breakdowns that come more often a run would do little but count them."""


class Plans:
    """Clocks by number: one for all agents who share a calendar and have nothing of their own."""

    def __init__(self, metagraph: Metagraph, origin: datetime, earliest_s: float) -> None:
        self.plans: list[ClockPlan | None] = []
        self._calendars: Mapping[str, Calendar] = {c.id: c for c in metagraph.calendars}
        self._weeks: dict[str, dict[int, tuple[Span, ...]]] = {c.id: {} for c in metagraph.calendars}
        self._days = {c.id: DrawnDays(c, origin) for c in metagraph.calendars if c.shifts}
        self._shared: dict[str, int] = {}
        self._origin = origin
        self._earliest_s = earliest_s

    def clock(self, index: int, agent: Agent) -> int:
        """The number of an agent's clock."""
        if agent.calendar not in self._calendars:
            raise DataError(
                f"agent {agent.id!r} has the calendar {agent.calendar!r}, which the process doesn't have"
            )
        own = bool(agent.hired or agent.absences or agent.breakdowns or agent.calendar in self._days)
        if not own and agent.calendar in self._shared:
            return self._shared[agent.calendar]
        number = len(self.plans)
        if not own:
            self._shared[agent.calendar] = number
        self.plans.append(self._plan(index, agent))
        return number

    def _plan(self, index: int, agent: Agent) -> ClockPlan | None:
        calendar = self._calendars[agent.calendar]
        never = calendar.weekly_hours() <= 0.0
        if never and (calendar.shifts or not calendar.exceptions):
            raise DataError(
                f"calendar {calendar.id!r} of agent {agent.id!r} has no working hours: nothing would ever "
                f"finish; give it {'shifts that lie in its hours' if calendar.shifts else repr('hours')}"
            )
        away = merged([*self._before_hiring(agent), *self._absences(agent, any_kind=True)])
        breakdowns = None
        if agent.breakdowns is not None:
            breakdowns = tabulate(agent.breakdowns.between.law), tabulate(agent.breakdowns.repair.law)
            between_s = breakdowns[0].mean
            if breakdowns[0].xs[0] < 0.0 or breakdowns[1].xs[0] < 0.0 or not between_s >= LEAST_BETWEEN_S:
                raise DataError(
                    f"agent {agent.id!r} has breakdowns whose times between are {between_s:g} s on average: "
                    f"they must be {LEAST_BETWEEN_S:g} s or more, and no time below 0"
                )
        if calendar.always_open and not away and breakdowns is None:
            return None
        return ClockPlan(
            calendar,
            self._origin,
            self._earliest_s,
            away,
            breakdowns,
            index,
            self._weeks[calendar.id],
            self._days.get(calendar.id),
            agent.presence,
        )

    def gone(self, agent: Agent) -> tuple[Span, ...]:
        """When others do the agent's work: before hiring, and in absences that hand over."""
        return merged([*self._before_hiring(agent), *self._absences(agent, any_kind=False)])

    def _before_hiring(self, agent: Agent) -> list[Span]:
        return [] if agent.hired is None else [(-inf, self._seconds(agent.hired))]

    def _absences(self, agent: Agent, *, any_kind: bool) -> list[Span]:
        spans = []
        for absence in agent.absences:
            start = self._seconds(absence.start)
            end = inf if absence.end is None else self._seconds(absence.end)
            if not start < end:
                raise DataError(f"an absence of agent {agent.id!r} ends before it begins: correct its dates")
            if any_kind or absence.hands_over:
                spans.append((start, end))
        return spans

    def _seconds(self, instant: datetime) -> float:
        return (instant - self._origin).total_seconds()


def presence_of(gone: Sequence[Sequence[Span]]) -> Records:
    """PRESENCE: comings and goings of agents, by the spans in which each is gone."""
    events = [
        (t, agent, present)
        for agent, spans in enumerate(gone)
        for span in spans
        for present, t in enumerate(span)
        if -inf < t < inf
    ]
    return np.array(sorted(events), PRESENCE)


def paces_of(metagraph: Metagraph, origin: datetime, earliest_s: float) -> tuple[PacePlan, ...]:
    """Raises DataError for a pace that never moves."""
    for pace in metagraph.paces:
        if not any(rate > 0 for rate in pace.rates):
            raise DataError(f"pace {pace.id!r} never moves: no delay would ever end; give it rates above 0")
    return tuple(PacePlan(pace, origin, earliest_s) for pace in metagraph.paces)

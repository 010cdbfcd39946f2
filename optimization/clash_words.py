"""Limits of an order as a reader would say them: names, spans, moments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence, Set
from datetime import datetime, timedelta
from math import inf
from zoneinfo import ZoneInfo

from metagraph.model import Metagraph
from metagraph.timelines import FIRST
from optimization.alone import Alone, Limit, next_on
from optimization.problem import NOBODY, Operation

_DAY_S = 86400.0


class Words:
    """Sentences about one problem, in the time zone of most of its agents."""

    def __init__(self, alone: Alone, metagraph: Metagraph, origin: datetime) -> None:
        self._alone, self._problem, self._origin = alone, alone.problem, origin
        self._labels = {task.id: task.label for task in metagraph.tasks()}
        zones = {calendar.id: calendar.time_zone for calendar in metagraph.calendars}
        counted = Counter(zones[agent.calendar] for agent in metagraph.agents)
        self._zone = ZoneInfo(counted.most_common(1)[0][0] if counted else "UTC")

    def sentence(self, job: int, limits: Set[Limit], date: tuple[str, float] | None, verdict: str) -> str:
        """Why an order can't be done: `date` is the one in the way, None for the horizon."""
        grid, order = self._problem.grid, self._problem.jobs[job].order
        deadline_s = grid.at(grid.periods) if date is None else date[1]
        by = f"the horizon's end {self.moment(deadline_s)}"
        if date is not None:
            by = f"its {date[0]} {self.moment(deadline_s)}"
        if limits == {Limit("date")}:
            ago = span(grid.start_s - deadline_s)
            return f"Order {order.id}: {by} was {ago} ago: {verdict}."
        clauses, told = self._clauses(job, limits, deadline_s, by)
        if not told:
            clauses.append(f"{by[: -len(self.moment(deadline_s)) - 1]} is {self.moment(deadline_s)}")
        return f"Order {order.id} {'; '.join(clauses)}: {verdict}."

    def _clauses(self, job: int, limits: Set[Limit], deadline_s: float, by: str) -> tuple[list[str], bool]:
        """What stands against it, and whether the date was named with it."""
        shifts = [i for i in self._problem.jobs[job].ops if Limit("shift", i) in limits]
        clauses = self._ready(job, limits)
        named = {*shifts, *self._of(job, limits, "busy")}
        needed = [i for i in self._of(job, limits, "work") if i not in named]
        if needed:
            clauses.append(f"needs {listed([self._work(i) for i in needed], 'and')}")
        for i in self._of(job, limits, "delay"):
            clauses.append(f"has a delay before {self._label(i)}")
        clauses += self._busy(job, limits)
        nobody = [f"has nobody who may do {self._label(i)}" for i in self._of(job, limits, "nobody")]
        clauses += nobody
        over = self._alone.over_s(job, limits)
        for i in shifts:
            clauses.append(self._shift(i, self._alone.begin_s(i, over, limits), deadline_s, by))
        if Limit("grid") in limits:
            clauses.append(f"each piece of work takes whole periods of {span(self._problem.grid.dt_s)}")
        return clauses, bool(shifts or nobody)

    def _of(self, job: int, limits: Set[Limit], kind: str) -> list[int]:
        return [i for i in self._problem.jobs[job].ops if any(x.kind == kind and x.op == i for x in limits)]

    def _ready(self, job: int, limits: Set[Limit]) -> list[str]:
        """What it waits for first of all."""
        order, grid = self._problem.jobs[job].order, self._problem.grid
        found = []
        for i in self._of(job, limits, "ready"):
            op = self._problem.ops[i]
            at = self.moment(grid.at(op.ready))
            material_s = order.material_s.get(op.task)
            before = [work for work in self._problem.running if work.order == order.id]
            if material_s is not None and grid.up(material_s) == op.ready:
                found.append(f"has no material for {self._label(i)} before {self.moment(material_s)}")
            elif grid.up(order.release_s) == op.ready:
                found.append(f"is released at {self.moment(order.release_s)}")
            elif any(work.end == op.ready for work in before):
                found.append(self._under_way(job, op.ready))
            else:
                found.append(f"can't begin {self._label(i)} before {at}")
        if Limit("under way") in limits:
            found.append(self._under_way(job, self._problem.jobs[job].floor))
        return list(dict.fromkeys(found))

    def _under_way(self, job: int, end: int) -> str:
        order, grid = self._problem.jobs[job].order, self._problem.grid
        found = [work for work in self._problem.running if work.order == order.id and work.end == end]
        until = f"until {self.moment(grid.at(end))}" if end <= grid.periods else "beyond the horizon"
        if not found:
            return f"is under way {until}"
        who = f" by {found[0].unit}" if found[0].unit else ""
        return f"has {self._labels[found[0].task]}{who} under way {until}"

    def _busy(self, job: int, limits: Set[Limit]) -> list[str]:
        """Who isn't free yet, and why."""
        found = []
        for i in self._of(job, limits, "busy"):
            op, grid = self._problem.ops[i], self._problem.grid
            units = self._units(op)
            free_s = min(self._alone.free_s(mode.pool) for mode in op.modes)
            held = [work for work in self._problem.running if work.unit in units]
            with_ = listed([f"{self._labels[w.task]} of order {w.order}" for w in held], "and")
            until = f"until {self.moment(free_s)}" if free_s <= grid.at(grid.periods) else "to the end"
            what = f"busy {until} with what isn't interrupted ({with_})"
            found.append(f"needs {self._work(i)} by {listed(units)}, {what}")
        return found

    def _shift(self, i: int, since_s: float, deadline_s: float, by: str) -> str:
        """Who isn't there between two instants, or not for long."""
        op = self._problem.ops[i]
        units = self._units(op)
        there = [
            one
            for mode in op.modes
            if mode.pool >= 0 and (one := self._alone.presences[mode.pool]) is not None
        ]
        begins = min((next_on(one, since_s) for one in there), default=deadline_s)
        when = f"between {self.moment(since_s)} and {by}"
        if since_s >= deadline_s or begins >= deadline_s:
            nobody = {1: ", who isn't", 2: "; neither is"}.get(len(units), "; none of them is")
            if begins == inf:
                when = f"from {self.moment(since_s)} on"
            return f"needs {self._work(i)} by {listed(units)}{nobody} on shift {when}"
        most_s = max(one.worked(deadline_s) - one.worked(since_s) for one in there)
        return f"needs {self._work(i)} by {listed(units)}, on shift for {span(most_s)} {when}"

    def _units(self, op: Operation) -> list[str]:
        pools = self._problem.pools
        return list(dict.fromkeys(u for m in op.modes if m.pool != NOBODY for u in pools[m.pool].units))

    def _work(self, i: int) -> str:
        quickest_s = min((mode.work_s for mode in self._problem.ops[i].modes), default=0.0)
        return f"{self._label(i)} ({span(quickest_s)})"

    def _label(self, i: int) -> str:
        return self._labels[self._problem.ops[i].task]

    def moment(self, t_s: float) -> str:
        """An instant as short as it can be understood from now; hours where nobody said when hour 0 is."""
        if self._origin == FIRST:
            return f"hour {t_s / 3600:.6g}"
        local = (self._origin + timedelta(seconds=t_s)).astimezone(self._zone)
        now = (self._origin + timedelta(seconds=self._problem.grid.start_s)).astimezone(self._zone)
        if local.date() == now.date():
            return f"{local:%H:%M}"
        near = abs(t_s - self._problem.grid.start_s) < 6 * _DAY_S
        return f"{local:%a %H:%M}" if near else f"{local:%Y-%m-%d %H:%M}"


def span(seconds: float) -> str:
    """A duration in the unit that suits it."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600 and seconds != 3600:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:.3g} h" if seconds < 10 * _DAY_S else f"{seconds / _DAY_S:.0f} days"


def listed(names: Sequence[str] | Collection[str], last: str = "or", most: int = 5) -> str:
    """Names in a sentence: A, B or C."""
    told = [*names][:most]
    if len(names) > most:
        return f"{', '.join(told)} {last} {len(names) - most} more"
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} {last} {told[-1]}"

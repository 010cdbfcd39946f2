"""What a run comes to between two instants: orders, money, waiting, load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.agents import UNLIMITED
from metagraph.calendars import WorkClock
from metagraph.model import Metagraph
from twin.edits import Edited, Overtime

if TYPE_CHECKING:
    from simulation.run import Run

Floats = NDArray[np.float64]
POINTS = 121

COSTS = ("cost", "cost_agents", "cost_overtime", "cost_executions", "invested")
MONEY = ("net", "profit", *COSTS)
HEADLINE = (
    *MONEY,
    "orders",
    "completed",
    "lost",
    "fulfilled",
    "on_time",
    "on_time_n",
    "throughput_per_h",
    "cycle_mean_s",
    "cycle_p90_s",
    "wip_mean",
    "wip_end",
)
"""Figures by their names; those below are by agent and activity."""
UTILISATION = "utilisation "
WAIT = "wait_s "


@dataclass(frozen=True, slots=True)
class Window:
    """What is counted: seconds since the origin."""

    begin_s: float
    end_s: float
    points: int = POINTS

    def grid(self) -> Floats:
        """Instants from its beginning to its end."""
        return np.linspace(self.begin_s, self.end_s, self.points)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A run of one process, as far as the process was that one."""

    metagraph: Metagraph
    run: Run
    before: Run | None
    """The same run up to the window's beginning, if it began before."""
    window: Window


def figures_of(
    metagraph: Metagraph,
    run: Run,
    before: Run | None,
    window: Window,
    edited: Edited | None,
    parts: Sequence[Part] = (),
) -> dict[str, float]:
    """The figures of a run to the window's end; `before` is the same run up to the window's beginning, if it
    began before, and `parts` are those of which it was put together, if several processes went on with it.
    Seconds, money in the log's currency, shares; NaN where there is nothing to count."""
    parts = parts or (Part(metagraph, run, before, window),)
    return {
        **_orders(run, window),
        **_money(parts, run, window, edited),
        **_work(run, before, window),
    }


def _orders(run: Run, window: Window) -> dict[str, float]:
    table = run.program.orders.table
    release, due = table["release_s"], table["due_s"]
    gone = np.fmin(run.completed_s, run.lost_s)
    counts = (release <= window.end_s) & ~(gone <= window.begin_s)
    done = counts & ~np.isnan(run.completed_s)
    completed, lost = int(done.sum()), int((counts & run.lost).sum())
    told = counts & np.isfinite(due) & (~np.isnan(gone) | (due <= window.end_s))
    on_time = int((told & (run.completed_s <= due)).sum())
    cycle = (run.completed_s - release)[done]
    hours = (window.end_s - window.begin_s) / 3600
    return {
        "orders": float((counts & (release >= window.begin_s)).sum()),
        "completed": float(completed),
        "lost": float(lost),
        "fulfilled": _ratio(completed, completed + lost),
        "on_time": _ratio(on_time, int(told.sum())),
        "on_time_n": float(on_time) if told.any() else np.nan,
        "throughput_per_h": _ratio(completed, hours),
        "cycle_mean_s": float(cycle.mean()) if completed else np.nan,
        "cycle_p90_s": float(np.quantile(cycle, 0.9)) if completed else np.nan,
        "wip_end": float((counts & np.isnan(gone)).sum()),
    }


def _money(parts: Sequence[Part], run: Run, window: Window, edited: Edited | None) -> dict[str, float]:
    """Profit of what ended in the window, and what it cost: agents are paid for the hours of their shifts."""
    from simulation.money import profits

    worth = profits(run)
    ended = ~(np.fmin(run.completed_s, run.lost_s) <= window.begin_s)
    profit = np.nan if worth is None else float(np.nansum(worth[ended]))
    shifts, extra, executions = (
        sum(column) for column in zip(*(costs_of(part, edited) for part in parts), strict=True)
    )
    end = run.origin + timedelta(seconds=window.end_s)
    invested = edited.invested(end) if edited else 0.0
    cost = shifts + extra + executions + invested
    return {
        "net": profit - cost,
        "profit": profit,
        "cost": cost,
        "cost_agents": shifts,
        "cost_overtime": extra,
        "cost_executions": executions,
        "invested": invested,
    }


def costs_of(part: Part, edited: Edited | None) -> tuple[float, float, float]:
    """Money for usual hours of agents, for overtime, and for executions."""
    per_h = np.array([agent.cost_per_h for agent in part.metagraph.agents])
    shifts = float((_since(part.run, part.before, "on_s") / 3600 * per_h).sum())
    overtime = edited.overtime if edited else ()
    usual, extra = _overtime(part.metagraph, overtime, part.run.origin, part.window)
    each = np.array([getattr(node, "cost", 0.0) for node in part.metagraph.nodes])
    return shifts - usual, extra, float((_since(part.run, part.before, "started") * each).sum())


def _overtime(
    metagraph: Metagraph, extra: tuple[Overtime, ...], origin: datetime, window: Window
) -> tuple[float, float]:
    """Money at the usual rate, and at the rate of overtime, for hours beyond the calendar."""
    usual = paid = 0.0
    begin, end = (origin + timedelta(seconds=t) for t in (window.begin_s, window.end_s))
    calendars = {calendar.id: calendar for calendar in metagraph.calendars}
    for one in extra:
        start, stop = max(one.start, begin), min(one.end, end)
        if start >= stop:
            continue
        agent = next(agent for agent in metagraph.agents if agent.id == one.agent)
        calendar = calendars[agent.calendar]
        without = tuple(e for e in calendar.exceptions if (e.start, e.end) != (one.start, one.end))
        clock = WorkClock(replace(calendar, exceptions=without), origin, earliest_s=window.begin_s)
        a, b = ((t - origin).total_seconds() for t in (start, stop))
        hours = (b - a - clock.between(a, b)) / 3600
        usual += hours * agent.cost_per_h
        paid += hours * agent.cost_per_h * one.rate
    return usual, paid


def _work(run: Run, before: Run | None, window: Window) -> dict[str, float]:
    """Load of agents, waits before activities, orders in process on average."""
    network = run.program.network
    wip_s = run.tally.wip_s - (before.tally.wip_s if before is not None else 0.0)
    on_s = _since(run, before, "on_s")
    busy_s = _since(run, before, "busy_s")
    agents = network.agents
    capacity = np.where(agents["shared"] > 0, 1, agents["capacity"])
    found = {"wip_mean": _ratio(wip_s, window.end_s - window.begin_s)}
    for i, name in enumerate(network.agent_ids):
        if agents["capacity"][i] < UNLIMITED and on_s[i] > 0:
            found[UTILISATION + name] = float(busy_s[i] / (capacity[i] * on_s[i]))
    started = _since(run, before, "started")
    wait_s = _since(run, before, "wait_s")
    return found | dict(_waits(network.nodes["label"], network.labels, started, wait_s))


def _waits(
    label: NDArray[np.int32], names: tuple[str, ...], started: Floats, wait_s: Floats
) -> Iterator[tuple[str, float]]:
    for i, name in enumerate(names):
        mine = label == i
        yield WAIT + name, _ratio(float(wait_s[mine].sum()), float(started[mine].sum()))


def _since(run: Run, before: Run | None, name: str) -> Floats:
    """A column of the tally, without what it came to before the window."""
    found = np.asarray(getattr(run.tally, name), np.float64)
    return found if before is None else found - np.asarray(getattr(before.tally, name), np.float64)


def _ratio(value: float, of: float) -> float:
    return value / of if of > 0 else np.nan

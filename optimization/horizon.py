"""How far a plan looks ahead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import ceil

from metagraph.errors import InfeasibleError, UsageError
from metagraph.model import Metagraph
from metagraph.nodes import Task
from optimization.grid import periods_of
from optimization.operations import Todo
from optimization.settings import Settings
from optimization.work import Expected, Presence, able, law_of, presence

_DAY_S = 86400.0
MOST_PERIODS = 20_000
"""Of a grid; more would only fill the memory."""


def latest_s(
    metagraph: Metagraph,
    todo: Sequence[Todo],
    now_s: float,
    origin: datetime,
    settings: Settings,
    dt_s: float,
    expected: Expected,
) -> float:
    """The horizon's end, seconds since the origin.

    Rolling: the last lost-sale date; where an order has none, when a plan first come, first served has done
    all of them. Raises UsageError for a horizon without a time, or one that is over.
    """
    if settings.horizon == "fixed":
        return now_s + _told(settings)
    if settings.horizon == "shrinking":
        return _told(settings)
    dates = [one.order.lost_s for one in todo]
    if todo and all(date is not None for date in dates):
        end_s = max(now_s, *(date for date in dates if date is not None))
    else:
        end_s = _makespan(metagraph, todo, now_s, origin, dt_s, expected)
    return end_s if settings.horizon_s is None else min(end_s, now_s + settings.horizon_s)


def periods(now_s: float, end_s: float, dt_s: float, settings: Settings) -> int:
    """Of the grid. Rounded down where nothing may be planned beyond the horizon.

    Raises InfeasibleError for a grid coarser than the horizon, UsageError for a horizon that is over or for a
    grid finer than can be handled.
    """
    length_s = end_s - now_s
    found = periods_of(length_s, dt_s, whole=settings.horizon != "rolling")
    if found < 1 and settings.horizon == "rolling":
        return 1
    if length_s <= 0 and settings.horizon != "rolling":
        raise UsageError(f"the horizon ends {-length_s / 3600:.3g} h before now: name a later end")
    if found < 1:
        raise InfeasibleError(
            f"nothing can be planned: the horizon of {length_s / 3600:.3g} h holds no period of "
            f"{dt_s / 3600:.3g} h: take a finer grid or a longer horizon"
        )
    if found > MOST_PERIODS:
        raise UsageError(
            f"a grid of {dt_s:g} s has {found} periods up to the horizon, {length_s / 3600:.0f} h "
            f"ahead; {MOST_PERIODS} are the most: take a coarser grid or a shorter horizon"
        )
    return found


def _told(settings: Settings) -> float:
    if settings.horizon_s is None:
        raise UsageError(f"a {settings.horizon} horizon needs a time: give `horizon_s`")
    return settings.horizon_s


def _makespan(
    metagraph: Metagraph,
    todo: Sequence[Todo],
    now_s: float,
    origin: datetime,
    dt_s: float,
    expected: Expected,
) -> float:
    """When all is done if orders go one after the other, each step by who is done with it first; every step
    takes whole periods, so that the grid can hold this plan. An order for which nobody ever comes doesn't
    count."""
    window_s = 60 * _DAY_S
    while True:
        last = window_s > 2000 * _DAY_S
        end_s = _serial(metagraph, todo, now_s, origin, dt_s, expected, now_s + window_s, give_up=last)
        if end_s is not None:
            return end_s
        window_s *= 2


def _serial(
    metagraph: Metagraph,
    todo: Sequence[Todo],
    now_s: float,
    origin: datetime,
    dt_s: float,
    expected: Expected,
    window_end_s: float,
    *,
    give_up: bool,
) -> float | None:
    """The end of that plan; None if it goes beyond the window, unless one gives up the orders that do."""
    agents = {agent.id: agent for agent in metagraph.agents}
    there: dict[str, Presence] = {}
    free: dict[str, float] = {}
    last = now_s
    for one in todo:
        ends: list[float] = []
        for step in one.route.steps:
            ready = max([now_s, one.order.release_s, *(ends[i] for i in step.preds)])
            if step.task.delay is not None:
                ready += 2 * step.visits * expected.mean(step.task.delay.lookup(step.after).law)
            ready = max(ready, one.order.material_s.get(step.task.id, ready))
            ready = _rounded(ready, now_s, dt_s)
            served = able(metagraph, step.task)
            best = ready + _whole(step.visits * _mean(one, step.task, None, expected), dt_s)
            if served:
                options = []
                for agent in served:
                    if agent not in there:
                        there[agent] = presence(agents[agent], metagraph, origin, now_s, window_end_s)
                    begin = max(ready, free.get(agent, now_s))
                    work_s = step.visits * _mean(one, step.task, agent, expected)
                    options.append((there[agent].after(begin, _whole(work_s, dt_s)), agent))
                best, chosen = min(options)
                if best >= window_end_s and not give_up:
                    return None
                if best >= window_end_s:
                    ends = []
                    break
                free[chosen] = best = _rounded(best, now_s, dt_s)
            ends.append(best)
        last = max([last, *ends])
    return last + dt_s


def _mean(one: Todo, task: Task, agent: str | None, expected: Expected) -> float:
    return expected.mean(law_of(task, one.order.cls, one.order.segment, agent))


def _whole(work_s: float, dt_s: float) -> float:
    return ceil(work_s / dt_s) * dt_s


def _rounded(t: float, now_s: float, dt_s: float) -> float:
    return now_s + ceil((t - now_s) / dt_s - 1e-6) * dt_s

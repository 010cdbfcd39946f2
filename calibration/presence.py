"""On which days agents come, from the days on which they left stamps.

Who is there may have nothing to do, and so leave no stamp. An agent's executions on a day of presence are
taken as Poisson with mean l c, c being how much of everybody's work the log holds around that day (logs
without their unfinished cases fade out). From the days with stamps alone, l solves

    sum n = sum l c / (1 - exp(-l c)),

the maximum-likelihood equation of the zero-truncated Poisson law (David and Johnson, 1952); a
presence is then the days with stamps over the days on which presence would have left one, the sum of
1 - exp(-l c).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import Floats

PRIOR_DAYS = 4.0
"""Days of the role that count towards the rate and presence of each of its agents."""
SMOOTH_DAYS = 28
"""How much work the log holds is looked at over so many days."""
_MOST = 50.0
"""A mean above this leaves no day of presence without stamps."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SeenDays:
    """The days on which agents left stamps, as equally long columns sorted by agent and day."""

    agent: Ints
    day: Ints
    """Local dates, counted from that of the log's origin (a Monday)."""
    executions: Ints
    stamps: Ints
    first_s: Floats
    """Of the day's stamps, in seconds since its midnight."""
    last_s: Floats

    def of(self, members: NDArray[np.bool_]) -> SeenDays:
        """Some of the rows."""
        return SeenDays(*(getattr(self, name)[members] for name in self.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """The days on which anybody could have come."""

    days: Ints
    """Ascending, without holidays."""
    weight: Floats
    """What each counts: recent ones more."""
    complete: Floats
    """How much of everybody's work the log holds around each, 1 on average."""

    def at(self, day: Ints) -> Ints:
        """The row of each day; of days that aren't there, the next one's."""
        return np.minimum(np.searchsorted(self.days, day), len(self.days) - 1)


def exposure(seen: SeenDays, first: int, last: int, half_life_days: float, free: Ints) -> Exposure:
    """The days from `first` to `last` but for the `free` ones."""
    days = np.setdiff1d(np.arange(first, last + 1), free)
    inside = (seen.day >= first) & (seen.day <= last)
    total = np.bincount(seen.day[inside] - first, seen.executions[inside], minlength=last - first + 1)
    around = np.ones(SMOOTH_DAYS + 1)
    smooth = np.convolve(total, around, "same") / np.convolve(np.ones(len(total)), around, "same")
    level = smooth[days - first]
    complete = level / level.mean() if level.any() else np.ones(len(days))
    return Exposure(days, np.exp2((days - last) / half_life_days), np.maximum(complete, 1e-3))


def work_rate(seen: SeenDays, exposed: Exposure, role: Ints) -> Floats:
    """Executions on a day of presence, l, of each agent; drawn towards their role's."""
    n_agents = len(role)
    seen = seen.of(seen.executions > 0)
    c, n = exposed.complete[exposed.at(seen.day)], seen.executions.astype(np.float64)
    whole = _truncated(np.zeros(len(seen.day), np.int64), n, c, 1)
    roles = int(role.max(initial=0)) + 1
    of_role = np.where(
        np.bincount(role[seen.agent], minlength=roles) > 0,
        _truncated(role[seen.agent], n, c, roles),
        whole[0],
    )
    prior = of_role[role] / -np.expm1(-of_role[role])
    agent = np.concatenate((seen.agent, np.arange(n_agents)))
    return _truncated(
        agent,
        np.concatenate((n, prior * PRIOR_DAYS)),
        np.concatenate((c, np.ones(n_agents))),
        n_agents,
        np.concatenate((np.ones(len(c)), np.full(n_agents, PRIOR_DAYS))),
    )


def _truncated(group: Ints, n: Floats, c: Floats, groups: int, times: Floats | None = None) -> Floats:
    """The root l of sum n = sum times l c / (1 - exp(-l c)) within each group, by bisection."""
    times = np.ones(len(c)) if times is None else times
    total = np.bincount(group, n, minlength=groups)
    low, high = np.full(groups, 1e-6), np.full(groups, _MOST)
    for _ in range(50):
        middle = np.sqrt(low * high)
        mean = middle[group] * c
        expected = np.bincount(group, times * mean / -np.expm1(-mean), minlength=groups)
        below = expected < total
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    found: Floats = np.sqrt(low * high)
    return found


def came_and_could(
    seen: SeenDays, exposed: Exposure, rate: Floats, active: tuple[Ints, Ints]
) -> tuple[Floats, Floats]:
    """Days with stamps, and days on which presence would have left some, by agent and weekday, [agent, 7].

    `active` is the first and the last day of each agent's time in the log.
    """
    n_agents = len(rate)
    cell = seen.agent * 7 + seen.day % 7
    came = np.bincount(cell, exposed.weight[exposed.at(seen.day)], minlength=n_agents * 7).reshape(-1, 7)
    could = np.zeros((n_agents, 7))
    for number in range(7):
        mine = exposed.days % 7 == number
        days, weight, complete = exposed.days[mine], exposed.weight[mine], exposed.complete[mine]
        there = (days >= active[0][:, None]) & (days <= active[1][:, None])
        could[:, number] = (there * weight * -np.expm1(-rate[:, None] * complete)).sum(axis=1)
    return np.asarray(came, np.float64), could

"""Which days between an execution's start and its end its agent was there, and until when on the first day.

Nothing is written from the last stamp of one day to the first stamp of another. Who was there for long with
work in hand would have ended it: each way in which those days can have gone (when the first ended, how many
of those between were worked, when the last began) is as likely as such days are, times the density of the
work that it leaves for the executions held over them. Densities (gamma, by activity), presence and the hours'
weights are found by the EM algorithm (Dempster, Laird and Rubin, 1977); then one way is drawn for each gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from calibration.day_edges import Edges
from calibration.local_time import Floats, Mask
from calibration.presence import Ints

STEPS = 5
"""Of the EM algorithm."""
MOST_DAYS = 9
"""Ways in which the days between can have been worked that are told apart."""
LEAST_SHAPE = 0.3
"""Of a gamma density; work that varies more tells little."""


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """The gaps between consecutive days with stamps of one agent, and what was held over them."""

    last_s: Floats
    """The last stamp before each, in seconds since that day's midnight."""
    first_s: Floats
    """The first stamp after it, since that of its own day."""
    between: Ints
    """Days between that are usually worked."""
    of: Ints
    """The gap of each execution that was in hand over one gap only."""
    activity: Ints
    start_s: Floats
    end_s: Floats
    """Of each such execution, since the midnights of the days before and after."""
    ends: Edges
    begins: Edges
    """On a clock that runs backwards."""
    day_s: float
    """How long a usual day lasts."""
    usual_begin_s: Floats
    usual_end_s: Floats
    """The hours of each day with stamps, one more than there are gaps, from which the times are counted."""
    usual_day: Mask
    """Whether they fall on weekdays that are usually worked."""


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """How the gaps of an agent went."""

    end_s: Floats
    """When the day before each ended."""
    begin_s: Floats
    """When the day after it began."""
    worked: Ints
    """Days between that were worked; 0 where nothing is known of them."""
    known: Mask
    """Where something was in hand over this gap alone."""


@dataclass(slots=True)
class _Works:
    """Gamma densities of work by activity, from sums."""

    sums: Floats
    """Of the powers 0, 1 and 2 of the work, [3, activity]."""

    def log_density(self, activity: Ints, work_s: Floats) -> Floats:
        """Of work by activity, but for constants of the activity; [execution, ...]."""
        n, total, squares = self.sums
        mean: Floats = total / np.maximum(n, 1e-9)
        spread = np.maximum(squares / np.maximum(n, 1e-9) - mean**2, 1e-6 * mean**2 + 1e-9)
        shape: Floats = np.clip(mean**2 / spread, LEAST_SHAPE, 20.0)
        scale = np.maximum(mean, 1.0) / shape
        every = (slice(None), None, None, None)
        x = np.maximum(work_s, 1.0)
        power, unit = (column[activity][every] for column in (shape - 1, scale))
        return np.asarray(power * np.log(x) - x / unit, np.float64)


def fill(
    gaps: Mapping[int, Gaps],
    presence: Mapping[int, float],
    known: tuple[Ints, Floats],
    activities: int,
) -> dict[int, Filled]:
    """How the gaps of each agent went.

    `presence` is the chance of coming on a usual day, to begin with; `known` the activity and the work of the
    executions within days.
    """
    sums = np.zeros((3, activities))
    for k in range(3):
        sums[k] = np.bincount(known[0], known[1] ** k, minlength=activities)
    works: _Works | None = None
    chance, gaps = dict(presence), dict(gaps)
    for _ in range(STEPS):
        new = sums.copy()
        for agent, mine in gaps.items():
            ways, work, days = _ways(mine, works, chance[agent])
            for k in range(3):
                power: Floats = np.power(work, k)
                np.add.at(new[k], mine.activity, (ways[mine.of] * power).sum(axis=(1, 2, 3)))
            told = np.unique(mine.of)
            worked = float((ways[told] * days[told][:, None, :, None]).sum())
            came = float(len(mine.last_s))
            # Days without a stamp over which something was in hand are told by the ways.
            could = max(came / max(presence[agent], 1e-3), came + float(mine.between[told].sum()))
            chance[agent] = float(np.clip((came + worked) / could, 0.02, 0.999))
            if len(ways):
                ends = replace(mine.ends, weight=ways.sum(axis=(0, 2, 3)) / len(ways))
                begins = replace(mine.begins, weight=ways.sum(axis=(0, 1, 2)) / len(ways))
                gaps[agent] = replace(mine, ends=ends, begins=begins)
        works = _Works(new)
    random = np.random.default_rng(0)
    return {agent: _drawn(mine, works, chance[agent], random) for agent, mine in gaps.items()}


def _ways(mine: Gaps, works: _Works | None, chance: float) -> tuple[Floats, Floats, Floats]:
    """The chance of each way of each gap, [gap, end, days, begin]; the work that it leaves of each execution,
    [execution, end, days, begin]; and the days between that are worked, [gap, days]."""
    share = np.linspace(0.0, 1.0, MOST_DAYS)
    few = mine.between < MOST_DAYS
    count = np.minimum(np.arange(MOST_DAYS)[None, :], mine.between[:, None]).astype(np.float64)
    days = np.where(few[:, None], count, np.round(share[None, :] * mine.between[:, None]))
    allowed = ~few[:, None] | (np.arange(MOST_DAYS)[None, :] <= mine.between[:, None])
    of_days = np.where(allowed, _log_binomial(days, mine.between[:, None].astype(float), chance), -np.inf)
    known = np.zeros(len(mine.last_s), np.bool_)
    known[mine.of] = True
    sides = []
    for edges, stamp, like in (
        (mine.ends, mine.last_s, mine.ends.like[:-1]),
        (mine.begins, -mine.first_s, mine.begins.like[1:]),
    ):
        # The work that is left says when what was in hand would have ended.
        after = edges.at_s[None, :] >= stamp[:, None] - 1.0
        like = np.where(known[:, None] & after, 1.0, like)
        sides.append(np.log(like * np.maximum(edges.weight, 1e-9)))
    log = sides[0][:, :, None, None] + of_days[:, None, :, None] + sides[1][:, None, None, :]
    first = np.maximum(mine.ends.at_s[None, :], mine.last_s[mine.of, None]) - mine.start_s[:, None]
    last = mine.end_s[:, None] - np.minimum(-mine.begins.at_s[None, :], mine.first_s[mine.of, None])
    work = (
        np.maximum(first, 0.0)[:, :, None, None]
        + mine.day_s * days[mine.of][:, None, :, None]
        + np.maximum(last, 0.0)[:, None, None, :]
    )
    if works is not None:
        np.add.at(log, mine.of, works.log_density(mine.activity, work))
    log -= log.max(axis=(1, 2, 3), keepdims=True)
    ways = np.exp(log)
    return ways / ways.sum(axis=(1, 2, 3), keepdims=True), work, days


def _drawn(mine: Gaps, works: _Works | None, chance: float, random: np.random.Generator) -> Filled:
    ways, _, days = _ways(mine, works, chance)
    shape = ways.shape
    sums = np.cumsum(ways.reshape(shape[0], -1), axis=1)
    picked = np.sum(sums < random.random((shape[0], 1)) * sums[:, -1:], axis=1)
    end, count, begin = np.unravel_index(np.minimum(picked, sums.shape[1] - 1), shape[1:])
    known = np.zeros(shape[0], np.bool_)
    known[mine.of] = True
    worked = np.where(known, days[np.arange(shape[0]), count], 0.0).astype(np.int64)
    return Filled(mine.ends.at_s[end], -mine.begins.at_s[begin], worked, known)


def _log_binomial(k: Floats, n: Floats, p: float) -> Floats:
    from scipy.special import gammaln

    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.asarray(ways + k * np.log(p) + (n - k) * np.log1p(-p), np.float64)

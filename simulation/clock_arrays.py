"""Clocks and paces of a replication as arrays, as far as a horizon."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np

from metagraph.paces import HOUR_S, PaceClock
from simulation.clocks import Clock, ClockPlan
from simulation.kept import Beside
from simulation.program import Floats, Network, Records
from simulation.streams import Stream

LINE = np.dtype(
    [
        ("first", np.int64),  # into starts and ends
        ("n", np.int64),
        ("done", np.int64),  # first of n + 1 in `done`
        ("always", np.int32),  # always on: there are no intervals, and none are needed
        ("over", np.int32),  # off for good after the last interval
        ("reach_s", np.float64),  # intervals are known up to here; one that ends here may go on
    ]
)
PACE_LINE = np.dtype(
    [
        ("first", np.int64),  # into speeds
        ("n", np.int64),  # hours
        ("done", np.int64),  # first of n + 1 in `paced`
        ("hour", np.int64),  # of the first one, since the origin
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class ClockArrays:
    """All clocks and paces of one replication; what to do with them say WorkClock and PaceClock."""

    clocks: Records
    starts: Floats
    ends: Floats
    done: Floats
    """Working seconds before each interval, and after the last one."""
    paces: Records
    speeds: Floats
    paced: Floats
    """Paced seconds before each hour, and after the last one."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One clock."""

    starts: Floats
    ends: Floats
    done: Floats
    over: bool
    reach_s: float


_NONE = _Line(np.zeros(0), np.zeros(0), np.zeros(1), False, 0.0)


class _Known:
    """What all replications of a network share: everything but breakdowns and drawn shifts."""

    def __init__(self, network: Network) -> None:
        self.lock = Lock()
        self.paces = [plan.clock() for plan in network.paces]
        self.clocks: dict[int, Clock] = {}
        self.lines: dict[int, _Line] = {}
        self.arrays: tuple[float, ClockArrays] | None = None


_kept = Beside(_Known)


def realised(network: Network, stream: Stream, begin_s: float, horizon_s: float) -> ClockArrays:
    """The clocks of the replication that the stream belongs to, at least up to `horizon_s` (finite)."""
    known = _kept.of(network)
    random = any(plan is not None and plan.random for plan in network.clocks)
    with known.lock:
        if not random and known.arrays is not None and known.arrays[0] >= horizon_s:
            return known.arrays[1]
        lines = [_line(known, i, plan, stream, begin_s, horizon_s) for i, plan in enumerate(network.clocks)]
        arrays = _arrays(lines, network, known.paces, horizon_s)
        if not random:
            known.arrays = horizon_s, arrays
        return arrays


def _line(
    known: _Known, number: int, plan: ClockPlan | None, stream: Stream, begin_s: float, horizon_s: float
) -> _Line:
    if plan is None:
        return _NONE
    if plan.random:
        return _grown(plan.clock(stream, begin_s), horizon_s)
    found = known.lines.get(number)
    if found is None or (found.reach_s <= horizon_s and not found.over):
        clock = known.clocks.setdefault(number, plan.clock(stream, begin_s))
        found = known.lines[number] = _grown(clock, horizon_s)
    return found


def _grown(clock: Clock, horizon_s: float) -> _Line:
    starts, ends, done, over, reach_s = clock.grown(horizon_s)
    return _Line(np.array(starts), np.array(ends), np.array(done), over, reach_s)


def _arrays(lines: list[_Line], network: Network, paces: list[PaceClock], horizon_s: float) -> ClockArrays:
    clocks = np.zeros(len(lines), LINE)
    first = 0
    for i, (line, plan) in enumerate(zip(lines, network.clocks, strict=True)):
        n = len(line.starts)
        clocks[i] = (first, n, first + i, plan is None, line.over, line.reach_s)
        first += n
    records = np.zeros(len(paces), PACE_LINE)
    grown = [pace.grown(horizon_s) for pace in paces]
    first = 0
    for i, (hour, speeds, _) in enumerate(grown):
        records[i] = (first, len(speeds), first + i, hour)
        first += len(speeds)
    return ClockArrays(
        clocks=_sealed(clocks),
        starts=_together([line.starts for line in lines]),
        ends=_together([line.ends for line in lines]),
        done=_together([line.done for line in lines]),
        paces=_sealed(records),
        speeds=_together([np.array(speeds) for _, speeds, _ in grown]),
        paced=_together([np.array(done) for _, _, done in grown]),
    )


def _together(parts: list[Floats]) -> Floats:
    found: Floats = np.concatenate([np.zeros(0), *parts])
    found.flags.writeable = False
    return found


def _sealed(records: Records) -> Records:
    records.flags.writeable = False
    return records


def paced_after(network: Network, pace: int, t: Floats, passed: Floats, amount: Floats) -> Floats:
    """`PaceClock.after` of many instants, at which the pace has passed so much; to the same last bit."""
    known = _kept.of(network)
    target = passed + amount
    with known.lock:
        clock = known.paces[pace]
        first, speeds, done = clock.grown(0.0)
        while done[-1] < target.max(initial=0.0):
            first, speeds, done = clock.grown((first + len(speeds)) * HOUR_S)
        hours, rates = np.array(done), np.array(speeds)
    hour = np.maximum(np.searchsorted(hours, target, side="left") - 1, 0)
    moving = amount > 0.0
    speed = np.where(moving, rates[hour], 1.0)
    ends = np.maximum(t, (hour + first) * HOUR_S + (target - hours[hour]) / speed)
    found: Floats = np.where(moving, ends, t)
    return found

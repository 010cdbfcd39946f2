"""Work clocks and paces: the arithmetic of metagraph/calendars.py and paces.py on arrays.

A clock is known up to its reach. What lies beyond is answered by UNKNOWN and noted in the world: the run
stops after the event, the clocks are made longer, and what was unknown is found.
"""

from __future__ import annotations

import math

from simulation.kernel_agenda import RANK, SHIFT, push
from simulation.kernel_jit import Record, float_at, leaf, part
from simulation.kernel_numbers import left_of, right_of
from simulation.kernel_records import clock_of, pace_of

INFINITE = float("inf")
UNKNOWN = -float("inf")
_HOUR_S = 3600.0


@leaf
def _interval(clock: Record, t: float) -> int:
    """The last interval that starts at or before t; -1 if there is none."""
    hint = clock.hint
    n = clock.n
    later = hint + 1
    if hint < n and float_at(clock.starts, hint) <= t and (later >= n or t < float_at(clock.starts, later)):
        return hint
    found = right_of(clock.starts, 0, n, t) - 1
    if found >= 0:
        clock.hint = found
    return found


@part
def _look(clock: Record, t: float) -> None:
    """Whether the clock runs at t, and until when that is so."""
    i = _interval(clock, t)
    if i >= 0 and t < float_at(clock.ends, i):
        clock.is_on = 1
        clock.until = float_at(clock.ends, i)
    else:
        clock.is_on = 0
        if i + 1 < clock.n:
            clock.until = float_at(clock.starts, i + 1)
        elif clock.over != 0:
            clock.until = INFINITE
        else:
            clock.until = clock.reach


@leaf
def on_shift(w: Record, number: int, t: float) -> bool:
    """Whether the clock runs at t, which is never less than at the time before."""
    clock = clock_of(w.clocks, number)
    if t >= clock.until:
        _look(clock, t)
    return clock.is_on != 0


@leaf
def worked(clock: Record, t: float) -> float:
    """Working seconds up to t, from an arbitrary zero."""
    if clock.always != 0:
        return t
    i = _interval(clock, t)
    if i < 0:
        return 0.0
    end = float_at(clock.ends, i)
    return float_at(clock.done, i) + min(t, end) - float_at(clock.starts, i)


@leaf
def between(w: Record, number: int, t0: float, t1: float) -> float:
    """Working seconds from t0 to t1."""
    clock = clock_of(w.clocks, number)
    return worked(clock, t1) - worked(clock, t0)


@part
def _after(w: Record, clock: Record, t: float, work: float) -> float:
    i = _interval(clock, t)
    first = i + 1
    if i >= 0 and t < float_at(clock.ends, i):
        first = i
        end = t + work
        if end <= float_at(clock.ends, i):
            return end
        # An interval that ends where the line does may go on in the next week.
        if clock.over == 0 and float_at(clock.ends, i) == clock.reach:
            w.short = 1
            return UNKNOWN
    target = worked(clock, t) + work
    n = clock.n
    if float_at(clock.done, n) < target or first >= n:
        if clock.over != 0:
            return INFINITE
        w.short = 1
        return UNKNOWN
    found = max(left_of(clock.done, first, n + 1, target) - 1, first)
    return max(float_at(clock.starts, found) + (target - float_at(clock.done, found)), t)


@leaf
def after(w: Record, number: int, t: float, work: float) -> float:
    """When `work` seconds of work begun at t are done."""
    clock = clock_of(w.clocks, number)
    if clock.always != 0 or work <= 0.0:
        return t + max(work, 0.0)
    return _after(w, clock, t, work)


@part
def wake(w: Record, number: int, t: float) -> None:
    """Something waits for agents of this clock: if it is off, they are told when it comes on."""
    clock = clock_of(w.clocks, number)
    if clock.awake != 0 or on_shift(w, number, t):
        return
    i = _interval(clock, t)
    if i + 1 < clock.n:
        clock.awake = 1
        push(w, float_at(clock.starts, i + 1), SHIFT << RANK | number, number)
    elif clock.over == 0:
        clock.awake = 2
        w.short = 1


@part
def paced_after(w: Record, number: int, t: float, amount: float) -> float:
    """When a delay of `amount` begun at t is over, at this pace."""
    if amount <= 0.0:
        return t
    pace = pace_of(w.paces, number)
    hour = math.floor(t / _HOUR_S)
    index = hour - pace.begin
    if index >= pace.n:
        w.short = 1
        return UNKNOWN
    passed = float_at(pace.done, index) + float_at(pace.speeds, index) * (t - hour * _HOUR_S)
    target = passed + amount
    if float_at(pace.done, pace.n) < target:
        w.short = 1
        return UNKNOWN
    found = left_of(pace.done, 0, pace.n + 1, target) - 1
    return max(
        t,
        (found + pace.begin) * _HOUR_S + (target - float_at(pace.done, found)) / float_at(pace.speeds, found),
    )

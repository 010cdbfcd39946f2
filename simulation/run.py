"""What one simulation gave: when orders ended, sums by task, agent and queue, and a log in columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulation.program import Floats, Ints, Program

LogRow = tuple[str, str, str, datetime, datetime | None]
Longs = NDArray[np.int64]
Stopped = Literal["end", "horizon", "executions", "open orders"]


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """Executions whose work has begun, by serial: in the order in which their tasks were reached. Seconds."""

    order: Ints
    node: Ints
    agent: Ints
    """-1: nobody; of several the last."""
    queue: Ints
    enabled_s: Floats
    ready_s: Floats
    start_s: Floats
    end_s: Floats
    """NaN: still under way at the end of the run."""
    preemptions: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Sums over the run, from its beginning to its end."""

    started: Longs
    """Per node: executions begun in the run."""
    wait_s: Floats
    """Per node: enabled to start, over those."""
    busy_s: Floats
    """Per agent: working seconds spent, each item's counted (a shared agent's: divided among its items)."""
    finished: Longs
    """Per agent."""
    preempted: Longs
    """Per agent: interruptions by something more urgent."""
    waiting_s: Floats
    """Per queue: items that wait, integrated over time."""
    longest: Longs
    """Per queue: most items that waited at once."""
    wip_s: float
    """Open orders, integrated over time."""
    wip_most: int
    executions: int
    """Finished in the run."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One run. Times are seconds since the program's origin; all arrays are read-only."""

    program: Program
    engine: Literal["reference", "kernel"]
    log: Log | None
    """None: it wasn't kept."""
    tally: Tally
    completed_s: Floats
    """Per order; NaN: open at the end of the run, lost, or not yet released."""
    lost_s: Floats
    """Per order: when it was lost; NaN: it wasn't."""
    begin_s: float
    """The first release, or the instant of the state."""
    until_s: float
    """The end of the run: the horizon that was asked for, or the last event."""
    stopped: Stopped = "end"

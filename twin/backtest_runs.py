"""One period of the past replayed by several contenders, all on the same orders and random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from metagraph.policies import Policy
from twin.progress import Progress
from twin.replay_history import History
from twin.replay_program import Replay
from twin.reschedule import Rescheduling, Scheduler, reschedule
from twin.running import counted

if TYPE_CHECKING:
    from simulation.run import Run
    from twin.backtest_scenario import Changed

FIGURES = ("profit", "on_time", "late_h", "lead_h", "lost", "wip", "preemptions")
"""And, of scenarios where costs are known, "net" and "cost". Money; share by the due date; hours past the due
date, 0 where none; release to completion, hours; orders lost; orders in process on average over the period;
interruptions in the run."""
BETTER: Mapping[str, int] = {
    "net": 1,
    "profit": 1,
    "cost": -1,
    "on_time": 1,
    "late_h": -1,
    "lead_h": -1,
    "lost": -1,
    "wip": -1,
    "preemptions": -1,
}
"""1: more is better."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to run the process that is tried on the past."""

    name: str
    policy: Policy | Any
    """Or an object written in Python."""
    how: Rescheduling | None = None
    """Planned anew again and again."""
    changed: Changed | None = None
    """What is different about the process; also of what is in force, where it stands beside a scenario."""


@dataclass(frozen=True, slots=True)
class Played:
    """One replication of one contender; figures over the orders of the period, NaN where there are none."""

    figures: Mapping[str, float]
    done_s: tuple[float, ...]
    """Per order of the period: when it was completed; NaN: it wasn't."""
    cut: bool
    """The run was broken off because orders piled up."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Reads the figures off a run: those of the orders open at the start or released up to the end."""

    begin_s: float
    end_s: float

    def __call__(self, run: Run) -> Played:
        from simulation.money import profits

        table = run.program.orders.table
        mine = table["release_s"] < self.end_s
        done, lost = run.completed_s[mine], ~np.isnan(run.lost_s[mine])
        release, due = table["release_s"][mine], table["due_s"][mine]
        money = profits(run)
        promised = np.isfinite(due)
        gone = np.where(np.isnan(done), np.where(lost, run.lost_s[mine], run.until_s), done)
        late = np.maximum(gone - due, 0.0)[promised]
        lead = (done - release)[~np.isnan(done)]
        inside = np.clip(gone, self.begin_s, self.end_s) - np.clip(release, self.begin_s, self.end_s)
        nan = float("nan")
        figures = {
            "profit": nan if money is None else float(np.nansum(money[mine])),
            "on_time": float(((done <= due) & ~lost)[promised].mean()) if promised.any() else nan,
            "late_h": float(late.mean()) / 3600 if promised.any() else nan,
            "lead_h": float(lead.mean()) / 3600 if len(lead) else nan,
            "lost": float(lost.sum()),
            "wip": float(inside.sum() / (self.end_s - self.begin_s)),
            "preemptions": float(run.tally.preempted.sum()),
        }
        return Played(figures, tuple(done.tolist()), run.stopped not in ("end", "horizon"))


def play(
    found: History,
    contender: Contender,
    measure: Measure,
    *,
    replications: int,
    seed: int,
    workers: int | None,
    progress: Progress,
) -> tuple[Played, ...]:
    """All replications of a contender in a period."""
    from simulation.replicate import replicate

    if contender.changed is not None:
        from twin.backtest_scenario import replayed

        changed, policy = contender.changed, contender.policy
        return replayed(found, changed, policy, measure, replications, seed, progress, contender.name)
    source = Replay(found, contender.policy, seed)
    if contender.how is not None:
        return tuple(
            _planned(source, contender.how, measure, seed, number, progress, replications)
            for number in range(replications)
        )
    made = replicate(
        source,
        seed,
        replications,
        reduce=measure,
        workers=workers,
        progress=counted(progress, f"{contender.name}, run"),
        tell=lambda sentence: progress.step(sentence, 0.0),
    )
    return made.values


def _planned(
    source: Replay,
    how: Rescheduling,
    measure: Measure,
    seed: int,
    number: int,
    progress: Progress,
    replications: int,
) -> Played:
    """A replication that is planned anew: what the replay knows of the future stays with the engine."""
    from simulation.engines import session
    from simulation.session import Options

    progress.step(f"planning, run {number + 1} of {replications}", number / replications)
    program = source(number)
    scheduler = Scheduler(source.metagraph, program.origin, how)
    if how.at_beginning:
        program = scheduler.begin(program, source.history.state)
    going = session(program, seed, number, options=Options(log=False))
    return measure(reschedule(going, scheduler, how.control()).run)

"""Contenders of a what-if on the same replications: what each run comes to in a window, and its course."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from twin.edits import Edited
from twin.planned_policy import NO_PLANS, Planned
from twin.progress import Progress
from twin.reschedule import Rescheduling
from twin.running import counted
from twin.whatif_figures import Window, figures_of

if TYPE_CHECKING:
    from simulation.program import Program
    from simulation.run import Run
    from twin.whatif_legs import Legs

WIP = "orders in process"
LOST = "orders lost so far"
WAITING = "waiting for "
"""Begins the name of a course: items that wait in queues for an activity."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A process and how its queues are served."""

    name: str
    metagraph: Metagraph
    policy: Any
    """A Policy, a Rescheduling, or an object written in Python."""
    edited: Edited | None = None
    """None: the baseline."""
    later: tuple[Later, ...] = ()
    """What it becomes at instants within the comparison, in their order."""


@dataclass(frozen=True, slots=True)
class Later:
    """A process and how its queues are served, from an instant on."""

    start: datetime
    metagraph: Metagraph
    policy: Any


Source = Callable[[Contender, int], "Program"]
"""Makes the program of a contender's replication; orders are the same for all of them where nothing that
makes orders was changed."""


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """One replication of one contender."""

    figures: dict[str, float]
    courses: NDArray[np.int32]
    """[series of `series_of`, instant]"""
    stopped: str
    engine: str
    planned: Planned = NO_PLANS


@dataclass(frozen=True, slots=True)
class Study:
    """All contenders on one replication; a plain value, so that it can go to another process."""

    source: Source
    contenders: tuple[Contender, ...]
    seed: int
    window: Window
    max_open: int | None = None
    tell: Callable[[str], None] | None = None
    """Hears of plans before they are made; may raise to stop. Not for other processes."""

    def __call__(self, replication: int) -> tuple[Played, ...]:
        return tuple(self._play(contender, replication) for contender in self.contenders)

    def planned(self) -> bool:
        """Whether anything is planned in it, which takes long."""
        policies = [one.policy for one in self.contenders]
        policies += [later.policy for one in self.contenders for later in one.later]
        return any(isinstance(policy, Rescheduling) for policy in policies)

    def _play(self, contender: Contender, replication: int) -> Played:
        from simulation.session import Limits, Options
        from twin.whatif_legs import Legs

        options = Options(log=False, limits=Limits(open_orders=self.max_open))
        legs = Legs(self.source, contender, self.seed, replication, options, self.tell)
        window = self.window
        before: Run | None = None
        if window.begin_s > legs.going.program.begin_s:
            legs.run_to(window.begin_s)
            before = legs.going.result(window.begin_s)
        waiting = np.array([_waiting(legs, t) for t in window.grid().tolist()]).T
        run, parts = legs.result(before, window)
        return Played(
            figures=figures_of(contender.metagraph, run, before, window, contender.edited, parts),
            courses=np.vstack([_orders(run, window.grid()), waiting]).astype(np.int32),
            stopped=run.stopped,
            engine=run.engine,
            planned=legs.planned,
        )


def series_of(metagraph: Metagraph) -> tuple[str, ...]:
    """What the rows of courses are: orders in process, orders lost, then what waits for each task."""
    return (WIP, LOST, *(WAITING + task.label for task in metagraph.tasks()))


def _waiting(legs: Legs, t: float) -> NDArray[np.int64]:
    """Items that wait in queues, by task in the metagraph's order."""
    from simulation import session
    from simulation.program import Kind

    legs.run_to(t)
    items, nodes = legs.going.snapshot().items, legs.going.program.network.nodes
    waits = items["node"][items["status"] == session.WAITING]
    counts: NDArray[np.int64] = np.bincount(waits, minlength=len(nodes))[nodes["kind"] == Kind.TASK]
    return counts


def _orders(run: Run, t: NDArray[np.float64]) -> NDArray[np.int64]:
    """Orders in process and orders lost at these instants."""
    begin_s = run.begin_s
    lost = np.sort(run.lost_s[~np.isnan(run.lost_s)])
    gone = np.sort(np.concatenate([lost, run.completed_s[~np.isnan(run.completed_s)]]))
    came = np.sort(np.maximum(run.release_s, begin_s))
    here = np.searchsorted(came, t, "right") - np.searchsorted(gone, t, "right")
    return np.array([here, np.searchsorted(lost, t, "right") - np.searchsorted(lost, t[0], "right")])


def played(
    study: Study, replications: int, workers: int | None, progress: Progress
) -> list[tuple[Played, ...]]:
    """All replications, in order: on threads where the compiled kernel runs all, else in processes.

    Raises CancelledError where the user asked to stop.
    """
    return list(_played(study, range(replications), workers, progress))


def _played(
    study: Study, numbers: Sequence[int], workers: int | None, progress: Progress
) -> Iterator[tuple[Played, ...]]:
    import os
    from time import perf_counter

    from simulation import backends
    from simulation.engines import choose

    n = len(numbers)
    for contender in study.contenders:
        choose(study.source(contender, 0), tell=lambda sentence: progress.step(sentence, 0.0))
    begun, tell, done = perf_counter(), counted(progress, "run"), 0
    planned = study.planned()

    def planning(what: str) -> None:
        progress.step(f"run {done + 1} of {n}, {what}", done / n)

    here = replace(study, tell=planning) if planned else study
    first = here(numbers[0])
    yield first
    rest, spent_s = numbers[1:], perf_counter() - begun
    crew = min(workers or os.cpu_count() or 1, len(rest))
    if crew < 2:
        found = backends.serial(here, rest)
    elif not planned and all(one.engine == "kernel" for one in first):
        found = backends.threads(study, rest, crew, spent_s, lambda: tell(done, n))
    else:
        found = backends.processes(backends.Portable(study), rest, crew, spent_s, lambda: tell(done, n))
    done = 1
    for one in found:
        done += 1
        tell(done, n)
        yield one

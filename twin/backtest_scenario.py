"""A changed process on the past: replays that go on in another process at dates, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Any

from metagraph.model import Metagraph
from twin.backtest_runs import Measure, Played
from twin.edits import Edited, Phase
from twin.planned_policy import played_as
from twin.progress import Progress
from twin.replay_history import History
from twin.replay_program import Replay
from twin.whatif_figures import Window, costs_of
from twin.whatif_legs import Legs
from twin.whatif_runs import Contender as Course
from twin.whatif_runs import Later

if TYPE_CHECKING:
    from simulation.program import Program


@dataclass(frozen=True, slots=True)
class Changed:
    """How a contender's process comes about from the twin of a period."""

    edit: Callable[[Metagraph], Edited] | None = None
    """None: it is the twin."""
    served: Callable[[Phase], Any] | None = None
    """How queues are served in a phase; None: as the contender says."""
    costed: bool = False
    """Whether anything is known to cost something, in this contender or another."""


def has_costs(graph: Metagraph) -> bool:
    """Whether the hours of any agent, or any execution, cost something."""
    return any(agent.cost_per_h for agent in graph.agents) or any(task.cost for task in graph.tasks())


def replayed(
    found: History,
    changed: Changed,
    policy: Any,
    measure: Measure,
    replications: int,
    seed: int,
    progress: Progress,
    name: str,
) -> tuple[Played, ...]:
    """All replications of a contender in a period."""
    edited = None if changed.edit is None else changed.edit(found.metagraph)
    course = _course(found, edited, changed, policy, measure.begin_s)
    source = _Source(found, seed, course)
    runs = []
    for number in range(replications):
        progress.step(f"{name}, run {number + 1} of {replications}", number / replications)
        runs.append(_played(source, course, changed, measure, seed, number))
    return tuple(runs)


def _course(found: History, edited: Edited | None, changed: Changed, policy: Any, begin_s: float) -> Course:
    """What holds at the beginning of the period, and what comes later."""
    if edited is None:
        return Course("", found.metagraph, policy)
    begin = found.origin + timedelta(seconds=begin_s)
    first, later = _phases(edited, begin)

    def served(phase: Phase) -> Any:
        return policy if changed.served is None else changed.served(phase)

    return Course(
        edited.name,
        first.metagraph,
        served(first),
        edited,
        tuple(Later(start, one.metagraph, served(one)) for start, one in later),
    )


def _phases(edited: Edited, begin: datetime) -> tuple[Phase, list[tuple[datetime, Phase]]]:
    first, later = edited.phases[0], []
    for phase in edited.phases[1:]:
        assert phase.start is not None
        if phase.start <= begin:
            first = phase
        else:
            later.append((phase.start, phase))
    return first, later


class _Source:
    """Programs of the processes of a course, with what the log tells of the orders."""

    def __init__(self, found: History, seed: int, course: Course) -> None:
        served = [(course.metagraph, course.policy)]
        served += [(one.metagraph, one.policy) for one in course.later]
        self._replays = [Replay(found, played_as(policy), seed, metagraph=graph) for graph, policy in served]

    def __call__(self, course: Course, replication: int) -> Program:
        mine = (one for one in self._replays if one.metagraph is course.metagraph)
        return next(mine)(replication)


def _played(
    source: _Source, course: Course, changed: Changed, measure: Measure, seed: int, number: int
) -> Played:
    """One replication to its end; costs are those of the period's own hours."""
    from simulation.session import Options

    legs = Legs(source, course, seed, number, Options(log=False))
    legs.run_to(measure.end_s)
    _, parts = legs.result(None, Window(measure.begin_s, measure.end_s))
    cost = sum(sum(costs_of(part, course.edited)) for part in parts)
    legs.run_to(inf)
    run, _ = legs.result(None, None)
    played = measure(run)
    if not changed.costed:
        return played
    more = {"net": played.figures["profit"] - cost, "cost": cost}
    return replace(played, figures={**played.figures, **more})

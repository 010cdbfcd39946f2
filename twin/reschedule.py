"""Optimization as an event in the simulation (Perez, Wassick and Grossmann, section 3.5).

When it is triggered, the open orders are planned anew from where they stand. The plan becomes queues and ranks,
which count once it has been computed: the run goes on meanwhile, and orders that came since go last until the
next plan.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from metagraph.errors import InfeasibleError
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.policies import AssignmentRule, Policy
from metagraph.schedule import Schedule
from optimization.settings import Preemption, Settings, SolveOptions

if TYPE_CHECKING:
    from optimization.problem import Problem
    from optimization.result import Result
    from simulation.control import Answer, Control, Decision, View
    from simulation.run import Run
    from simulation.session import Session

Charged = float | Callable[["Optimization"], float] | None
"""Seconds of simulated time that an optimization takes: so many, a function of what it did, or (None) as many
as it took on this machine, by which runs differ."""


@dataclass(frozen=True, slots=True)
class Optimization:
    """One plan, and how it came about."""

    asked_s: float
    """Seconds since the origin, as all instants here."""
    because: tuple[str, ...]
    """"arrival", "period", "instant", "eta"."""
    orders: int
    operations: int
    periods: int
    """Of the grid."""
    status: str
    """As of `optimization.result.Status`; "infeasible" where no plan could be made and the last one holds."""
    objective: float = 0.0
    bound: float = 0.0
    gap: float = 0.0
    columns: int = 0
    rows: int = 0
    binaries: int = 0
    preemptions: int = 0
    """Interruptions of work under way that it plans."""
    build_s: float = 0.0
    """Wall-clock seconds from the state to the problem."""
    solve_s: float = 0.0
    """The same from the problem to the schedule."""
    computing_s: float = 0.0
    """Simulated seconds until it took effect."""
    effective_s: float | None = None
    """None: the run ended before, or there was nothing to take effect."""
    applied: int = 0
    """Assignments to what waited or was worked on when it took effect."""
    gone: int = 0
    """Assignments to orders that had ended by then."""
    notes: tuple[str, ...] = ()
    """What was assumed, or why there is no plan."""


@dataclass(frozen=True, slots=True)
class Rescheduling:
    """When plans are made, and how."""

    on_arrival: bool = True
    every_s: float | None = None
    at_s: tuple[float, ...] = ()
    """Disturbances and announcements, seconds since the origin."""
    settings: Settings = Settings()
    solve: SolveOptions = SolveOptions()
    charged: Charged = None
    warm: bool = True
    """Begin the search with what is left of the plan before."""
    assignment: AssignmentRule = "JFQ"
    """Of work that no plan has named yet."""

    def control(self) -> Control:
        from simulation.control import Control

        return Control(self.on_arrival, self.every_s, self.at_s)

    def policy(self) -> Policy:
        """How queues are served between plans: by rank, and interrupted as the plans may."""
        wanted = self.settings.preemption
        return Policy(
            "schedule",
            self.assignment,
            ("RANK",),
            schedule=Schedule(()),
            preemption=wanted.allowed,
            tie="back",
            max_preemptions=wanted.most_per_item,
            resume_penalty_s=wanted.resume_penalty_s,
            same_agent=wanted.same_agent,
        )


def forbidding(metagraph: Metagraph, preemption: Preemption) -> Metagraph:
    """The process with the tasks that mustn't be interrupted marked as such."""
    if not preemption.forbidden:
        return metagraph
    nodes = tuple(
        replace(node, preemptible=False)
        if isinstance(node, Task) and node.id in preemption.forbidden
        else node
        for node in metagraph.nodes
    )
    return replace(metagraph, nodes=nodes)


class Scheduler:
    """A controller for `simulation.control.steer` that plans all open orders anew whenever it is asked."""

    def __init__(
        self,
        metagraph: Metagraph,
        origin: datetime,
        how: Rescheduling,
        *,
        known: Callable[[float], Metagraph] | None = None,
    ) -> None:
        """`known`: what is known of the process at an instant, where that isn't all that the run does
        (an absence that nobody foresees); `metagraph` is then only the process of the run."""
        self._metagraph, self._origin, self._how = metagraph, origin, how
        self._known = known
        self.schedule = Schedule(())
        """The last one that was made."""
        self.made: list[Optimization] = []
        """Every optimization, also those without a plan, as they were asked for."""

    def __call__(self, view: View) -> Answer | None:
        from simulation.control import Answer

        begun = time.perf_counter()
        if not len(view.snapshot.journeys) or self._too_late(view.now_s):
            return None
        found = self._planned(view, begun)
        if found is None:
            return None
        self.schedule, done = found
        charged = self._how.charged
        took_s = time.perf_counter() - begun if charged is None else charged
        if callable(took_s):
            took_s = took_s(done)
        self.made.append(replace(done, computing_s=took_s))
        return Answer(self.schedule, computing_s=took_s)

    def _too_late(self, now_s: float) -> bool:
        """Whether a shrinking horizon has less than a period left: nothing more can be planned."""
        settings = self._how.settings
        end_s = settings.horizon_s
        return settings.horizon == "shrinking" and end_s is not None and end_s - now_s < settings.dt_s

    def _planned(self, view: View, begun: float) -> tuple[Schedule, Optimization] | None:
        """A schedule from here on; None, and a record of why, where there can't be one."""
        from optimization.plan_schedule import schedule_of
        from optimization.problem import preempted
        from optimization.solve import solve
        from optimization.stn import build_problem

        metagraph = self._metagraph if self._known is None else self._known(view.now_s)
        state = view.state
        try:
            problem = build_problem(metagraph, state, (), self._origin, self._how.settings)
            built = time.perf_counter()
            result = solve(problem, self._how.solve, warm=self._begin_with(problem))
        except InfeasibleError as error:
            status = Optimization(view.now_s, view.because, len(state.orders), 0, 0, "infeasible")
            self.made.append(replace(status, notes=(str(error),)))
            return None
        schedule = schedule_of(problem, result.plan)
        done = _record(view, problem, result)
        return schedule, replace(
            done,
            preemptions=len(preempted(problem, result.plan)),
            build_s=built - begun,
            solve_s=time.perf_counter() - built,
        )


def _record(view: View, problem: Problem, result: Result) -> Optimization:
    return Optimization(
        asked_s=view.now_s,
        because=view.because,
        orders=len(problem.jobs),
        operations=len(problem.ops),
        periods=problem.grid.periods,
        status=result.status,
        objective=result.objective,
        bound=result.bound,
        gap=result.gap,
        columns=result.columns,
        rows=result.rows,
        binaries=result.binaries,
        notes=problem.notes,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Rescheduled:
    """A run that was planned anew again and again."""

    run: Run
    optimizations: tuple[Optimization, ...]
    schedule: Schedule
    """The last one."""


def reschedule(
    session: Session,
    scheduler: Scheduler,
    control: Control,
    *,
    until_s: float | None = None,
) -> Rescheduled:
    """Go on with a run to its end (or `until_s`) under plans that are made at the control points.

    The run's policy has to be that of `Rescheduling.policy`. Raises UsageError for control points and
    settings that can't be meant.
    """
    from simulation.control import steer

    steered = steer(session, control, scheduler, until_s=until_s)
    return Rescheduled(steered.run, _with_effects(scheduler.made, steered.decisions), scheduler.schedule)


def _with_effects(made: Sequence[Optimization], decisions: Sequence[Decision]) -> tuple[Optimization, ...]:
    """The records with what became of their answers; those without a plan had none."""
    rest = iter(decisions)
    found = []
    for one in made:
        if one.status == "infeasible":
            found.append(one)
            continue
        decision = next(rest)
        found.append(
            replace(
                one,
                effective_s=decision.effective_s,
                applied=len(decision.applied),
                gone=len(decision.gone),
            )
        )
    return tuple(found)

"""Optimization as an event in the simulation (Perez, Wassick and Grossmann, section 3.5).

When it is triggered, the open orders are planned anew from where they stand. The plan becomes queues and
ranks, which count once it has been computed: the run goes on meanwhile, and orders that came since go last
until the next plan.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from metagraph.errors import InfeasibleError
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.orders import Order
from metagraph.policies import AssignmentRule, Policy
from metagraph.schedule import Schedule
from metagraph.state import State
from optimization.settings import Preemption, Settings, SolveOptions

if TYPE_CHECKING:
    from optimization.problem import Plan, Problem
    from simulation.control import Answer, Decision, View
    from simulation.program import Program
    from simulation.run import Run
    from simulation.session import Session
    from simulation.triggers import Control, News

Charged = float | Callable[["Optimization"], float] | None
"""Seconds of simulated time that an optimization takes: so many, a function of what it did, or (None) as many
as it took on this machine, by which runs differ."""


@dataclass(frozen=True, slots=True)
class Optimization:
    """One plan, and how it came about."""

    asked_s: float
    """Seconds since the origin, as all instants here."""
    because: tuple[str, ...]
    """"beginning", "arrival", "period", "instant", "eta"."""
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

    at_beginning: bool = True
    """What is there when the run begins is planned before it does: that plan takes no simulated time. (Of
    orders that are released at one instant somebody idle takes the first all the same, and a plan can only
    interrupt that.)"""
    on_arrival: bool = True
    every_s: float | None = None
    at_s: tuple[float, ...] = ()
    """Disturbances and announcements, seconds since the origin."""
    news: tuple[News, ...] = ()
    """Ends and beginnings that are announced from outside: a plan is made where one of them changes."""
    settings: Settings = field(default_factory=Settings)
    solve: SolveOptions = field(default_factory=SolveOptions)
    charged: Charged = None
    warm: bool = True
    """Begin the search with what is left of the plan before."""
    assignment: AssignmentRule = "JFQ"
    """Of work that no plan has named yet."""

    def control(self) -> Control:
        from simulation.triggers import Control

        return Control(self.on_arrival, self.every_s, self.at_s, self.news)

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


@cache
def _load() -> None:
    """Load the search's machine code, after compiling it if need be: that is no part of computing a plan."""
    from optimization.generation import Generator, Priorities
    from optimization.grid import Grid
    from optimization.problem import Problem

    Generator(Problem(Grid(0.0, 1.0, 1), (), (), (), ())).plan(Priorities(np.zeros(0)))


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
        _load()
        self._metagraph, self._origin, self._how = metagraph, origin, how
        self._known = known
        self.schedule = Schedule(())
        """The last one that was made."""
        self.made: list[Optimization] = []
        """Optimizations that no `Rescheduled` tells of yet, also those without a plan."""

    def __call__(self, view: View) -> Answer | None:
        from simulation.control import Answer

        begun = time.perf_counter()
        if not len(view.snapshot.journeys) or self._too_late(view.now_s):
            return None
        done = self._planned(view.state, (), view.because, begun)
        if done is None:
            return None
        took_s = self._charged(done, time.perf_counter() - begun)
        self.made.append(replace(done, computing_s=took_s))
        return Answer(self.schedule, computing_s=took_s)

    def begin(self, program: Program, state: State | None) -> Program:
        """The program with a plan for what is there when it begins: `state`, from which it was lowered, and
        the orders that are released then."""
        from simulation.lowering_orders import ranks_of
        from simulation.snapshots import order_of

        begun, begin_s, standing = time.perf_counter(), program.begin_s, len(program.standing)
        released = np.flatnonzero(program.orders.table["release_s"][standing:] <= begin_s) + standing
        orders = [order_of(program, int(i)) for i in released]
        if not (orders or standing) or self._too_late(begin_s):
            return program
        done = self._planned(state or State(begin_s, ()), orders, ("beginning",), begun)
        if done is None:
            return program
        ranks, assigned = ranks_of(program.network, program.orders.ids, self.schedule)
        named = len(self.schedule.assignments)
        self.made.append(replace(done, effective_s=begin_s, applied=named))
        return replace(program, orders=replace(program.orders, ranks=ranks, assigned=assigned))

    def _charged(self, done: Optimization, measured_s: float) -> float:
        """Simulated seconds for an optimization."""
        charged = self._how.charged
        if charged is None:
            return measured_s
        return charged(done) if callable(charged) else charged

    def _too_late(self, now_s: float) -> bool:
        """Whether a shrinking horizon has less than a period left: nothing more can be planned."""
        settings = self._how.settings
        if settings.horizon != "shrinking" or settings.horizon_s is None:
            return False
        left_s = settings.horizon_s - now_s
        return left_s <= 0 or (settings.dt_s is not None and left_s < settings.dt_s)

    def _planned(
        self, state: State, orders: Sequence[Order], because: tuple[str, ...], begun: float
    ) -> Optimization | None:
        """Make a schedule from here on; None, and a record of why, where there can't be one."""
        from optimization.plan_schedule import schedule_of
        from optimization.problem import preempted
        from optimization.solve import solve
        from optimization.stn import build_problem

        metagraph = self._metagraph if self._known is None else self._known(state.at_s)
        try:
            problem = build_problem(metagraph, state, orders, self._origin, self._how.settings)
            built = time.perf_counter()
            result = solve(problem, self._how.solve, warm=self._carried(problem))
        except InfeasibleError as error:
            n = len(state.orders) + len(orders)
            self.made.append(Optimization(state.at_s, because, n, 0, 0, "infeasible", notes=(str(error),)))
            return None
        self.schedule = schedule_of(problem, result.plan)
        return Optimization(
            asked_s=state.at_s,
            because=because,
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
            preemptions=len(preempted(problem, result.plan)),
            build_s=built - begun,
            solve_s=time.perf_counter() - built,
            notes=problem.notes,
        )

    def _carried(self, problem: Problem) -> Plan | None:
        """What is left of the last schedule."""
        if not self._how.warm or not self.schedule.assignments:
            return None
        from optimization.plan_schedule import plan_of

        return plan_of(problem, self.schedule)


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
    made, scheduler.made = scheduler.made, []
    return Rescheduled(steered.run, _with_effects(made, steered.decisions), scheduler.schedule)


def _with_effects(made: Sequence[Optimization], decisions: Sequence[Decision]) -> tuple[Optimization, ...]:
    """The records with what became of their answers; those without a plan, or before the run, had none."""
    rest = iter(decisions)
    found = []
    for one in made:
        if one.status == "infeasible" or one.effective_s is not None:
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

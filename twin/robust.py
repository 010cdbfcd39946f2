"""Several ways to schedule the same orders, each simulated on the same scenarios; the best mean is taken.

A plan knows expected times and likely ways only. What it is worth once times and ways are as they come,
nobody sees in the plan: a second-best one may hold better. Scenarios are common to all candidates: task by
task the same work, delays and choices, so that differences are those of the candidates (common random
numbers: Law, Simulation Modeling and Analysis, 11.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from metagraph.errors import UsageError
from metagraph.model import Metagraph
from metagraph.orders import Order, profit_at
from metagraph.policies import Policy
from metagraph.state import OpenOrder, Position, State
from twin.progress import Progress
from twin.running import engine_text, many

if TYPE_CHECKING:
    from simulation.kpis import Interval
    from simulation.program import Program
    from simulation.run import Run

Measure = Literal["profit", "flow time", "lateness"]
"""Money; hours from release to completion of all orders together; hours beyond due dates of all together."""
SCENARIOS = 30
FEWEST = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to schedule."""

    name: str
    policy: Policy
    """With a schedule and the priority RANK; or a rule."""
    metagraph: Metagraph | None = None
    """The process under it, with the hours that it buys; None: as it is."""
    price: float = 0.0
    """Of those hours."""
    per_interruption: float = 0.0
    """Money that each interruption costs."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What a candidate came to."""

    name: str
    mean: Interval
    """Of the measure, over the scenarios."""
    behind: Interval | None
    """By how much it is worse than the best one, scenario by scenario; None: it is the best."""
    on_time: float | None
    """Mean share of the orders with a due date that were done by it."""
    values: tuple[float, ...]
    """By scenario; less is better unless the measure is profit."""


@dataclass(frozen=True, slots=True)
class Robust:
    """The candidate that is best on average, and all of them."""

    best: Candidate
    measure: Measure
    unit: str
    scenarios: int
    scored: tuple[Scored, ...]
    """Best first."""
    notes: tuple[str, ...]
    engine: str

    def better_by(self, name: str, other: str) -> Interval:
        """By how much one candidate is better than another, scenario by scenario (95 %).

        Raises KeyError for a name that isn't among them.
        """
        from simulation.kpis import interval

        values = {one.name: np.array(one.values) for one in self.scored}
        change = values[name] - values[other]
        return interval(change if self.measure == "profit" else -change)

    @property
    def told_apart(self) -> bool:
        """Whether the best is better than the next beyond chance (95 %)."""
        behind = self.scored[1].behind if len(self.scored) > 1 else None
        return behind is not None and behind.low > 0


@dataclass(frozen=True, slots=True)
class _Ends:
    """What is kept of a run, by order."""

    gone_s: NDArray[np.float64]
    lost: NDArray[np.bool_]
    interrupted: int
    """How often something more urgent interrupted work."""
    cut: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """One program for all scenarios."""

    program: Program

    def __call__(self, scenario: int) -> Program:
        return self.program


@dataclass(frozen=True, slots=True)
class _Keep:
    """Reduces a run to the ends of its first orders."""

    orders: int

    def __call__(self, run: Run) -> _Ends:
        lost = run.lost[: self.orders]
        gone_s = np.fmin(run.completed_s[: self.orders], run.lost_s[: self.orders])
        gone_s = np.where(np.isnan(gone_s), run.until_s, gone_s)
        return _Ends(gone_s, lost, int(run.tally.preempted.sum()), run.stopped != "end")


def choose(
    candidates: Sequence[Candidate],
    metagraph: Metagraph,
    state: State | None,
    orders: Sequence[Order],
    origin: datetime,
    *,
    measure: Measure,
    start_s: float = 0.0,
    scenarios: int = SCENARIOS,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Robust:
    """The best of the candidates for the orders of the state and those to come, by the mean over scenarios.

    Now is the state's instant, without a state `start_s`. Every scenario runs from now until all orders are
    done or lost; nobody plans again in it. Of candidates that are equal the first is taken.

    Raises UsageError for fewer than one candidate or two scenarios, DataError for what can't be simulated,
    CancelledError where the user asked to stop.
    """
    if not candidates or scenarios < FEWEST:
        raise UsageError(
            f"{len(candidates)} schedules on {scenarios} scenarios can't be compared: take at least {FEWEST} "
            "scenarios"
        )
    progress = progress or Progress()
    state, coming = _begun(metagraph, state, orders, start_s)
    known = [*(one.order for one in state.orders), *coming]
    values: list[NDArray[np.float64]] = []
    on_time: list[float | None] = []
    cut, engine = 0, ""
    for i, candidate in enumerate(candidates):
        source = _program(candidate, metagraph, state, coming, origin)
        made = many(
            source,
            seed,
            scenarios,
            reduce=_Keep(len(known)),
            workers=workers,
            progress=progress.part(i / len(candidates), (i + 1) / len(candidates)),
            what=f"{candidate.name}: scenario",
        )
        values.append(np.array([_worth(ends, known, metagraph, measure, candidate) for ends in made]))
        on_time.append(_on_time(made.values, known))
        cut += sum(ends.cut for ends in made)
        engine = engine_text(made.engine)
    return _decided(candidates, values, on_time, measure, engine, _notes(measure, scenarios, cut))


def _begun(
    metagraph: Metagraph, state: State | None, orders: Sequence[Order], start_s: float
) -> tuple[State, list[Order]]:
    """The state with orders that are there by now but not in it yet, so that ranks decide who goes first; and
    those still to come."""
    now_s = start_s if state is None else state.at_s
    enter = next(node.id for node in metagraph.nodes if node.kind == "start")
    there = [
        OpenOrder(order, (Position(enter, order.release_s),), ())
        for order in orders
        if order.release_s <= now_s
    ]
    opened = (*(state.orders if state is not None else ()), *there)
    return State(now_s, opened), [order for order in orders if order.release_s > now_s]


def _program(
    candidate: Candidate, metagraph: Metagraph, state: State, orders: Sequence[Order], origin: datetime
) -> Callable[[int], Program]:
    """The same program in every scenario."""
    from simulation.lowering import lower

    process = candidate.metagraph or metagraph
    return _Same(lower(process, orders, origin=origin, state=state, policy=candidate.policy))


def _worth(
    ends: _Ends, orders: Sequence[Order], metagraph: Metagraph, measure: Measure, candidate: Candidate
) -> float:
    """Of one scenario."""
    gone_s = ends.gone_s.tolist()
    if measure == "flow time":
        flow_s = [t - order.release_s for t, order in zip(gone_s, orders, strict=True)]
        return float(sum(flow_s)) / 3600.0
    if measure == "lateness":
        late_s = [
            max(t - order.due_s, 0.0)
            for t, order in zip(gone_s, orders, strict=True)
            if order.due_s is not None
        ]
        return float(sum(late_s)) / 3600.0
    shape = metagraph.orders.profit
    at = np.where(ends.lost, np.inf, ends.gone_s).tolist()
    costs = candidate.price + candidate.per_interruption * ends.interrupted
    return sum(profit_at(order, shape, t) for t, order in zip(at, orders, strict=True)) - costs


def _on_time(made: Sequence[_Ends], orders: Sequence[Order]) -> float | None:
    """Share of the orders with a due date, over all scenarios."""
    due = np.array([np.inf if order.due_s is None else order.due_s for order in orders])
    dated = np.isfinite(due)
    if not dated.any():
        return None
    return float(np.mean([((ends.gone_s <= due) & ~ends.lost)[dated].mean() for ends in made]))


def _decided(
    candidates: Sequence[Candidate],
    values: Sequence[NDArray[np.float64]],
    on_time: Sequence[float | None],
    measure: Measure,
    engine: str,
    notes: tuple[str, ...],
) -> Robust:
    from simulation.kpis import interval

    sign = 1.0 if measure == "profit" else -1.0
    ranked = sorted(range(len(candidates)), key=lambda i: -sign * round(float(values[i].mean()), 9))
    best = ranked[0]
    scored = tuple(
        Scored(
            candidates[i].name,
            interval(values[i]),
            None if i == best else interval(sign * (values[best] - values[i])),
            on_time[i],
            tuple(values[i].tolist()),
        )
        for i in ranked
    )
    return Robust(
        best=candidates[best],
        measure=measure,
        unit="money" if measure == "profit" else "h",
        scenarios=len(values[0]),
        scored=scored,
        notes=notes,
        engine=engine,
    )


def _notes(measure: Measure, scenarios: int, cut: int) -> tuple[str, ...]:
    notes = [
        f"schedules are compared by their {measure} in the same {scenarios} simulated scenarios, from now "
        "until all orders are done, without new orders and without planning again"
    ]
    if cut:
        notes.append(f"{cut} of the simulations were broken off because they would hardly ever have ended")
    return tuple(notes)

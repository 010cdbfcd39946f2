"""The state-task network on the grid: from metagraph, state and orders to a Problem (section 3.4.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from metagraph.errors import UsageError
from metagraph.faults import refusal
from metagraph.model import Metagraph
from metagraph.order_extras import material_faults
from metagraph.orders import Order
from metagraph.overtime import overtime_faults
from metagraph.state import OpenOrder, Position, State
from optimization.grid import Grid
from optimization.horizon import latest_s, periods
from optimization.levels import levels_of
from optimization.operations import STRANGERS, JobBuilder, Todo
from optimization.pools import Crew
from optimization.problem import NOBODY, Job, Operation, Pool, Problem, Running
from optimization.rounding import coarser, cost_note, expected_work, fitting
from optimization.routes import routes_of
from optimization.settings import Settings
from optimization.work import Expected

ENOUGH_PERIODS = 5000
"""Of a grid that nobody asked for."""


def build_problem(
    metagraph: Metagraph,
    state: State | None,
    orders: Sequence[Order],
    origin: datetime,
    settings: Settings,
    *,
    start_s: float = 0.0,
) -> Problem:
    """What is to be planned from now on: the orders of the state, and `orders` that are still to come.

    Now is the state's instant, without a state `start_s` (seconds since the origin).
    Raises UsageError for settings that can't be meant, InfeasibleError where nothing can be planned.
    """
    now_s = start_s if state is None else state.at_s
    if settings.dt_s is not None and not settings.dt_s > 0:
        raise UsageError(f"a grid of {settings.dt_s:g} s: give a time above 0")
    known = _known(metagraph, state) if state is not None else ()
    standing: list[tuple[Order, OpenOrder | None]] = [
        *((found.order, found) for found in known),
        *((order, None) for order in orders),
    ]
    _check(metagraph, [order for order, _ in standing], origin, settings)
    ways = routes_of(metagraph, standing, seed=settings.seed, variant=settings.ways)
    todo = [Todo(*one, route) for one, route in zip(standing, ways.routes, strict=True)]
    expected = Expected()
    grid, cost = _grid(metagraph, todo, now_s, origin, settings, expected)
    crew = Crew(metagraph, grid, origin, settings, todo)
    builder = JobBuilder(metagraph, grid, origin, settings, crew, expected)
    jobs: list[Job] = []
    ops: list[Operation] = []
    running: list[Running] = []
    for one in todo:
        made = builder.job(len(jobs), len(ops), one)
        jobs.append(made.job)
        ops += made.ops
        running += made.running
    pools = crew.pools(running)
    placed, too_many = _within_places(ops, running, pools)
    waiting = sum(a is not b for a, b in zip(ops, placed, strict=True))
    most = settings.preemption.most
    if most is None or waiting <= most:  # Else they are told as work that would have to be interrupted.
        ops, most = placed, None if most is None else most - waiting
    levels, words = levels_of(jobs, ops, grid, settings)
    told = (*words, cost, *too_many, *_strangers(state, known), *builder.notes, *crew.notes, *ways.notes)
    notes = dict.fromkeys(told)
    return Problem(
        grid=grid,
        pools=pools,
        ops=tuple(ops),
        jobs=tuple(jobs),
        levels=levels,
        running=tuple(running),
        most_preempted=most,
        notes=tuple(notes),
    )


def _within_places(
    ops: Sequence[Operation], running: Sequence[Running], pools: Sequence[Pool]
) -> tuple[list[Operation], list[str]]:
    """A state may tell of more work under way than an agent does at once. The first ones told of go on; the
    others wait with what is left of them, and may go on elsewhere. Also a sentence for each such agent."""
    at_work = Counter(work.unit for work in running if work.end > 0)
    told, found = dict(at_work), list[Operation]()
    places: dict[str, int] = {}
    for op in ops:
        if op.held is not None and op.modes[op.held].pool != NOBODY:
            unit = op.held_unit
            places[unit] = pools[op.modes[op.held].pool].units.count(unit)
            told[unit] = told.get(unit, 0) + 1
            if at_work[unit] < places[unit]:
                at_work[unit] += 1
            else:
                op = replace(op, held=None, held_unit="")
        found.append(op)
    return found, [
        f"{unit} is said to be at {told[unit]} things at once and does {count}: the others count as waiting, "
        "with what is left of them."
        for unit, count in places.items()
        if told[unit] > count
    ]


def _known(metagraph: Metagraph, state: State) -> tuple[OpenOrder, ...]:
    """The open orders, agents told as the metagraph calls them: who stands for several does their work.
    Nobody stands for agents whom the process doesn't have (any more)."""
    named = {name: agent.id for agent in metagraph.agents for name in (*agent.members, agent.id)}

    def told(place: Position) -> Position:
        return replace(place, agent=named.get(place.agent or ""))

    return tuple(
        replace(one, positions=tuple(told(place) for place in one.positions)) for one in state.orders
    )


def _strangers(state: State | None, known: Sequence[OpenOrder]) -> list[str]:
    """What is to be told about work under way by people whom the process doesn't have."""
    begun = [place for one in (state.orders if state is not None else ()) for place in one.positions]
    found = [place for one in known for place in one.positions]
    lost = (
        given.agent and place.agent is None and given.started_s is not None
        for given, place in zip(begun, found, strict=True)
    )
    return [STRANGERS] if any(lost) else []


def _check(metagraph: Metagraph, orders: Sequence[Order], origin: datetime, settings: Settings) -> None:
    """Raise DataError for overtime and material that can't be."""
    tasks = [task.id for task in metagraph.tasks()]
    faults = [
        *overtime_faults(settings.overtime, metagraph, origin),
        *(fault for order in orders for fault in material_faults(order, tasks)),
    ]
    if faults:
        raise refusal("what is to be planned", faults)


def _grid(
    metagraph: Metagraph,
    todo: Sequence[Todo],
    now_s: float,
    origin: datetime,
    settings: Settings,
    expected: Expected,
) -> tuple[Grid, str]:
    """The grid, and what it costs. One that isn't given is made coarser until the horizon has no more than
    ENOUGH_PERIODS."""
    work_s = expected_work(metagraph, todo, expected)
    dt_s = fitting(work_s) if settings.dt_s is None else settings.dt_s
    while True:
        end_s = latest_s(metagraph, todo, now_s, origin, settings, dt_s, expected)
        if settings.dt_s is not None or end_s - now_s <= ENOUGH_PERIODS * dt_s:
            break
        dt_s = coarser(dt_s)
    note = cost_note(work_s, dt_s, settings.dt_s is None)
    return Grid(now_s, dt_s, periods(now_s, end_s, dt_s, settings)), note

"""Runs that go on in another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from metagraph.agents import Agent, Queue
from metagraph.distributions import Constant
from metagraph.errors import UsageError
from metagraph.model import Metagraph
from metagraph.nodes import DelayTable, Task
from metagraph.orders import Order
from simulation import kernel, reference
from simulation.continued import continued, spliced
from simulation.lowering import lower
from simulation.program import Program
from simulation.run import Run
from simulation.session import Options
from tests.simulation.builders import ORIGIN, fitted, process, row
from tests.simulation.programs import Seeded, case

HOUR = 3600.0
QUIET = Options(log=False)
ENGINES = pytest.mark.parametrize("engine", [reference, kernel], ids=["reference", "kernel"])


def cut(
    engine: ModuleType, first: Program, second: Program, at_s: float, seed: int = 1, options: Options = QUIET
) -> Run:
    """The first program up to an instant, then the second."""
    before = engine.session(first, seed, 0, options)
    before.run_to(at_s)
    after = engine.session(continued(before, second), seed, 0, options)
    after.run_to(np.inf)
    return spliced([before.result(), after.result()])


@ENGINES
def test_a_process_that_changed_nothing_goes_on_as_the_run_would(engine: ModuleType) -> None:
    seen = 0
    for number in range(60):
        found = case(Seeded(number))
        orders = tuple(sorted(found.orders, key=lambda order: order.release_s))
        program = replace(found, orders=orders).program()
        options = replace(found.options, log=False, paths=False)
        whole = engine.run(program, 1, 0, None, options)
        gone = np.fmin(whole.completed_s, whole.lost_s)
        if whole.stopped != "end" or np.isnan(gone).all():
            continue
        at_s = program.begin_s + 0.37 * (np.nanmax(gone) - program.begin_s)
        parts = cut(engine, program, program, at_s, options=options)
        for name in ("completed_s", "lost_s"):
            np.testing.assert_allclose(
                getattr(parts, name), getattr(whole, name), atol=1e-3, err_msg=str(number)
            )
        for name in ("started", "wait_s", "collected_s", "busy_s", "finished", "wip_s", "executions"):
            one, other = (getattr(run.tally, name) for run in (parts, whole))
            np.testing.assert_allclose(one, other, atol=1e-2, err_msg=f"{number} {name}")
        seen += 1
    assert seen > 30


def desk(work_s: float, crew: tuple[str, ...] = ("Ann",)) -> Metagraph:
    """Ann and Bob may do the same, of whom some are asked to."""
    return process(
        row("a"),
        Constant(work_s),
        queues=[Queue("desk", crew)],
        serves={"a": ["desk"]},
        agents=[Agent("Ann", "always"), Agent("Bob", "always")],
    )


def alone(graph: Metagraph) -> Metagraph:
    """Nobody is needed for it."""
    nodes = tuple(replace(n, queues=()) if isinstance(n, Task) else n for n in graph.nodes)
    return replace(graph, nodes=nodes, queues=())


@ENGINES
@pytest.mark.parametrize(
    ("before", "after", "ends"),
    [
        # Three orders at 0, an hour each; from 1:30 on work that begins takes two hours.
        (lambda: desk(HOUR), lambda: desk(2 * HOUR), [1, 2, 4]),
        # Ann may not do it any more: Bob does the half that is left of the second.
        (lambda: desk(HOUR), lambda: desk(HOUR, ("Bob",)), [1, 2.5, 3.5]),
        (lambda: desk(HOUR, ("Ann", "Bob")), lambda: desk(HOUR, ("Bob",)), [1, 1, 2]),
        # A machine begins anew what Ann had begun, and takes all at once; what it began it also ends.
        (lambda: desk(HOUR), lambda: alone(desk(HOUR)), [1, 2.5, 2.5]),
        (lambda: alone(desk(2 * HOUR)), lambda: desk(HOUR), [2, 2, 2]),
    ],
)
def test_what_is_left_of_work_under_way(
    engine: ModuleType, before: Callable[[], Metagraph], after: Callable[[], Metagraph], ends: list[float]
) -> None:
    orders = [Order(str(i), 0.0) for i in range(3)]
    first, second = (lower(graph(), orders, origin=ORIGIN) for graph in (before, after))
    found = cut(engine, first, second, 1.5 * HOUR)
    assert sorted((found.completed_s / HOUR).tolist()) == ends


@ENGINES
def test_a_delay_that_is_left_out_leaves_the_wait_for_material(engine: ModuleType) -> None:
    orders = [Order("1", 0.0), Order("2", 0.0, material_s={"a": 3 * HOUR})]
    late = desk(HOUR)
    nodes = tuple(
        replace(n, delay=DelayTable(fitted(Constant(9 * HOUR)), {})) if isinstance(n, Task) else n
        for n in late.nodes
    )
    first, second = (lower(graph, orders, origin=ORIGIN) for graph in (replace(late, nodes=nodes), late))
    assert (cut(engine, first, second, HOUR).completed_s / HOUR).tolist() == [2, 4]


def test_other_agents_or_orders_are_refused() -> None:
    orders = [Order(str(i), float(i)) for i in range(3)]
    first = lower(desk(HOUR), orders, origin=ORIGIN)
    for wrong, says in (
        (lower(replace(desk(HOUR), agents=desk(HOUR).agents[::-1]), orders, origin=ORIGIN), "other nodes or"),
        (lower(desk(HOUR), orders[:2], origin=ORIGIN), "other orders"),
    ):
        with pytest.raises(UsageError, match=says):
            cut(reference, first, wrong, HOUR)

"""Table 1 of Perez, Wassick and Grossmann: five orders, three stages, heuristics by their names there."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from metagraph.agents import Agent, Queue
from metagraph.distributions import Constant
from metagraph.orders import Order, ProfitShape, profit_at
from metagraph.policies import PORTFOLIO
from simulation.program import Program
from simulation.reference import run
from tests.simulation.builders import process, row
from tests.simulation.small import HOUR, program, with_tasks, worth

SHAPE = ProfitShape(early=1.0, due=1.0, late=0.9, final=0.81, lost=0.0)
"""The one curve that gives every total of the table; Figure 10 shows it."""
ORDERS = tuple(
    Order(str(i + 1), 0.0, value=value, early_s=0.0, due_s=due_h * HOUR, lost_s=14 * HOUR)
    for i, (value, due_h) in enumerate(((1000.0, 7), (2000.0, 8), (1000.0, 10), (2000.0, 11), (3000.0, 12)))
)
FIFO_ROW = (6, 8, 10, 12, 14)


@cache
def lowered(heuristic: str) -> Program:
    queues = [Queue(agent, (agent,)) for agent in ("CSR", "A", "B", "3PL")]
    model = process(
        row("create", "produce", "ship"),
        {"create": Constant(HOUR), "produce": Constant(3 * HOUR), "ship": Constant(2 * HOUR)},
        queues=queues,
        serves={"create": ["CSR"], "produce": ["A", "B"], "ship": ["3PL"]},
        agents=[Agent(queue.id, "always") for queue in queues],
    )
    model = worth(with_tasks(model, preemptible=True), SHAPE)
    return program(model, ORDERS, PORTFOLIO[heuristic])


def outcome(heuristic: str, seed: int) -> tuple[tuple[float, ...], int]:
    """When orders are fulfilled, in hours, and the profit."""
    run_ = run(lowered(heuristic), seed)
    profit = sum(
        profit_at(order, SHAPE, float(t)) for order, t in zip(ORDERS, run_.completed_s, strict=True) if t == t
    )
    return tuple((run_.completed_s / HOUR).tolist()), round(profit)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    ("heuristic", "dates_h", "profit"),
    [
        ("P", (14, 10, 12, 8, 6), 8405),
        ("D", FIFO_ROW, 8170),
        ("S", FIFO_ROW, 8170),
        ("F1", FIFO_ROW, 8170),
        ("PD", (12, 8, 14, 10, 6), 8646),
        ("PS", (14, 10, 12, 8, 6), 8405),
        ("PDS", (12, 8, 14, 10, 6), 8646),
    ],
)
def test_rows_of_table_1(heuristic: str, dates_h: tuple[int, ...], profit: int, seed: int) -> None:
    assert outcome(heuristic, seed) == (dates_h, profit)


@pytest.mark.parametrize(
    ("heuristic", "dates_h", "profit", "share"),
    [("F2", (6, 8, 10, 14, 12), 8620, 0.25), ("F3", (6, 8, 12, 10, 14), 8285, 0.125)],
)
def test_rows_that_hang_on_the_luck_of_a_draw(
    heuristic: str, dates_h: tuple[int, ...], profit: int, share: float
) -> None:
    """The published rows are single draws: a quarter of F2's give its row, an eighth of F3's."""
    found = Counter(outcome(heuristic, seed) for seed in range(400))
    n = found[dates_h, profit]
    assert abs(n / 400 - share) < 3.3 * (share * (1 - share) / 400) ** 0.5

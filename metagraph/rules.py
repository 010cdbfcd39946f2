"""What comes first, and what an order is worth: pure scalar functions, written once.

Every priority is a number of which the smallest goes first; equal ones keep their place in the queue.
"""

from __future__ import annotations

from metagraph.orders import Order, ProfitShape

RULES = ("FIFO", "HP", "SDD", "SERPT")
"""First in first out, highest profit, shortest due date, shortest expected remaining processing time."""

INFINITE = float("inf")


def priority(rule: str, *, profit: float, due_s: float, expected_work_s: float) -> float:
    """The number by which a queue under `rule` is ordered.

    `profit` is what the order yields if it were fulfilled on joining, `due_s` its due date (infinite: none),
    `expected_work_s` the mean work of the task that waits. Raises KeyError for an unknown rule.
    """
    if rule == "FIFO":
        return 0.0
    if rule == "HP":
        return -profit
    if rule == "SDD":
        return due_s
    if rule == "SERPT":
        return expected_work_s
    raise KeyError(rule)


def profit_at(order: Order, shape: ProfitShape | None, at_s: float) -> float:
    """Money that the order yields if it is fulfilled at `at_s`; 0 without a value.

    Figure 1 of Perez, Wassick and Grossmann: level until the early date, linear to the due date, a fixed
    penalty there, linear to the lost-sale date, and the lost-sale profit from then on. A date that is missing
    leaves its piece level.
    """
    value = order.value or 0.0
    if shape is None:
        return value
    if order.lost_s is not None and at_s >= order.lost_s:
        return value * shape.lost
    if order.due_s is None:
        return value * shape.early
    if at_s <= order.due_s:
        return value * _between(at_s, order.early_s, order.due_s, shape.early, shape.due)
    if order.lost_s is None:
        return value * shape.late
    return value * _between(at_s, order.due_s, order.lost_s, shape.late, shape.final)


def _between(t: float, t0: float | None, t1: float, y0: float, y1: float) -> float:
    """Linear from (t0, y0) to (t1, y1), level before t0; level at y1 without t0."""
    if t0 is None or t0 >= t1:
        return y1
    share = min(max((t - t0) / (t1 - t0), 0.0), 1.0)
    return y0 + (y1 - y0) * share

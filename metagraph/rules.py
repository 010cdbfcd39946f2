"""What comes first, and what an order is worth: pure scalar functions, written once.

No function calls another one or touches anything but numbers, so that a compiler can take each as it is. A
date that an order doesn't have is infinite (due, lost sale) or its release (early).
"""

from __future__ import annotations

RULES = ("FIFO", "LIFO", "HP", "SDD", "SERPT", "HPCS", "RULE", "RANK")
"""First in first out, last in first out, highest profit, soonest due date, shortest expected
remaining processing time, highest-priority customer segment, an expression on orders, a schedule's ranks.

Under each of them what waits is ordered by a number, its key, of which the smallest goes first; equal ones
keep their place. Keys are found when an item joins a queue and again when it was interrupted: 0 (FIFO); minus
the instant at which it took its place (LIFO); minus the profit that the order would
yield if it were fulfilled now; its due date; the expected work that is left; minus the segment's priority;
minus the expression's value; the rank.
"""

AVERAGED = ("HP", "SDD", "SERPT", "HPCS")
"""Rules that can be averaged."""

INFINITE = float("inf")


def profit(
    t: float,
    value: float,
    early_s: float,
    due_s: float,
    lost_s: float,
    early: float,
    due: float,
    late: float,
    final: float,
    lost: float,
) -> float:
    """Money that an order yields if it is fulfilled at t; the last five are shares of its value.

    Figure 1 of Perez, Wassick and Grossmann: level until the early date, linear to the due date, a fixed
    penalty there, linear to the lost-sale date, and the lost-sale profit after it. Without a lost-sale date
    it stays where the penalty left it, without a due date it stays at the early share.
    """
    if t > lost_s:
        return value * lost
    if due_s == INFINITE:
        return value * early
    t0, t1, y0, y1 = early_s, due_s, early, due
    if t > due_s:
        if lost_s == INFINITE:
            return value * late
        t0, t1, y0, y1 = due_s, lost_s, late, final
    if not t0 < t1:
        return value * (y0 if t < t0 else y1)
    share = (t - t0) / (t1 - t0)
    share = 0.0 if share < 0.0 else share
    share = 1.0 if share > 1.0 else share
    return value * (y0 + (y1 - y0) * share)


def gain_score(mine: float, best: float) -> float:
    """How a profit (or a segment's priority) compares with the best in the local queue: 0 to 1."""
    return 0.0 if mine <= 0.0 else mine / best


def urgency_score(left_s: float, least_s: float) -> float:
    """How the time to a due date compares with the least above 0 in the local queue: 0 to 1.

    Times are counted from the earliest release in the local queue: only differences of dates decide.
    """
    if left_s <= 0.0:
        return 1.0
    return 0.0 if left_s == INFINITE else least_s / left_s


def quickness_score(work_s: float, least_s: float) -> float:
    """How the expected remaining work compares with the least in the local queue: 0 to 1."""
    return 1.0 if work_s <= 0.0 else least_s / work_s

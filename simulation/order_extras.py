"""What single orders say beyond dates and a curve, as arrays: profit tables, and when material comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, isfinite

import numpy as np
from numpy.typing import NDArray

from metagraph.errors import DataError
from metagraph.orders import Order
from simulation.program import Floats, Orders

Points = tuple[tuple[float, float], ...]
Tables = tuple[Floats, NDArray[np.int64]]


def tables_of(orders: Sequence[Order]) -> Tables | tuple[None, None]:
    """`points` and `points_first` of Orders."""
    if not any(order.profit_points for order in orders):
        return None, None
    first = np.cumsum([0, *(len(order.profit_points) for order in orders)], dtype=np.int64)
    return np.array([point for order in orders for point in order.profit_points], np.float64), first


def material_of(orders: Sequence[Order], tasks: Mapping[str, int]) -> Floats | None:
    """`material` of Orders. Raises DataError for a task that the process doesn't have, or no instant."""
    if not any(order.material_s for order in orders):
        return None
    found = np.full((len(orders), len(tasks)), -inf)
    for row, order in zip(found, orders, strict=True):
        for task, at_s in order.material_s.items():
            if task not in tasks:
                raise DataError(
                    f"order {order.id} waits for material for {task!r}, which is no task of the process: "
                    "give the id of one"
                )
            if not isfinite(at_s):
                raise DataError(
                    f"order {order.id} waits for material for {task!r} until no instant: give a date"
                )
            row[tasks[task]] = at_s
    return found


def joined_tables(first: Orders, second: Orders) -> Tables | tuple[None, None]:
    """Those of two lists of orders, one after the other."""
    told = [_told(part) for part in (first, second)]
    if not any(len(points) for points, _ in told):
        return None, None
    (points, begin), (more, behind) = told
    return np.concatenate([points, more]), np.concatenate([begin, behind[1:] + len(points)])


def joined_material(first: Orders, second: Orders) -> Floats | None:
    """That of two lists of orders, one after the other."""
    known = next((part.material for part in (first, second) if part.material is not None), None)
    if known is None:
        return None
    nothing = [np.full((len(part), known.shape[1]), -inf) for part in (first, second)]
    parts = (first, second)
    return np.concatenate(
        [n if p.material is None else p.material for p, n in zip(parts, nothing, strict=True)]
    )


def points_at(orders: Orders, index: int) -> Points:
    """The profit table of an order; empty: it has none."""
    if orders.points is None or orders.points_first is None:
        return ()
    first, stop = orders.points_first[index : index + 2].tolist()
    return tuple((at, money) for at, money in orders.points[first:stop].tolist())


def material_at(orders: Orders, index: int, tasks: Mapping[int, str]) -> dict[str, float]:
    """By task, when an order's material is there; `tasks`: names by number."""
    if orders.material is None:
        return {}
    row = orders.material[index].tolist()
    return {tasks[i]: at_s for i, at_s in enumerate(row) if at_s > -inf}


def _told(orders: Orders) -> Tables:
    if orders.points is None or orders.points_first is None:
        return np.zeros((0, 2)), np.zeros(len(orders) + 1, np.int64)
    return orders.points, orders.points_first

"""What single orders say beyond dates and a curve: profits as a table, and when their material comes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise
from math import inf
from typing import Any

from metagraph.faults import Fault, listed, shown
from metagraph.orders import Order
from metagraph.records import NUMBER, Record
from metagraph.timelines import TimeLine, unread_instant

EXTRAS = ("profit_points", "material")
"""Fields that hold instants inside, told in the way of the file's dates."""

Points = tuple[tuple[float, float], ...]


def points_of(record: Record, line: TimeLine) -> Points:
    """The profit table of an order: pairs of an instant and money, ascending. Faults go to the record."""
    name = "profit_points" + line.suffix
    found = record.take(name)
    if found is None:
        return ()
    if not isinstance(found, list) or not found:
        record.fault(name, f"{shown(found)}; expected a list of pairs, each an instant and money")
        return ()
    points = []
    for pair in found:
        told = pair if isinstance(pair, list) and len(pair) == 2 else [None, None]
        at = line.seconds(record.as_number(told[0]) if line.suffix == "_h" else told[0])
        money = record.as_number(told[1])
        if told == [None, None]:
            record.fault(name, f"{shown(pair)}; expected a pair, an instant and money")
        elif at is None:
            record.fault(name, unread_instant(told[0], line.suffix))
        elif money is None:
            record.fault(name, f"{shown(told[1])}; {NUMBER}")
        else:
            points.append((at, money))
    if any(later[0] < earlier[0] for earlier, later in pairwise(points)):
        record.fault(name, "instants that go back; expected them ascending")
    if any(c[0] == a[0] for a, c in zip(points, points[2:], strict=False)):
        record.fault(name, "three points at one instant; a jump has two of them")
    return tuple(points)


def material_of(record: Record, line: TimeLine) -> dict[str, float]:
    """When material is there, by task. Faults go to the record."""
    name = "material" + line.suffix
    found: dict[str, float] = {}
    for inner in record.inner(name):
        for task, told in inner.raw.items():
            at = line.seconds(inner.as_number(told) if line.suffix == "_h" else told)
            if at is None:
                inner.fault(task, unread_instant(told, line.suffix))
            else:
                found[task] = at
    return found


def extras_row(order: Order, line: TimeLine) -> dict[str, Any]:
    """Both as plain values; `points_of` and `material_of` give them back."""
    row: dict[str, Any] = {}
    if order.profit_points:
        row["profit_points" + line.suffix] = [[line.shown(at), money] for at, money in order.profit_points]
    if order.material_s:
        row["material" + line.suffix] = {task: line.shown(at) for task, at in order.material_s.items()}
    return row


def check_points(record: Record, order: Order, suffix: str) -> None:
    """A table stands for the whole profit, up to the lost-sale date."""
    if not order.profit_points:
        return
    name = "profit_points" + suffix
    if order.profit is not None:
        record.fault(name, "given beside a profit curve; one way is enough")
    if order.profit_points[-1][0] > (inf if order.lost_s is None else order.lost_s):
        record.fault(name, "it goes on after the lost-sale date; once the sale is lost the last point holds")


def material_faults(order: Order, tasks: Collection[str]) -> Iterator[Fault]:
    """Faults of material for tasks that the process doesn't have."""
    for task in order.material_s:
        if task not in tasks:
            yield Fault(
                f"order {shown(order.id)}, material",
                f"{shown(task)} is no task; there are {listed([*tasks])}",
            )

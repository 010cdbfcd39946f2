"""What is known beforehand of orders that are replayed: ways at gateways, work, delays, who did it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isnan
from typing import NamedTuple

from simulation.frames import Shared
from simulation.program import Orders, Records
from simulation.tables import Table


class Known(NamedTuple):
    """One row of RECORDED, without its keys."""

    way: int
    agent: int
    queue: int
    law: int
    work_s: float
    level: float
    delay_s: float

    def work(self, law: Table, tables: Sequence[Table]) -> float | None:
        """The work under a law, which is one of the tables; None: it has to be drawn."""
        if not isnan(self.work_s) and (self.law < 0 or law is tables[self.law]):
            return self.work_s
        if self.level > 0.0 and not law.fixed:
            return law.draw(self.level)
        return None


class Path(Shared):
    """All that is known of one order."""

    __slots__ = ("_rest", "_rows")

    def __init__(self, rows: Records | None) -> None:
        listed = {} if rows is None else {(row[0], row[1]): Known(*row[2:]) for row in rows.tolist()}
        self._rest = listed.pop((-1, 0), None)
        self._rows = listed

    def at(self, node: int, visit: int) -> Known | None:
        """What is known of a visit; None: nothing."""
        return self._rows.get((node, visit), self._rest)


class Paths(Shared):
    """Those of all orders, made when asked for."""

    __slots__ = ("_first", "_made", "_rows")

    def __init__(self, orders: Orders) -> None:
        self._rows, self._first = orders.recorded, orders.recorded_first
        self._made: dict[int, Path] = {}

    def of(self, order: int) -> Path | None:
        """None: nothing is known of any order."""
        if self._rows is None or self._first is None:
            return None
        if order not in self._made:
            self._made[order] = Path(self._rows[self._first[order] : self._first[order + 1]])
        return self._made[order]


@lru_cache(maxsize=2)
def paths_of(orders: Orders) -> Paths:
    """What is known of orders; the last ones are kept, for forks."""
    return Paths(orders)

"""What goes first: the key of an item under each rule, and scores under averages."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from operator import add

from metagraph.orders import tabulated
from metagraph.rules import gain_score, profit, quickness_score, urgency_score
from simulation.frames import Columns, Frame
from simulation.items import Item
from simulation.program import Floats, Part, Program, Rule
from simulation.session import WORKING

_FIFO, _HP, _SDD, _SERPT, _HPCS, _RULE, _RANK, _AVERAGE = (int(r) for r in list(Rule)[:8])
_LIFO = int(Rule.LIFO)
_GAIN, _DUE, _QUICK, _IMPORTANT = (int(part) for part in Part)

LeftNow = Callable[[Item, float], float]
"""Expected remaining work of an item that waits or is worked on, now."""
Ask = Callable[[Item, float], float]
"""What a policy written in Python says."""


class Keys:
    """Keys and scores of items."""

    __slots__ = ("_ask", "_columns", "_curve", "_left_now", "_parts", "_rules", "ranks")

    def __init__(self, program: Program, frame: Frame, columns: Columns, left_now: LeftNow, ask: Ask) -> None:
        self._columns = columns
        self._curve = frame.curve
        self._rules = frame.rules
        self._parts = [int(part) for part in Part if frame.parts & part]
        self._left_now = left_now
        self._ask = ask
        self.ranks: Floats | None = program.orders.ranks
        """A schedule's, [order, task]."""

    def find(self, item: Item, t: float) -> None:
        """Give the item its key, as it is to wait in its queue."""
        rule = self._rules[item.queue]
        if rule == _FIFO:
            return
        order, columns = item.journey.order, self._columns
        if rule == _SDD:
            item.key = columns.due[order]
        elif rule == _HP:
            item.key = -self._profit(order, t)
        elif rule == _SERPT:
            item.key = item.rest
        elif rule == _HPCS:
            item.key = -columns.importance[order]
        elif rule == _RULE:
            item.key = -columns.rule[order]
        elif rule == _LIFO:
            item.key = -item.place
        elif rule == _RANK:
            item.key = inf if self.ranks is None else float(self.ranks[order, item.task.number])
        elif rule == _AVERAGE:
            if _GAIN in self._parts:
                item.gain = self._profit(order, t)
        else:
            item.key = self._ask(item, t)

    def now(self, item: Item, t: float) -> float:
        """The key of an item that is worked on."""
        return self._left_now(item, t) if self._rules[item.queue] == _SERPT else item.key

    def scores(self, items: list[Item], t: float) -> list[float]:
        """The averaged score of each item, against the best of them all."""
        totals = self._part(self._parts[0], items, t)
        for part in self._parts[1:]:
            totals = list(map(add, totals, self._part(part, items, t)))
        n = len(self._parts)
        return [total / n for total in totals]

    def _part(self, part: int, items: list[Item], t: float) -> list[float]:
        columns = self._columns
        if part in (_GAIN, _IMPORTANT):
            important = columns.importance
            gains = [item.gain if part == _GAIN else important[item.journey.order] for item in items]
            most = max(gains)
            return [gain_score(gain, most) for gain in gains]
        if part == _DUE:
            due, release = columns.due, columns.release
            orders = [item.journey.order for item in items]
            first = min([release[order] for order in orders])
            times = [due[order] - first for order in orders]
            least = min([time for time in times if time > 0.0], default=inf)
            return [urgency_score(time, least) for time in times]
        works = [self._left_now(item, t) if item.status == WORKING else item.rest for item in items]
        least = min(works)
        return [quickness_score(work, least) for work in works]

    def _profit(self, order: int, t: float) -> float:
        columns = self._columns
        if columns.points is not None and columns.points[order]:
            return tabulated(columns.points[order], t)
        curve = self._curve if columns.curves is None else columns.curves[order]
        early, due, late, final, lost = curve
        return profit(
            t,
            columns.value[order],
            columns.early[order],
            columns.due[order],
            columns.lost[order],
            early,
            due,
            late,
            final,
            lost,
        )

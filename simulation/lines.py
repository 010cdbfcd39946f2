"""The lines in which items wait: the queues, and an own one of each agent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from simulation.frames import Frame
from simulation.items import Item
from simulation.session import WAITING

Entry = tuple[float, float, int, int, int, Item]
"""Key, place, again, serial: what comes first, and no two alike; stamp: void unless it is the item's."""
Scores = Callable[[list[Item], float], list[float]]
"""The averaged score of each item of a set at an instant."""


def position(item: Item) -> tuple[float, float, int, int]:
    """By it a line is ordered."""
    return item.key, item.place, item.again, item.serial


class Lines:
    """What waits in each line, by (key, place, again, serial)."""

    __slots__ = ("_heaps", "waiting")

    def __init__(self, frame: Frame) -> None:
        self._heaps: list[list[Entry]] = [[] for _ in frame.line_agents]
        self.waiting = [0] * len(frame.line_agents)

    def put(self, line: int, item: Item) -> None:
        """The item waits there from now on."""
        item.stamp += 1
        item.status = WAITING
        item.line = line
        heappush(self._heaps[line], (item.key, item.place, item.again, item.serial, item.stamp, item))
        self.waiting[line] += 1

    def remove(self, item: Item) -> None:
        """The item doesn't wait any more."""
        item.stamp += 1
        self.waiting[item.line] -= 1
        item.line = -1

    def first(self, lines: Iterable[int], t: float) -> Item | None:
        """What comes first in some lines; None if nothing waits there."""
        waiting, found = self.waiting, None
        for line in lines:
            if waiting[line]:
                heap = self._heaps[line]
                entry = heap[0]
                while entry[4] != entry[5].stamp:
                    heappop(heap)
                    entry = heap[0]
                if found is None or entry < found:
                    found = entry
        return None if found is None else found[5]

    def items(self, line: int) -> list[Item]:
        """All that waits in a line, in its order."""
        return [entry[5] for entry in sorted(self._heaps[line]) if entry[4] == entry[5].stamp]

    def members(self, line: int) -> list[Item]:
        """The same in no order that matters."""
        return self.items(line)


class ScoredLines(Lines):
    """What waits in each line under averages: its order is found whenever it is asked."""

    __slots__ = ("_members", "_scores")

    def __init__(self, frame: Frame, scores: Scores) -> None:
        super().__init__(frame)
        self._scores = scores
        self._members: list[dict[int, Item]] = [{} for _ in frame.line_agents]

    def put(self, line: int, item: Item) -> None:
        item.stamp += 1
        item.status = WAITING
        item.line = line
        self._members[line][item.serial] = item
        self.waiting[line] += 1

    def remove(self, item: Item) -> None:
        del self._members[item.line][item.serial]
        super().remove(item)

    def first(self, lines: Iterable[int], t: float) -> Item | None:
        """The item with the highest score among all that waits in these lines, then by place."""
        items = [item for line in lines for item in self._members[line].values()]
        if len(items) < 2:
            return items[0] if items else None
        scored = zip(self._scores(items, t), items, strict=True)
        return min(scored, key=lambda pair: (-pair[0], pair[1].place, pair[1].again, pair[1].serial))[1]

    def items(self, line: int) -> list[Item]:
        """All that waits in a line, by (place, again, serial)."""
        return sorted(self._members[line].values(), key=lambda i: (i.place, i.again, i.serial))

    def members(self, line: int) -> list[Item]:
        return list(self._members[line].values())

"""Arrays in which one run of the kernel lives; a thread uses them again for its next run."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.clock_arrays import ClockArrays
from simulation.kernel_address import INTERPRETED, address
from simulation.kernel_layout import EVENT, ITEM, JOURNEY, LOG, MARGIN, PACE
from simulation.kernel_tables import Tables

Array = NDArray[Any]
MORE = 64
"""Room for items and open orders when nothing is known of them."""


class Memory:
    """One world and the arrays that change. `spare` holds arrays to use again, by name."""

    def __init__(
        self, tables: Tables, orders: int, items: int, spare: dict[str, Array] | None = None
    ) -> None:
        self.tables = tables
        self.spare = {} if spare is None else spare
        self.kept: dict[str, Array] = {}
        """The arrays behind the addresses."""
        self.world = tables.world.copy()
        for name in ("lines", "crew", "clocks", "collectors"):
            start = getattr(tables, name)
            self.room(name, len(start), start.dtype)[: len(start)] = start
        self.room("paces", 0, np.dtype(PACE))
        self.room("idle_bits", tables.words, np.dtype(np.int64))[:] = 0
        self.room("stack", tables.stack, np.dtype(np.int32))
        self.room("scratch", tables.scratch, np.dtype(np.float64))
        self.room("line_scratch", tables.n_lines + 1, np.dtype(np.int32))
        nodes = int(tables.world["n_nodes"][0])
        self.room("started", nodes, np.dtype(np.int64))[:nodes] = 0
        self.room("wait_s", nodes, np.dtype(np.float64))[:nodes] = 0.0
        self.room("collected_s", nodes, np.dtype(np.float64))[:nodes] = 0.0
        self.room("slots", orders, np.dtype(np.int32))[:orders] = -1
        self.fix("completed", np.full(orders, np.nan))
        self.fix("lost", np.full(orders, np.nan))
        self.items_for(items + MARGIN + MORE)
        self.journeys_for(items + MORE)
        self.kept["places"][: self.number("n_clocks")] = -1

    def fix(self, name: str, array: Array) -> None:
        """This array is behind the address from now on."""
        self.kept[name] = array
        self.world[name] = address(array)

    def room(self, name: str, n: int, dtype: np.dtype[Any]) -> Array:
        """An array of at least n entries behind the address, not cleared."""
        found = self.spare.pop(name, None)
        if found is None or len(found) < n or found.dtype != dtype:
            found = np.empty(max(n, 1), dtype)
        self.fix(name, found)
        return found

    def more(self, name: str, n: int, used: int, dtype: np.dtype[Any]) -> None:
        """The same array with room for n, of which the first `used` count."""
        before = self.kept.get(name)
        if before is not None and len(before) >= n:
            return
        array = self.room(name, n, dtype)
        if before is not None:
            array[:used] = before[:used]

    def number(self, name: str) -> int:
        """A count of the world."""
        return int(self.world[name][0])

    def items_for(self, n: int) -> None:
        """Room for n items."""
        used = self.number("fresh_item")
        self.more("items", n, used, ITEM)
        n = len(self.kept["items"])
        self.more("slot_scratch", n, 0, np.dtype(np.int32))
        self.world["n_items"] = n
        self._agenda_for()

    def journeys_for(self, n: int) -> None:
        """Room for n orders that are open at once."""
        used = self.number("fresh_journey")
        self.more("journeys", n, used, JOURNEY)
        n = len(self.kept["journeys"])
        for name, columns in (("visits", "n_visits"), ("merged", "n_merges")):
            width = self.number(columns)
            self.more(name, n * width, used * width, np.dtype(np.int32))
        self.world["n_journeys"] = n
        self._agenda_for()

    def log_for(self, n: int) -> None:
        """Room for n rows."""
        self.more("log", n, self.number("serial"), LOG)
        self.world["n_log"] = len(self.kept["log"])
        self.world["keep_log"] = 1

    def _agenda_for(self) -> None:
        items, journeys, clocks = (self.number(name) for name in ("n_items", "n_journeys", "n_clocks"))
        used = clocks + 2 * max(self.number("fresh_item"), self.number("fresh_journey"))
        self.more("places", clocks + 2 * max(items, journeys), used, np.dtype(np.int32))
        self.more("events", items + journeys + clocks, self.number("n_events"), EVENT)

    def grow(self, name: str) -> None:
        """Twice as much room for items, journeys or log."""
        n = {"items": "n_items", "journeys": "n_journeys", "log": "n_log"}[name]
        {"items": self.items_for, "journeys": self.journeys_for, "log": self.log_for}[name](
            2 * self.number(n)
        )

    def follow(self, arrays: ClockArrays) -> None:
        """Clocks and paces are known as far as these arrays go."""
        self.known = arrays
        clocks, lines = self.kept["clocks"], arrays.clocks
        n = len(lines)
        for name, base, where in (
            ("starts", arrays.starts, "first"),
            ("ends", arrays.ends, "first"),
            ("done", arrays.done, "done"),
        ):
            clocks[name][:n] = _addresses(base, lines[where], lines["n"] + (name == "done"))
        for name, source in (("n", "n"), ("always", "always"), ("over", "over"), ("reach", "reach_s")):
            clocks[name][:n] = lines[source]
        always = lines["always"] != 0
        clocks["until"][:n][always] = np.inf
        clocks["is_on"][:n][always] = 1
        settled = (lines["always"] != 0) | (lines["over"] != 0)
        self.world["reach"] = np.where(settled, np.inf, lines["reach_s"]).min(initial=np.inf)
        paces = arrays.paces
        record = self.room("paces", len(paces), np.dtype(PACE))
        record["speeds"][: len(paces)] = _addresses(arrays.speeds, paces["first"], paces["n"])
        record["done"][: len(paces)] = _addresses(arrays.paced, paces["done"], paces["n"] + 1)
        record["n"][: len(paces)] = paces["n"]
        record["begin"][: len(paces)] = paces["hour"]

    def copy(self) -> Memory:
        """The same once more; what never changes is shared."""
        other = object.__new__(Memory)
        other.tables, other.spare, other.known = self.tables, {}, self.known
        other.world = self.world.copy()
        other.kept = {}
        used = {
            "items": self.number("fresh_item"),
            "journeys": self.number("fresh_journey"),
            "visits": self.number("fresh_journey") * self.number("n_visits"),
            "merged": self.number("fresh_journey") * self.number("n_merges"),
            "events": self.number("n_events"),
            "places": self.number("n_clocks")
            + 2 * max(self.number("fresh_item"), self.number("fresh_journey")),
            "log": self.number("serial"),
            "stack": 0,
            "slot_scratch": 0,
        }
        for name, array in self.kept.items():
            n = used.get(name, len(array))
            mine = np.empty_like(array)
            mine[:n] = array[:n]
            other.fix(name, mine)
        return other


def _addresses(base: Array, first: Array, n: Array) -> Array:
    """Where pieces of an array of 8-byte numbers begin."""
    if INTERPRETED:
        return np.array([address(base[i : i + k]) for i, k in zip(first, n, strict=True)], np.int64)
    return address(base) + 8 * first.astype(np.int64)


class _Spare(threading.local):
    """Arrays that a thread has to use again."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}


_spare = _Spare()
_HANDED = ("completed", "lost")


def borrowed(tables: Tables, orders: int, items: int) -> Memory:
    """A memory in arrays that the thread's last run has given back."""
    return Memory(tables, orders, items, _spare.arrays)


def give_back(memory: Memory) -> None:
    """The run is over and nobody looks at it any more."""
    _spare.arrays |= {name: array for name, array in memory.kept.items() if name not in _HANDED}

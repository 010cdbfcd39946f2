"""The compiled engine: the same runs as the reference's to the last bit, two orders of magnitude faster."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from metagraph.errors import DataError, UsageError
from simulation import kernel_code
from simulation.clock_arrays import realised
from simulation.continued import began_s
from simulation.kernel_layout import Command, Status
from simulation.kernel_memory import Memory, borrowed, give_back
from simulation.kernel_opening import put_opening
from simulation.kernel_tables import tables_of
from simulation.kernel_taking import run_of, snapshot_of
from simulation.opening import opening
from simulation.program import Floats, Ints, Program, Rule
from simulation.run import Run, Stopped
from simulation.session import Options, Snapshot
from simulation.steering import refuse_batch
from simulation.streams import Stream
from simulation.tokens import MAX_STEPS

WEEK_S = 7 * 86400.0
_OF_ORDERS = (
    *("curves", "points", "points_first", "material", "designated", "ranks", "assigned", "ruled"),
    *("recorded", "recorded_first"),
)
"""What orders may have beside their table, each at an address of its own."""
AHEAD_S = 4 * WEEK_S
"""Clocks are made so much longer than orders come."""
ROWS = 20_000
"""Room for a log when nothing is known of it."""
MOST_ROWS = 8_000_000
"""More are made room for only when they come."""


PLAIN = Options()


def refusal(program: Program, options: Options = PLAIN) -> str:
    """What of a program this engine doesn't run; '' if it runs all of it."""
    if program.network.custom is not None or (program.network.queues["rule"] == Rule.PYTHON).any():
        return "a policy written in Python"
    if options.paths:
        return "a record of every change of a queue's length"
    return ""


def compiled() -> bool:
    """Whether no call will have to compile anything."""
    return kernel_code.compiled()


def compile_all() -> None:
    """Load the kernel's machine code, after compiling it if need be."""
    kernel_code.compile_all()


def session(program: Program, seed: int, replication: int = 0, options: Options = PLAIN) -> Kernel:
    """A run at its beginning. Raises UsageError for a program that the kernel doesn't run."""
    return Kernel(program, seed, replication, options)


def run(
    program: Program,
    seed: int,
    replication: int = 0,
    until_s: float | None = None,
    options: Options = PLAIN,
) -> Run:
    """Simulate the program once, to its end or up to and including `until_s`.

    The same program, seed and replication give the same result, on any machine. Raises DataError for an order
    that never gets out of a loop, UsageError for a program that the kernel doesn't run.
    """
    going = Kernel(program, seed, replication, options, once=True)
    going.run_to(inf if until_s is None else until_s)
    return going.last(None if going.limited else until_s)


class Kernel:
    """One run, as simulation.session.Session describes it."""

    __slots__ = (
        "_begin_s",
        "_horizon_s",
        "_memory",
        "_once",
        "_options",
        "_program",
        "_stopped",
        "_stream",
        "_t",
    )

    def __init__(
        self, program: Program, seed: int, replication: int, options: Options, *, once: bool = False
    ) -> None:
        refused = refusal(program, options)
        if refused:
            raise UsageError(f"the compiled kernel doesn't run {refused}: choose engine auto or reference")
        self._program, self._options = program, options
        self._stream = Stream(seed, replication, antithetic=options.antithetic)
        self._begin_s = self._t = program.begin_s
        self._stopped: Stopped | None = None
        self._once = once
        table = program.orders.table
        tables = tables_of(program.network)
        items = 4 * len(program.standing)
        make = borrowed if once else Memory
        self._memory = make(tables, len(table), items)
        self._set_up()
        last_s = float(table["release_s"].max(initial=self._begin_s))
        self._horizon_s = self._begin_s + 1.25 * (max(last_s, self._begin_s) - self._begin_s) + AHEAD_S
        self._follow()
        put_opening(self._memory, program, opening(program, self._stream), self._begin_s)
        self._act(Command.OPEN)
        self._lengthen_if_short()

    # The world.

    def _set_up(self) -> None:
        program, memory, stream = self._program, self._memory, self._stream
        world, orders, limits = memory.world, program.orders, self._options.limits
        memory.fix("orders", np.ascontiguousarray(orders.table))
        first = len(program.standing)
        releases = orders.table["release_s"][first:]
        come = np.arange(first, len(orders.table), dtype=np.int32)
        if (releases[1:] < releases[:-1]).any():
            come = come[np.argsort(np.maximum(releases, self._begin_s), kind="stable")]
        memory.fix("releases", come)
        for name in _OF_ORDERS:
            given = getattr(orders, name)
            if given is not None and len(given):
                memory.fix(name, np.ascontiguousarray(given))
        k0, k1 = stream.keys[0]
        values: dict[str, Any] = {
            "n_releases": len(come),
            "key0": k0,
            "key1": k1,
            "mirrored": stream.mirrored,
            "begin_s": self._begin_s,
            "now": self._begin_s,
            "wip_since": self._begin_s,
            "failed_order": -1,
            "free_item": -1,
            "free_journey": -1,
            "most_executions": limits.executions,
            "most_open": limits.most_open(program),
        }
        for name, value in values.items():
            world[name] = value
        memory.kept["lines"]["changed"] = self._begin_s
        if self._options.log:
            rows = len(orders.table) * max(program.network.tasks, 4)
            memory.log_for(min(rows, MOST_ROWS) + ROWS)

    def _act(self, command: Command) -> Status:
        return Status(kernel_code.act(self._memory.world, int(command)))

    def _number(self, name: str) -> Any:
        return self._memory.world[name][0]

    def _follow(self) -> None:
        begin_s = began_s(self._program)
        arrays = realised(self._program.network, self._stream, begin_s, self._horizon_s)
        self._memory.follow(arrays)

    def _lengthen(self, to_s: float) -> None:
        """Make the clocks at least twice as long as they are, and find what lay beyond them."""
        while True:
            ahead_s = 2.0 * (self._horizon_s - self._begin_s)
            self._horizon_s = max(self._begin_s + ahead_s, to_s + WEEK_S)
            self._follow()
            self._act(Command.CLOCKS)
            if not self._number("short"):
                return

    def _lengthen_if_short(self) -> None:
        if self._number("short"):
            self._lengthen(self._t)

    def _go(self) -> Status:
        """Run on, making room whenever it is short."""
        while True:
            status = self._act(Command.RUN)
            if status == Status.CLOCKS:
                found_s = float(self._number("found_s"))
                self._lengthen(found_s if found_s < inf else self._begin_s)
            elif status in _ROOM:
                self._memory.grow(_ROOM[status])
            else:
                return status

    # Session.

    @property
    def program(self) -> Program:
        return self._program

    @property
    def now_s(self) -> float:
        return self._t

    @property
    def limited(self) -> bool:
        """Whether a limit has ended the run."""
        return self._stopped is not None

    def run_to(self, until_s: float, *, pause_on_release: bool = False) -> bool:
        """See Session."""
        if self._stopped:
            return False
        world = self._memory.world
        released = int(world["released"][0])
        world["until"], world["pause"] = until_s, pause_on_release
        status = self._go()
        self._t = max(self._t, float(world["now"][0]))
        if status == Status.ENDLESS:
            raise self._endless()
        if status in _LIMITS:
            self._stopped = _LIMITS[status]
            return False
        complete = self._number("open") == 0 and self._number("released") == self._number("n_releases")
        paused = pause_on_release and int(world["released"][0]) > released
        if not complete and not paused and until_s < inf:
            self._t = max(self._t, until_s)
            world["now"] = self._t
        return self.next_s() < inf

    def next_s(self) -> float:
        """See Session."""
        if self._stopped:
            return inf
        self._act(Command.PEEK)
        return float(self._number("found_s"))

    def snapshot(self) -> Snapshot:
        """See Session."""
        return snapshot_of(self._memory, self._program, self._t)

    def result(self, until_s: float | None = None) -> Run:
        """See Session. Raises UsageError for an end before now."""
        end_s = self._t if until_s is None else until_s
        if end_s < self._t:
            raise UsageError(
                f"the run is at {self._t:g} s: it can't be counted to {end_s:g} s, which is over"
            )
        if end_s >= self._number("reach"):
            self._lengthen(end_s)
        stopped = self._stopped or ("end" if self.next_s() == inf else "horizon")
        return run_of(self._memory, self._program, self._begin_s, end_s, stopped, handed=self._once)

    def fork(self) -> Kernel:
        """See Session."""
        other = object.__new__(Kernel)
        for name in Kernel.__slots__:
            setattr(other, name, getattr(self, name))
        other._memory = self._memory.copy()
        return other

    def reschedule(self, ranks: Floats, assigned: Ints) -> None:
        """See Session. Raises UsageError if no queue is ordered by ranks, or for arrays of another shape."""
        network = self._program.network
        shape = (len(self._program.orders), network.tasks)
        if not (network.queues["rule"] == Rule.RANK).any():
            raise UsageError("no queue is ordered by a schedule's ranks: give the run a policy with RANK")
        if ranks.shape != shape or assigned.shape != shape:
            raise UsageError(
                f"the new schedule has ranks {ranks.shape} and queues {assigned.shape}: "
                f"both are [order, task], which is {shape} here"
            )
        self._memory.fix("ranks", np.array(ranks, np.float64, order="C"))
        self._memory.fix("assigned", np.array(assigned, np.int32, order="C"))
        self._between(Command.RESCHEDULE)

    def announce(self, order: int, node: int, eta_s: float) -> None:
        """See Session."""
        refuse_batch(self._program, node)
        world = self._memory.world
        world["arg0"], world["arg1"], world["arg_s"] = order, node, eta_s
        if self._between(Command.ANNOUNCE) == Status.REFUSED:
            live = self.snapshot().items
            there = ((live["order"] == order) & (live["node"] == node)).any()
            name, where = self._program.orders.ids[order], self._program.network.node_ids[node]
            why = "is already worked on there" if there else "isn't there"
            raise DataError(f"an end was announced for order {name} at task {where!r}, but it {why}")

    def last(self, until_s: float | None) -> Run:
        """The result of a run made `once`; its arrays are used again by the thread's next one."""
        found = self.result(until_s)
        give_back(self._memory)
        return found

    def _between(self, command: Command) -> Status:
        """Do something between events, at now."""
        if self._t >= self._number("reach"):
            self._lengthen(self._t)
        self._memory.world["now"] = self._t
        status = self._act(command)
        self._lengthen_if_short()
        return status

    def _endless(self) -> DataError:
        name = self._program.orders.ids[int(self._number("failed_order"))]
        here = self._program.network.node_ids[int(self._number("failed_node"))]
        return DataError(
            f"order {name} passed {MAX_STEPS} nodes and is still at {here!r}: its loop "
            "is (nearly) never left; lower the weight of going round again"
        )


_ROOM = {Status.ITEMS: "items", Status.JOURNEYS: "journeys", Status.ROWS: "log"}
_LIMITS: dict[Status, Stopped] = {Status.EXECUTIONS: "executions", Status.OPEN_ORDERS: "open orders"}

"""What lives at the beginning of a run that starts from a state, in one replication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan
from threading import Lock
from typing import get_type_hints

import numpy as np
from numpy.typing import NDArray

from simulation.clock_arrays import paced_after
from simulation.continued import Continued
from simulation.frames import Frame, frame_of
from simulation.kept import Kept
from simulation.opening_rows import Mode, Reader, Row
from simulation.opening_ways import Map, Ways, ways_on
from simulation.philox import uniforms
from simulation.program import Floats, Ints, Kind, Network, Program, Records, Standing
from simulation.recorded import Path, Paths, paths_of
from simulation.session import COLLECTED, DELAYED, JOURNEY, LIVE, WAITING
from simulation.streams import REDRAW, Purpose, Stream
from simulation.tokens import Journey, advance

_REDRAWS = 50
"""All choices at the beginning are redraws, from 1 on: a number that led to a way that was refused must not
decide anything later."""
_NOTHING = Stream(0)
"""Asked for nothing where every way is told."""
_Hops = tuple[tuple[int, ...], ...]
_FIRST = Purpose.ROUTE + REDRAW
_ROW = np.dtype(
    [(name, np.float64 if kind is float else np.int64) for name, kind in get_type_hints(Row).items()]
)


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """Open orders in their places; whatever of them is only known by its law is drawn."""

    items: Records
    """LIVE, by serial.

    DELAYED: ready at `ready_s`. COLLECTED: since `since_s`. WAITING: in the queue `queue`, or -1: one to be
    chosen, by (ready_s, order, serial); begun already if `start_s` is a number. WORKING: with `left_s` to do
    from `since_s` on, up to `finish_s`, or NaN: as the agent's clock says. What has a `leader` goes by that
    one, a row before it.
    """
    journeys: Records
    """JOURNEY of each standing order; one without tokens is complete."""
    visits: Ints
    """[standing order, column]."""
    merged: Ints
    present: Ints
    """Per agent: whether it is there just before the beginning."""
    presence: int
    """The first record of Network.presence that is still to come."""
    released: Ints | None = None
    """Per batch: how many were released before; None: none."""


def opening(program: Program, stream: Stream) -> Opening:
    """The state of a program at its beginning.

    Work under way is drawn given what is done of it, delays given that they haven't ended as far as the state
    tells. Tokens at gateways are moved on. An order is known to be open: ways on which it would end without
    any further task are drawn again, up to 50 times. Who works, but has left since, hands over: it waits.

    Raises DataError for an order that never gets out of a loop.
    """
    if isinstance(program, Continued):
        return program.opened
    network, begin_s = program.network, program.begin_s
    presence = int(np.searchsorted(network.presence["t"], begin_s, side="left"))
    present = network.agents["present"].copy()
    for record in network.presence[:presence]:
        present[record["agent"]] = record["present"]
    if not program.standing:
        nothing = np.zeros((0, network.visits), np.int32), np.zeros((0, network.merges), np.int32)
        return Opening(np.zeros(0, LIVE), np.zeros(0, JOURNEY), *nothing, present, presence)
    state = _states.get((network, program.standing), begin_s, lambda: _State(program, present.tolist()))
    with state.lock:
        return Opening(*state.opened(stream, paths_of(program.orders)), present, presence)


class _State:
    """What all replications share that begin at the same state."""

    def __init__(self, program: Program, present: list[bool]) -> None:
        network, n = program.network, len(program.standing)
        self.lock = Lock()
        self.network = network
        self.frame: Frame = frame_of(network)
        self.standing = program.standing
        self.at_s = program.begin_s
        self.names = program.orders.ids
        table = program.orders.table[:n]
        releases = table["release_s"].tolist()
        self.kinds = list(zip(table["cls"].tolist(), table["segment"].tolist(), strict=True))
        ruled = program.orders.ruled
        self.ruled: list[list[int]] = [[]] * n if ruled is None else ruled[:n].tolist()
        material = program.orders.material
        self.reader = Reader(
            network, self.frame, self.standing, self.kinds, releases, self.at_s, present, material
        )
        self.rows: list[Row] = []
        self.table: Records = np.zeros(0, _ROW)
        """The rows as an array, as far as they were needed."""
        self.numbers: dict[tuple[int, int, int, int], int] = {}
        """(order, token, node, visit) -> row."""
        self.fixed: dict[int, list[int]] = {}
        """Rows of the orders that stand at tasks only."""
        self.moving: list[int] = []
        self.journeys = np.zeros(n, JOURNEY)
        self.visits = np.zeros((n, network.visits), np.int32)
        self.merged = np.zeros((n, network.merges), np.int32)
        for order, standing in enumerate(self.standing):
            self._stand(order, standing)
        self.ways: dict[int, Ways | None] = {}
        """Of orders with tokens at gateways, once asked for."""
        self.hops = self._hops()

    def _stand(self, order: int, standing: Standing) -> None:
        journey = self._journey(order, standing)
        self._keep(order, journey)
        if any(self.frame.kinds[token.node] != Kind.TASK for token in standing.tokens):
            self.moving.append(order)
            return
        visits = [max(standing.visits.get(token.node, 1), 1) for token in standing.tokens]
        self.fixed[order] = [
            self._number(order, i, token.node, visits[i]) for i, token in enumerate(standing.tokens)
        ]

    def _journey(self, order: int, standing: Standing, path: Path | None = None) -> Journey:
        frame = self.frame
        journey = Journey(frame, order, *self.kinds[order], self.ruled[order], path)
        journey.history = standing.history
        waiting = [n for node, n in standing.merged.items() if frame.kinds[node] != Kind.JOIN]
        journey.tokens = len(standing.tokens) + sum(waiting)
        for node, n in standing.visits.items():
            if frame.visit[node] >= 0:
                journey.visits[frame.visit[node]] = n
        for node, n in standing.merged.items():
            if frame.merge[node] >= 0:
                journey.merged[frame.merge[node]] = n
        return journey

    def _keep(self, order: int, journey: Journey) -> None:
        self.journeys[order] = (order, journey.tokens, journey.steps, journey.history)
        self.visits[order] = journey.visits
        self.merged[order] = journey.merged

    def _number(self, order: int, token: int, node: int, visit: int) -> int:
        key = (order, token, node, visit)
        if key not in self.numbers:
            self.numbers[key] = len(self.rows)
            self.rows.append(self.reader.row(order, self.standing[order].tokens[token], node, visit))
        return self.numbers[key]

    def _hops(self) -> _Hops:
        """Moving orders, and the node and visit of the first token of each that stands at a gateway."""
        hops = []
        for order in self.moving:
            standing = self.standing[order]
            node = next(t.node for t in standing.tokens if self.frame.kinds[t.node] != Kind.TASK)
            hops.append((order, node, max(standing.visits.get(node, 1), 1)))
        return tuple(zip(*hops, strict=True)) if hops else ()

    def opened(self, stream: Stream, paths: Paths) -> tuple[Records, Records, Ints, Ints]:
        """Items, journeys, visits and merged of a replication."""
        numbers = self._moved(stream, paths) | self.fixed
        chosen = [row for order in range(len(self.standing)) for row in numbers[order]]
        if len(self.table) < len(self.rows):
            self.table = np.array(self.rows, _ROW)
        items = _items(self.network, self.table[chosen], stream, self.at_s, paths)
        return items, self.journeys.copy(), self.visits.copy(), self.merged.copy()

    def _moved(self, stream: Stream, paths: Paths) -> dict[int, Sequence[int]]:
        """The rows of orders with tokens at gateways, which are moved on."""
        found: dict[int, Sequence[int]] = {}
        if not self.moving:
            return found
        orders, nodes, visits = self.hops
        us = uniforms(stream, orders, nodes, visits, _FIRST).tolist()
        for order, u in zip(self.moving, us, strict=True):
            path = paths.of(order)
            ways = self._ways(order) if path is None else None
            if ways is None:
                journey, found[order] = self._drawn(order, stream, path)
            else:
                way = ways.at(u)
                journey, found[order] = way.journey, way.rows
            self._keep(order, journey)
        return found

    def _ways(self, order: int) -> Ways | None:
        if order not in self.ways:
            go = partial(self._gone, order, _NOTHING)
            self.ways[order] = ways_on(self.frame, go, lambda row: self.rows[row].unseen)
        return self.ways[order]

    def _drawn(self, order: int, stream: Stream, path: Path | None) -> tuple[Journey, list[int]]:
        """By the weights alone, gateway by gateway, what isn't known beforehand."""
        for redraw in range(1, _REDRAWS + 1):
            journey, found = self._gone(order, stream, path, redraw)
            if journey.tokens:
                break
        return journey, found

    def _gone(
        self, order: int, stream: Stream, path: Path | None, redraw: int = 0
    ) -> tuple[Journey, list[int]]:
        """The journey and the rows of an order all of whose tokens are moved on."""
        standing, frame = self.standing[order], self.frame
        journey = self._journey(order, standing, path)
        found: list[int] = []
        if isinstance(path, Map):
            path.journey = journey
        for i, token in enumerate(standing.tokens):
            if frame.kinds[token.node] == Kind.TASK:
                reached = [(token.node, max(journey.visits[frame.visit[token.node]], 1))]
            else:
                # The visit that a token at a gateway is making was counted when it came there.
                column = frame.visit[token.node]
                if column >= 0:
                    journey.visits[column] = max(journey.visits[column] - 1, 0)
                reached = advance(frame, journey, token.node, stream, self.names, redraw)
            found += [self._number(order, i, node, visit) for node, visit in reached]
        return journey, found


def _items(network: Network, rows: Records, stream: Stream, at_s: float, paths: Paths) -> Records:
    """The items of rows, with everything drawn that a row leaves open."""
    items = np.zeros(len(rows), LIVE)
    items["serial"] = np.arange(len(rows))
    for name in ("order", "node", "visit", "agent", "queue", "after", "again", "preemptions"):
        items[name] = rows[name]
    for name in ("enabled_s", "start_s", "done_s"):
        items[name] = rows[name]
    items["since_s"] = at_s
    items["finish_s"] = np.nan
    drawn, mode = _drawn(network, rows, stream), rows["mode"]
    _replay(network, rows, paths, drawn)
    work = mode == Mode.WORK
    items["left_s"][work] = np.maximum(rows["scale"][work] * drawn[work] - rows["done_s"][work], 0.0)
    ready = rows["ready_s"].copy()
    late = mode == Mode.DELAY
    ready[late] = np.maximum(rows["base_s"][late] + drawn[late], rows["enabled_s"][late])
    begin = mode == Mode.BEGIN
    ready[begin] = np.maximum(rows["base_s"][begin] + drawn[begin], at_s)
    for pace in np.unique(rows["pace"]).tolist():
        if pace >= 0:
            mine = rows["pace"] == pace
            ready[mine] = paced_after(network, pace, rows["base_s"][mine], rows["paced_s"][mine], drawn[mine])
    end = mode == Mode.END
    ready[~end] = np.maximum(ready, rows["material_s"])[~end]
    ends = rows["base_s"][end] + drawn[end]
    items["finish_s"][end] = np.maximum(np.maximum(ends, at_s), rows["material_s"][end])
    items["left_s"][end] = items["finish_s"][end] - at_s
    status = rows["status"].copy()
    open_ = (mode >= Mode.DELAY) | (status == DELAYED) | (rows["material_s"] > at_s)
    open_ &= mode != Mode.END
    over = np.where(status[open_] == COLLECTED, COLLECTED, WAITING)
    status[open_] = np.where(ready[open_] > at_s, DELAYED, over)
    items["status"] = status
    items["queue"][status == DELAYED] = -1
    items["ready_s"] = items["place_s"] = ready
    collected = status == COLLECTED
    items["since_s"][collected] = ready[collected]
    items["scale"], items["leader"] = rows["scale"], _leaders(rows["group"])
    return items


def _leaders(groups: Ints) -> Ints:
    """Per row the first one of its simultaneous batch; -1: it is that itself, or of none."""
    _, first, which = np.unique(groups, return_index=True, return_inverse=True)
    leader = first[which]
    found: Ints = np.where((groups < 0) | (leader == np.arange(len(groups))), -1, leader)
    return found


def _drawn(network: Network, rows: Records, stream: Stream) -> Floats:
    """The value that each row asks for, given what has passed; 0 where it asks for none."""
    found = np.zeros(len(rows))
    asking = np.flatnonzero(rows["law"] >= 0)
    if not len(asking):
        return found
    asked = rows[asking]
    us: NDArray[np.float64] = uniforms(
        stream, asked["order"], asked["node"], asked["visit"], asked["purpose"]
    )
    us = asked["passed"] + (1.0 - asked["passed"]) * us
    for law in np.unique(asked["law"]).tolist():
        table = network.tables[law]
        mine = asked["law"] == law
        values = np.full(int(mine.sum()), table.xs[-1])
        below = us[mine] < 1.0
        values[below] = table.draws(us[mine][below])
        found[asking[mine]] = values + asked["beyond"][mine]
    return found


def _replay(network: Network, rows: Records, paths: Paths, drawn: Floats) -> None:
    """Put what is known beforehand of work and delays in place of what was drawn."""
    for i, row in enumerate(rows):
        path = paths.of(int(row["order"]))
        if path is None:
            return
        known = path.at(int(row["node"]), int(row["visit"]))
        if known is None or row["law"] < 0:
            continue
        if row["mode"] == Mode.WORK:
            found_s = known.work(network.tables[row["law"]], network.tables)
            drawn[i] = drawn[i] if found_s is None else found_s
        elif row["mode"] in (Mode.DELAY, Mode.PACED) and not isnan(known.delay_s):
            drawn[i] = known.delay_s


_states: Kept[_State] = Kept(4)

"""Many random walks of orders to their ends: the token game, all games in step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimization.token_net import (
    END,
    JOIN,
    MERGE,
    PASS,
    ROUTE,
    SOME,
    SPLIT,
    TASK,
    Choices,
    Floats,
    Ints,
    Kind,
    TokenNet,
)

MOST_HOPS = 10_000
"""Nodes that one walk may pass, as in the simulator; what is still under way then is broken off."""
_REDRAWS = 50
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an order stands, as far as its way on depends on it."""

    places: tuple[int, ...]
    """Nodes of its tokens."""
    kind: Kind
    history: int
    visits: tuple[int, ...]
    """Per gateway of TokenNet.routing; the visit that a token at a gateway is making isn't counted."""
    merged: tuple[int, ...]
    """Per merge: and_merge: tokens that wait there; or_merge: those still to come."""
    open: bool
    """Something is still to be done: walks on which nothing is are drawn again, as in the simulator."""


@dataclass(frozen=True, slots=True, eq=False)
class Walks:
    """What happened on walks of one standing."""

    counts: Ints
    """[walk, node] executions begun from now on, with those that its tokens stand at."""
    chosen: tuple[Ints, Ints]
    """Gateways and choices of all walks, one walk after the other, as they were made."""
    bounds: Ints
    """[walk + 1] where each one's choices begin."""
    cut: int
    """Walks that were broken off."""

    def choices(self, walk: int) -> dict[int, list[int]]:
        """By gateway, in their order."""
        found: dict[int, list[int]] = {}
        span = slice(int(self.bounds[walk]), int(self.bounds[walk + 1]))
        for node, choice in zip(*(part[span].tolist() for part in self.chosen), strict=True):
            found.setdefault(node, []).append(choice)
        return found


def walk(
    net: TokenNet, sojourn_s: Floats, standings: Sequence[Standing], seeds: Sequence[int], walks: int
) -> list[Walks]:
    """So many walks from each standing, under its own seed: nothing depends on the others.

    Branches of one order go on in the order in which exponential times of mean `sojourn_s` [node] end; that
    only matters where routing looks at what was done last.
    """
    kinds = list(dict.fromkeys(standing.kind for standing in standings))
    choices = net.choices(kinds)
    which = np.repeat(np.arange(len(standings)), walks)
    keys = _keys(seeds, walks)
    game = _Game(net, sojourn_s, standings, kinds, choices, which, keys)
    game.play()
    asked = np.array([standing.open for standing in standings], bool)[which]
    for again in range(1, _REDRAWS):
        idle = np.flatnonzero(asked & (game.counts.sum(axis=1) == 0))
        if not len(idle):
            break
        other = _Game(
            net, sojourn_s, standings, kinds, choices, which[idle], _mixed(keys[idle] + np.uint64(again))
        )
        other.play()
        game.replace(idle, other)
    return game.split(len(standings), walks)


def _keys(seeds: Sequence[int], walks: int) -> NDArray[np.uint64]:
    first = np.repeat(np.array(seeds, np.uint64), walks)
    return _mixed(first + _STEP * np.tile(np.arange(walks, dtype=np.uint64), len(seeds)))


def _mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser (Steele, Lea and Flood, OOPSLA 2014)."""
    for shift, factor in _MIX:
        z = (z ^ (z >> shift)) * factor
    return z ^ (z >> np.uint64(31))


class _Game:
    """Games side by side. A token that moves has the time -1, one that rests at a task that of its end."""

    def __init__(
        self,
        net: TokenNet,
        sojourn_s: Floats,
        standings: Sequence[Standing],
        kinds: Sequence[Kind],
        choices: list[Choices],
        which: Ints,
        keys: NDArray[np.uint64],
    ) -> None:
        n = len(which)
        slots = max((len(standing.places) for standing in standings), default=1) or 1
        self.net, self.choices, self.keys = net, choices, keys
        self.sojourn_s = sojourn_s
        self.drawn = np.zeros(n, np.uint64)
        self.kinds = np.array([kinds.index(s.kind) for s in standings], np.int64)[which]
        self.history = np.array([s.history for s in standings], np.int64)[which]
        self.visits = np.array([s.visits for s in standings], np.int64).reshape(len(standings), -1)[which]
        self.merged = np.array([s.merged for s in standings], np.int64).reshape(len(standings), -1)[which]
        self.counts = np.zeros((n, len(net.nodes)), np.int64)
        self.node = np.full((n, slots), -1, np.int64)
        self.time = np.full((n, slots), np.inf)
        self.now = np.zeros(n)
        self.log: list[tuple[Ints, Ints, Ints]] = []
        self.cut = np.zeros(n, bool)
        self.task = np.array([kind == TASK for kind in net.kind])
        self.kind = np.array(net.kind)
        places = np.full((len(standings), slots), -1, np.int64)
        for i, standing in enumerate(standings):
            places[i, : len(standing.places)] = standing.places
        for slot in range(slots):
            there = np.flatnonzero(places[which, slot] >= 0)
            self._place(there, slot, places[which[there], slot])

    def play(self) -> None:
        """To the end."""
        active = np.flatnonzero((self.node >= 0).any(axis=1))
        for _ in range(MOST_HOPS):
            if not len(active):
                return
            slot = np.argmin(self.time[active], axis=1)
            node = self.node[active, slot]
            kind = self.kind[node]
            for one in np.unique(kind).tolist():
                mine = kind == one
                self._pass(one, active[mine], slot[mine], node[mine])
            active = active[np.isfinite(self.time[active]).any(axis=1)]
        self.cut[active] = True

    def _pass(self, kind: int, games: Ints, slot: Ints, node: Ints) -> None:
        """The token in a slot of each game leaves its node, all of one kind."""
        if kind == TASK:
            self.now[games] = self.time[games, slot]
        for here in np.unique(node).tolist():
            mine = node == here
            self._leave(kind, here, games[mine], slot[mine])

    def _leave(self, kind: int, here: int, games: Ints, slot: Ints) -> None:
        net = self.net
        if kind == TASK:
            code = net.codes[net.nodes[here].label]  # type: ignore[union-attr]
            self.history[games] = (self.history[games] * net.base + code) % net.span
        if kind in (TASK, PASS):
            self._place(games, slot, net.targets[here][0])
        elif kind == END:
            self._remove(games, slot)
        elif kind == SPLIT:
            self._spread(games, slot, net.targets[here])
        elif kind in (MERGE, JOIN):
            self._meet(kind, here, games, slot)
        elif kind in (ROUTE, SOME):
            chosen = self._choose(here, games)
            for choice in np.unique(chosen).tolist():
                mine = chosen == choice
                targets = net.outcomes[here][choice]
                if kind == SOME:
                    self.merged[games[mine], net.merge[net.joins[here]]] = len(targets)
                self._spread(games[mine], slot[mine], targets)

    def _choose(self, here: int, games: Ints) -> Ints:
        gateway = self.net.gateway[here]
        self.visits[games, gateway] += 1
        table = self.choices[gateway]
        rows = table.row(self.kinds[games], self.visits[games, gateway], self.history[games])
        u = self._uniform(games)
        chosen: Ints = (table.cumulative[rows] <= u[:, None]).sum(axis=1)
        self.log.append((games, np.full(len(games), here), chosen))
        return chosen

    def _meet(self, kind: int, here: int, games: Ints, slot: Ints) -> None:
        column = self.net.merge[here]
        if kind == MERGE:
            arrived = self.merged[games, column] + 1
            all_there = arrived >= self.net.need[here]
            self.merged[games, column] = np.where(all_there, 0, arrived)
        else:
            left = np.maximum(self.merged[games, column] - 1, 0)
            all_there = left == 0
            self.merged[games, column] = left
        self._place(games[all_there], slot[all_there], self.net.targets[here][0])
        self._remove(games[~all_there], slot[~all_there])

    def _spread(self, games: Ints, slot: Ints, targets: Sequence[int]) -> None:
        """The token goes on to the first target, new ones to the others."""
        self._place(games, slot, targets[0])
        for target in targets[1:]:
            free = np.argmin(self.node[games] >= 0, axis=1)
            if (self.node[games, free] >= 0).any():
                grown = np.full_like(self.node, -1), np.full_like(self.time, np.inf)
                self.node = np.concatenate([self.node, grown[0]], axis=1)
                self.time = np.concatenate([self.time, grown[1]], axis=1)
                free = np.argmin(self.node[games] >= 0, axis=1)
            self._place(games, free, target)

    def _place(self, games: Ints, slot: Ints | int, target: Ints | int) -> None:
        target = np.broadcast_to(np.asarray(target), (len(games),))
        self.node[games, slot] = target
        times = np.full(len(games), -1.0)
        resting = np.flatnonzero(self.task[target])
        if len(resting):
            here, node = games[resting], target[resting]
            self.counts[here, node] += 1
            lasting = -np.log1p(-self._uniform(here)) * self.sojourn_s[node]
            times[resting] = self.now[here] + lasting
        self.time[games, slot] = times

    def _remove(self, games: Ints, slot: Ints) -> None:
        self.node[games, slot] = -1
        self.time[games, slot] = np.inf

    def _uniform(self, games: Ints) -> Floats:
        self.drawn[games] += np.uint64(1)
        drawn = _mixed(self.keys[games] + _STEP * self.drawn[games])
        return (drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def replace(self, games: Ints, other: _Game) -> None:
        """What another one found counts for some of the games."""
        drop = np.zeros(len(self.counts), bool)
        drop[games] = True
        kept = [[part[~drop[entry[0]]] for part in entry] for entry in self.log]
        moved = [(games[entry[0]], entry[1], entry[2]) for entry in other.log]
        self.log = [*((a, b, c) for a, b, c in kept), *moved]
        self.counts[games] = other.counts
        self.cut[games] = other.cut

    def split(self, standings: int, walks: int) -> list[Walks]:
        """By standing."""
        parts = [np.concatenate(part) for part in zip(*self.log, strict=True)] if self.log else []
        games, nodes, chosen = parts or [np.zeros(0, np.int64)] * 3
        order = np.argsort(games, kind="stable")
        nodes, chosen = nodes[order], chosen[order]
        bounds = np.searchsorted(games[order], np.arange(standings * walks + 1))
        found = []
        for i in range(standings):
            first, last = i * walks, (i + 1) * walks
            part = slice(int(bounds[first]), int(bounds[last]))
            found.append(
                Walks(
                    self.counts[first:last],
                    (nodes[part], chosen[part]),
                    bounds[first : last + 1] - bounds[first],
                    int(self.cut[first:last].sum()),
                )
            )
        return found

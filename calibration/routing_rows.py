"""What the decisions at a gateway say: rows of weights by context, from the shortest context up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import Floats
from calibration.window import ENOUGH
from metagraph.nodes import Gateway
from metagraph.routing import MAX_VISIT, BusinessRule, Level, RoutingRow

MATERIAL = 0.02
"""A row's weights must differ by this total variation from what shorter contexts say, or it is left out."""
CHANCE = 0.05
"""And by more than chance would have it in this share of rows (likelihood-ratio test)."""
PRIOR = 1.0
"""Pseudo-decisions given to shorter contexts where a loop was never left in few decisions."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Names:
    """What the parts of contexts are called."""

    activities: tuple[str, ...]
    cls: tuple[str, ...]
    segment: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """A gateway and what its rows are made of."""

    gateway: Gateway
    flows: tuple[str, ...]
    names: Names
    min_context: int
    subsets: tuple[tuple[str, ...], ...] = ()
    """Flows that are taken together, of a joint choice."""

    @property
    def ways(self) -> int:
        """How many outcomes there are."""
        return len(self.subsets or self.flows)


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """The decisions at one gateway, as columns."""

    weight: Floats
    """Of the decisions' cases, on average 1."""
    flow: Ints
    case: Ints
    cls: Ints
    segment: Ints
    visit: Ints
    history: Ints
    """Shape (decisions, history): 1 + activity index, the last completed one first; 0 where there is none."""
    rule: Ints
    """Number of the first business rule that the order meets; 0: none."""
    rules: tuple[BusinessRule, ...] = ()


@dataclass(slots=True, eq=False)
class Said:
    """What the rows so far say of every decision: a table of weights, and the row of each decision in it.

    A gateway with hundreds of flows and a hundred thousand decisions would need a matrix of gigabytes.
    """

    table: Floats
    """Shape (rows, flows)."""
    row: Ints

    def of(self, flow: Ints) -> Floats:
        """What is said of the flow that each decision took, or another of the same length."""
        return np.asarray(self.table[self.row, flow], np.float64)

    def mean(self, chosen: NDArray[np.bool_], members: Ints, weight: Floats, keys: int) -> Floats:
        """Weighted means over the chosen decisions of each key, shape (keys, flows); 0 for keys without."""
        from scipy.sparse import csr_array

        shares = csr_array((weight, (members, self.row[chosen])), shape=(keys, len(self.table)))
        total = np.asarray(shares.sum(axis=1), np.float64)
        return np.asarray((shares @ self.table) / np.where(total > 0, total, 1.0)[:, None], np.float64)

    def replace(self, row: Ints, weights: Floats) -> None:
        """Say `weights[row]` instead, where `row` isn't negative."""
        said = row >= 0
        self.row = np.where(said, row + len(self.table), self.row)
        self.table = np.concatenate((self.table, weights))


def learned(
    size: Size, choices: Choices, levels: tuple[Level, ...], learn: NDArray[np.bool_]
) -> tuple[list[RoutingRow], Said]:
    """Rows from the shortest context up: each is judged against what the rows so far say of its decisions.

    Learned from the decisions in `learn`; the second is what the rows say of every decision.
    """
    ways, names = size.ways, size.names
    said = Said(np.full((1, ways), 1 / ways), np.zeros(len(choices.flow), np.int64))
    rows: list[RoutingRow] = []
    for i in range(len(levels) - 1, -1, -1):
        columns = _columns(choices, levels[i], names)
        keys, members = _distinct(columns, len(choices.flow))
        seen = np.bincount(members[learn], minlength=len(keys))
        if columns:
            keys, seen, members = _common(keys, seen, members, size.min_context)
        used = learn & (members >= 0)
        mine, flow, weight = members[used], choices.flow[used], choices.weight[used]
        counts = _count(mine, flow, weight, len(keys), ways)
        n = counts.sum(axis=1)
        parent = said.mean(used, mine, weight, len(keys))
        weights = counts / np.where(n > 0, n, 1.0)[:, None]
        kept = np.ones(len(keys), np.bool_)
        if columns:
            ratio = np.log(weights[mine, flow]) - np.log(Said(said.table, said.row[used]).of(flow))
            gain = np.bincount(mine, 2 * weight * ratio, minlength=len(keys)).astype(np.float64)
            kept = _tells(counts, weights, parent, gain)
        if size.gateway.kind == "loop_end":
            stuck = (weights[:, -1] == 0) & ((seen < ENOUGH) | (not columns))
            smooth = (counts + PRIOR * parent) / (n + PRIOR)[:, None]
            weights[stuck] = smooth[stuck]
        for k in np.flatnonzero(kept):
            key = _key(keys[k].tolist(), levels[i], names)
            rows.append(RoutingRow(i, key, tuple(weights[k].tolist()), int(seen[k])))
        number = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)
        said.replace(number[members], weights[kept])
    return rows, said


def _common(keys: Ints, seen: Ints, members: Ints, fewest: int) -> tuple[Ints, Ints, Ints]:
    """The keys that were seen often enough, how often, and the key of every decision, -1 if it is another."""
    enough = seen >= fewest
    number = np.where(enough, np.cumsum(enough) - 1, -1)
    return keys[enough], seen[enough], number[members]


def _columns(choices: Choices, level: Level, names: Names) -> list[tuple[Ints, int]]:
    """The parts of the context at a level, in the order of a row's key, each with the number of its codes."""
    columns: list[tuple[Ints, int]] = []
    if level.cls:
        columns.append((choices.cls, len(names.cls)))
    if level.segment:
        columns.append((choices.segment, len(names.segment)))
    if level.visit:
        columns.append((choices.visit, MAX_VISIT + 1))
    if level.rule:
        columns.append((choices.rule, len(choices.rules) + 1))
    for back in range(level.history - 1, -1, -1):
        columns.append((choices.history[:, back], len(names.activities) + 1))
    return columns


def _distinct(columns: list[tuple[Ints, int]], n: int) -> tuple[Ints, Ints]:
    """The distinct keys, shape (keys, parts), and the key index of every decision."""
    if not columns:
        return np.zeros((1, 0), np.int64), np.zeros(n, np.int64)
    code, size = np.zeros(n, np.int64), 1
    for column, base in columns:
        if size * base >= 2**62:
            code = np.unique(code, return_inverse=True)[1].astype(np.int64)
            size = int(code.max()) + 1
        code, size = code * base + column, size * base
    _, first, members = np.unique(code, return_index=True, return_inverse=True)
    return np.stack([column[first] for column, _ in columns], axis=1), members.astype(np.int64)


def _count(members: Ints, flow: Ints, weight: Floats, keys: int, flows: int) -> Floats:
    cells = np.bincount(members * flows + flow, weight, minlength=keys * flows)
    return np.asarray(cells.reshape(keys, flows), np.float64)


def _tells(counts: Floats, weights: Floats, parent: Floats, gain: Floats) -> NDArray[np.bool_]:
    """Which rows say something new: G = 2 sum log(w / w_said) over a row's decisions against chi-square with
    one degree of freedom less than there are flows possible, and total variation against MATERIAL."""
    from scipy.special import chdtri

    freedom = np.maximum(((counts > 0) | (parent > 0)).sum(axis=1) - 1, 1)
    apart = np.abs(weights - parent).sum(axis=1) / 2
    chance = np.asarray(chdtri(freedom, CHANCE), np.float64)
    return np.asarray((apart >= MATERIAL) & (gain > chance), np.bool_)


def _key(codes: list[int], level: Level, names: Names) -> tuple[str, ...]:
    parts: list[str] = []
    left = iter(codes)
    if level.cls:
        parts.append(names.cls[next(left)])
    if level.segment:
        parts.append(names.segment[next(left)])
    if level.visit:
        parts.append(str(next(left)))
    if level.rule:
        parts.append(str(next(left) or ""))
    return (*parts, *("" if code == 0 else names.activities[code - 1] for code in left))

"""Tables of gateway weights by class, visit and recent history, from replayed decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.duration_rows import Groups
from calibration.features import Feature
from calibration.local_time import Floats
from calibration.rules import find_rules
from calibration.settings import Settings
from calibration.window import ENOUGH, Window
from discovery.replayed import Replayed
from metagraph.blocks import Skeleton
from metagraph.model import Default
from metagraph.nodes import Gateway
from metagraph.routing import MAX_VISIT, BusinessRule, Level, Routing, RoutingRow

MATERIAL = 0.02
"""A row's weights must differ by this total variation from what shorter contexts say, or it is left out."""
CHANCE = 0.05
"""And by more than chance would have it in this share of rows (likelihood-ratio test)."""
PRIOR = 1.0
"""Pseudo-decisions given to shorter contexts where a loop was never left in few decisions."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Choices:
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


def fit_routing(
    window: Window,
    replayed: Replayed,
    skeleton: Skeleton,
    groups: Groups,
    settings: Settings,
    features: tuple[Feature, ...] = (),
) -> tuple[tuple[Routing, ...], tuple[Default, ...]]:
    """A Routing for every gateway that chooses.

    Levels go from the longest context to none. A row is kept if it has enough decisions and says something
    that shorter contexts don't: its weights differ from theirs materially and beyond chance. Business rules
    are looked for in `features`, the attributes of orders, where the settings say so.
    """
    decisions = replayed.decisions
    used = np.flatnonzero(decisions.case >= window.first_case)
    outgoing = {g.id: tuple(f.id for f in skeleton.flows if f.source == g.id) for g in skeleton.gateways}
    by_gateway = {g: used[decisions.gateway[used] == i] for i, g in enumerate(replayed.gateways)}
    names = _Names(window.snapshot.activities, *(tuple(sorted(set(c))) for c in (groups.cls, groups.segment)))
    levels = _levels(settings, len(names.cls) > 1, len(names.segment) > 1)
    out: list[Routing] = []
    defaults: list[Default] = []
    for gateway in skeleton.gateways:
        if not gateway.routes:
            continue
        flows = outgoing[gateway.id]
        rows = by_gateway.get(gateway.id, np.empty(0, np.int64))
        if not len(rows):
            # The window may be silent about a gateway that the whole log passed.
            index = replayed.gateways.index(gateway.id) if gateway.id in replayed.gateways else -1
            rows = np.flatnonzero(decisions.gateway == index)
        if len(rows):
            choices = _choices(rows, window, replayed, groups, names, settings)
            sets = replayed.subsets.get(gateway.id, ())
            subsets = tuple(tuple(flows[i] for i in subset) for subset in sets)
            size = _Size(gateway, flows, names, settings.min_context, subsets)
            if settings.use_rules and features:
                choices = _ruled(size, choices, levels, features)
            out.append(_table(size, choices, levels))
        else:
            out.append(_uniform(gateway, flows))
            defaults.append(Default(f"gateway {gateway.id}", "it was never reached", "equal weights"))
    return tuple(out), tuple(defaults)


@dataclass(frozen=True, slots=True)
class _Names:
    activities: tuple[str, ...]
    cls: tuple[str, ...]
    segment: tuple[str, ...]


def _levels(settings: Settings, classes: bool, segments: bool) -> tuple[Level, ...]:
    """From the most specific to none: with class and segment, with one of them, without."""
    return tuple(
        Level(cls=c, segment=s, visit=v, history=h)
        for h in range(settings.history, -1, -1)
        for c in ((True, False) if classes else (False,))
        for s in ((True, False) if segments else (False,))
        for v in ((True, False) if settings.visits else (False,))
    )


def _with_rules(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    """Each level once with the business rule and once without."""
    return tuple(replace(level, rule=rule) for level in levels for rule in (True, False))


def _ruled(
    size: _Size, choices: _Choices, levels: tuple[Level, ...], features: tuple[Feature, ...]
) -> _Choices:
    """The decisions with the business rules that foretell them, if there are such."""
    both = _with_rules(levels)

    def foretell(rule: Ints, learn: NDArray[np.bool_]) -> Floats:
        given = replace(choices, rule=rule, rules=(BusinessRule(""),) * int(rule.max(initial=0)))
        return _learned(size, given, both if rule.any() else levels, learn)[1]

    found = find_rules(choices.flow, choices.case, features, foretell)
    return choices if found is None else replace(choices, rule=found.met, rules=found.rules)


def _choices(
    rows: Ints, window: Window, replayed: Replayed, groups: Groups, names: _Names, settings: Settings
) -> _Choices:
    decisions, snapshot = replayed.decisions, window.snapshot
    case, position = decisions.case[rows], decisions.position[rows]
    history = np.zeros((len(rows), settings.history), np.int64)
    for back in range(settings.history):
        at = position - 1 - back
        known = at >= 0
        history[known, back] = 1 + snapshot.activity[snapshot.offsets[case[known]] + at[known]]
    weight = window.weights[case]
    return _Choices(
        weight / weight.mean(),
        decisions.flow[rows].astype(np.int64),
        case.astype(np.int64),
        _coded(groups.cls, names.cls)[case],
        _coded(groups.segment, names.segment)[case],
        np.minimum(decisions.visit[rows], MAX_VISIT).astype(np.int64),
        history,
        np.zeros(len(rows), np.int64),
    )


def _coded(values: Sequence[str], names: tuple[str, ...]) -> Ints:
    index = {name: i for i, name in enumerate(names)}
    return np.array([index[v] for v in values], np.int64)


@dataclass(frozen=True, slots=True)
class _Size:
    """A gateway and what its rows are made of."""

    gateway: Gateway
    flows: tuple[str, ...]
    names: _Names
    min_context: int
    subsets: tuple[tuple[str, ...], ...] = ()
    """Flows that are taken together, of a joint choice."""

    @property
    def ways(self) -> int:
        """How many outcomes there are."""
        return len(self.subsets or self.flows)


def _table(size: _Size, choices: _Choices, levels: tuple[Level, ...]) -> Routing:
    """The gateway's rows and rules; the latter are left out where no row asks for them."""
    levels = _with_rules(levels) if choices.rules else levels
    rows, _ = _learned(size, choices, levels, np.ones(len(choices.flow), np.bool_))
    rules = choices.rules if any(levels[row.level].rule for row in rows) else ()
    return _compact(size, levels, rows, rules)


def _learned(
    size: _Size, choices: _Choices, levels: tuple[Level, ...], learn: NDArray[np.bool_]
) -> tuple[list[RoutingRow], Floats]:
    """Rows from the shortest context up: each is judged against what the rows so far say of its decisions.

    Learned from the decisions in `learn`; the second is what the rows say of every decision, shape
    (decisions, flows).
    """
    ways, names = size.ways, size.names
    said = np.full((len(choices.flow), ways), 1 / ways)
    rows: list[RoutingRow] = []
    for i in range(len(levels) - 1, -1, -1):
        columns = _columns(choices, levels[i], names)
        keys, members = _distinct(columns, len(choices.flow))
        mine, flow, weight = members[learn], choices.flow[learn], choices.weight[learn]
        counts = _count(mine, flow, weight, len(keys), ways)
        n, seen = counts.sum(axis=1), np.bincount(mine, minlength=len(keys))
        some = np.where(n > 0, n, 1.0)
        known = (np.bincount(mine, weight * said[learn, f], minlength=len(keys)) for f in range(ways))
        parent = np.stack([total / some for total in known], axis=1)
        weights = counts / some[:, None]
        kept = np.ones(1, np.bool_)
        if columns:
            kept = (seen >= size.min_context) & _tells(
                counts, weights, parent, said[learn], mine, flow, weight
            )
        if size.gateway.kind == "loop_end":
            stuck = (weights[:, -1] == 0) & ((seen < ENOUGH) | (not columns))
            smooth = (counts + PRIOR * parent) / (n + PRIOR)[:, None]
            weights[stuck] = smooth[stuck]
        for k in np.flatnonzero(kept):
            key = _key(keys[k].tolist(), levels[i], names)
            rows.append(RoutingRow(i, key, tuple(weights[k].tolist()), int(seen[k])))
        told = kept[members]
        said[told] = weights[members[told]]
    return rows, said


def _columns(choices: _Choices, level: Level, names: _Names) -> list[tuple[Ints, int]]:
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


def _tells(
    counts: Floats, weights: Floats, parent: Floats, said: Floats, members: Ints, flow: Ints, weight: Floats
) -> NDArray[np.bool_]:
    """Which rows say something new: G = 2 sum log(w / w_said) over a row's decisions against chi-square with
    one degree of freedom less than there are flows possible, and total variation against MATERIAL."""
    from scipy.special import chdtri

    ratio = np.log(weights[members, flow]) - np.log(said[np.arange(len(flow)), flow])
    gain = 2 * np.bincount(members, weight * ratio, minlength=len(counts))
    freedom = np.maximum(((counts > 0) | (parent > 0)).sum(axis=1) - 1, 1)
    apart = np.abs(weights - parent).sum(axis=1) / 2
    chance = np.asarray(chdtri(freedom, CHANCE), np.float64)
    return np.asarray((apart >= MATERIAL) & (gain > chance), np.bool_)


def _key(codes: list[int], level: Level, names: _Names) -> tuple[str, ...]:
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


def _compact(
    size: _Size, levels: tuple[Level, ...], rows: list[RoutingRow], rules: tuple[BusinessRule, ...]
) -> Routing:
    """Without the levels that have no rows."""
    used = sorted({row.level for row in rows})
    renumbered = [
        RoutingRow(used.index(row.level), row.key, row.weights, row.n)
        for row in sorted(rows, key=lambda row: (row.level, row.key))
    ]
    kept = tuple(levels[i] for i in used)
    return Routing(size.gateway.id, size.flows, kept, tuple(renumbered), rules, size.subsets)


def _uniform(gateway: Gateway, flows: tuple[str, ...]) -> Routing:
    return Routing(gateway.id, flows, (Level(),), (RoutingRow(0, (), (1 / len(flows),) * len(flows), 0),))

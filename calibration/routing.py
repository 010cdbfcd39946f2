"""Tables of gateway weights by class, visit and recent history, from replayed decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.duration_rows import Groups
from calibration.features import Feature
from calibration.local_time import Floats
from calibration.routing_rows import Choices, Ints, Names, Size, learned
from calibration.rules import find_rules
from calibration.settings import Settings
from calibration.window import Window
from discovery.replayed import Replayed
from metagraph.blocks import Skeleton
from metagraph.model import Default
from metagraph.nodes import Gateway
from metagraph.routing import MAX_VISIT, BusinessRule, Level, Routing, RoutingRow


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
    names = Names(window.snapshot.activities, *(tuple(sorted(set(c))) for c in (groups.cls, groups.segment)))
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
            size = Size(gateway, flows, names, settings.min_context, subsets)
            if settings.use_rules and features:
                choices = _ruled(size, choices, levels, features)
            out.append(_table(size, choices, levels))
        else:
            out.append(_uniform(gateway, flows))
            defaults.append(Default(f"gateway {gateway.id}", "it was never reached", "equal weights"))
    return tuple(out), tuple(defaults)


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


def _ruled(size: Size, choices: Choices, levels: tuple[Level, ...], features: tuple[Feature, ...]) -> Choices:
    """The decisions with the business rules that foretell them, if there are such."""
    both = _with_rules(levels)

    def foretell(rule: Ints, learn: NDArray[np.bool_]) -> Floats:
        given = replace(choices, rule=rule, rules=(BusinessRule(""),) * int(rule.max(initial=0)))
        return learned(size, given, both if rule.any() else levels, learn)[1].of(choices.flow)

    found = find_rules(choices.flow, size.ways, choices.case, features, foretell)
    return choices if found is None else replace(choices, rule=found.met, rules=found.rules)


def _choices(
    rows: Ints, window: Window, replayed: Replayed, groups: Groups, names: Names, settings: Settings
) -> Choices:
    decisions, snapshot = replayed.decisions, window.snapshot
    case, position = decisions.case[rows], decisions.position[rows]
    history = np.zeros((len(rows), settings.history), np.int64)
    for back in range(settings.history):
        at = position - 1 - back
        known = at >= 0
        history[known, back] = 1 + snapshot.activity[snapshot.offsets[case[known]] + at[known]]
    weight = window.weights[case]
    return Choices(
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


def _table(size: Size, choices: Choices, levels: tuple[Level, ...]) -> Routing:
    """The gateway's rows and rules; the latter are left out where no row asks for them."""
    levels = _with_rules(levels) if choices.rules else levels
    rows, _ = learned(size, choices, levels, np.ones(len(choices.flow), np.bool_))
    rules = choices.rules if any(levels[row.level].rule for row in rows) else ()
    return _compact(size, levels, rows, rules)


def _compact(
    size: Size, levels: tuple[Level, ...], rows: list[RoutingRow], rules: tuple[BusinessRule, ...]
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

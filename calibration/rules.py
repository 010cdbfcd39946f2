"""Business rules of gateways: which orders are sent another way because of what they are.

A small tree (Breiman, Friedman, Olshen and Stone, Classification and Regression Trees, 1984) splits the
decisions at a gateway by the orders' attributes; its leaves are the rules. Decision mining at gateways:
Rozinat and van der Aalst, BPM 2006.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from calibration.features import Condition, Feature
from calibration.local_time import Floats
from metagraph.routing import BusinessRule

FOLDS = 5
LEAVES = (2, 3, 4, 6, 8)
"""Sizes of trees that are compared."""
DEPTH = 3
LEAST_LEAF = 30
"""Decisions behind a rule."""
LEAST_DECISIONS = 100
MOST_DECISIONS = 20_000
"""Used to compare trees; more say no more."""
CERTAIN = 2.33
"""Standard errors by which rules must foretell held-out decisions better; chance does so in 1 % of cases."""
MATERIAL = 0.001
"""And by this many nats a decision."""
ALIKE = 0.05
"""Leaves that differ less than chance has it in this share of cases are one."""
SMOOTHED = 0.01
"""Share of evenly spread weight under which a flow that was never seen is still possible."""

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Leaf = tuple[Condition, ...]
Foretell = Callable[[Ints, Flags], Floats]
"""Given each decision's rule (0: none) and those to learn from: the weight of the flow that each decision
took, as the gateway's tables would give it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Rules of a gateway and what they are worth."""

    rules: tuple[BusinessRule, ...]
    met: Ints
    """Number of the rule of each decision, from 1 on; 0: none."""


def find_rules(
    flow: Ints, ways: int, case: Ints, features: tuple[Feature, ...], foretell: Foretell
) -> Found | None:
    """Rules by which the decisions `flow`, among so many ways, of the cases `case` fall, or None.

    Trees with 2 to 8 leaves are compared by cross-validation over cases (five folds): by the log-loss of
    held-out decisions under the gateway's tables with the tree's leaves as a part of the context. Those whose
    loss is below that of the tables without rules by CERTAIN standard errors of the paired difference per
    case can be taken; the smallest within one standard error of the best is (one-standard-error rule).
    """
    usable = len(flow) >= LEAST_DECISIONS and features and len(np.unique(flow)) > 1
    if not usable:
        return None
    step = -(-len(flow) // MOST_DECISIONS)
    part = case // FOLDS % step == 0
    losses = _held_out(flow, ways, case, features, foretell, part)
    gains = {leaves: losses[0] - loss for leaves, loss in losses.items() if leaves}
    passing = {leaves: gain for leaves, gain in gains.items() if _beyond_chance(gain)}
    if not passing:
        return None
    best = max(passing, key=lambda leaves: passing[leaves].mean())
    chosen = next(
        leaves
        for leaves in sorted(passing)
        if leaves == best
        or (passing[best] - passing[leaves]).mean() <= _error(passing[best] - passing[leaves])
    )
    grown = _leaves(flow, case, features, np.ones(len(flow), np.bool_), chosen)
    found = _apart(grown, flow, case, features)
    if not found:
        return None
    met = _met(found, case, features)
    gain = passing[chosen].sum() / len(flow[part])
    note = f"foretells held-out decisions better by {gain:.3f} nats each"
    counts = np.bincount(met, minlength=len(found) + 1)
    rules = tuple(
        BusinessRule(" and ".join(c.text(features) for c in leaf), int(counts[i]), note=note)
        for i, leaf in enumerate(found, 1)
    )
    return Found(rules, met)


def _apart(
    leaves: tuple[Leaf, ...], flow: Ints, case: Ints, features: tuple[Feature, ...]
) -> tuple[Leaf, ...]:
    """Without the leaf of most cases and those that go the same ways as it does (likelihood-ratio test, 5 %):
    they are what holds otherwise."""
    from scipy.stats import chi2_contingency

    met = _met(leaves, case, features)
    cases = [len(np.unique(case[met == i])) for i in range(1, len(leaves) + 1)]
    most = int(np.argmax(cases)) + 1
    counts = np.stack(
        [np.bincount(flow[met == i], minlength=int(flow.max()) + 1) for i in range(len(leaves) + 1)]
    )
    kept = []
    for i, leaf in enumerate(leaves, 1):
        pair = counts[[i, most]]
        pair = pair[:, pair.any(axis=0)]
        differ = i != most and pair.shape[1] > 1 and pair.any(axis=1).all()
        if differ and chi2_contingency(pair, correction=False, lambda_="log-likelihood").pvalue < ALIKE:
            kept.append(leaf)
    return tuple(kept)


def _beyond_chance(gain: Floats) -> bool:
    return bool(gain.mean() > max(CERTAIN * _error(gain), MATERIAL))


def _error(per_case: Floats) -> float:
    """Standard error of the mean over cases."""
    return float(per_case.std(ddof=1)) / sqrt(len(per_case))


def _held_out(
    flow: Ints, ways: int, case: Ints, features: tuple[Feature, ...], foretell: Foretell, part: Flags
) -> dict[int, Floats]:
    """Log-loss of each case's held-out decisions by the number of leaves; 0: without rules."""
    _, member = np.unique(case[part], return_inverse=True)
    fold = case % FOLDS
    lost = {leaves: np.zeros(len(flow)) for leaves in (0, *LEAVES)}
    for held in range(FOLDS):
        learn, judge = part & (fold != held), part & (fold == held)
        if not learn.any():
            continue
        seen: dict[tuple[Leaf, ...], Floats] = {}
        for leaves in (0, *LEAVES):
            grown = _leaves(flow, case, features, learn, leaves) if leaves else ()
            if grown not in seen:
                said = foretell(_met(grown, case, features), learn)
                seen[grown] = -np.log((1 - SMOOTHED) * said + SMOOTHED / ways)
            lost[leaves][judge] = seen[grown][judge]
    return {leaves: np.bincount(member, loss[part]).astype(np.float64) for leaves, loss in lost.items()}


def _met(leaves: tuple[Leaf, ...], case: Ints, features: tuple[Feature, ...]) -> Ints:
    """Number of the leaf of each decision, from 1 on; 0 where what it asks for is missing."""
    met = np.zeros(len(features[0].known), np.int64)
    for i, leaf in reversed(list(enumerate(leaves, 1))):
        inside = np.ones(len(met), np.bool_)
        for condition in leaf:
            inside &= condition.holds(features)
        met[inside] = i
    return met[case]


def _leaves(
    flow: Ints, case: Ints, features: tuple[Feature, ...], learn: Flags, most: int
) -> tuple[Leaf, ...]:
    """The leaves of a tree on these decisions, from left to right; none where nothing can be split."""
    from sklearn.tree import DecisionTreeClassifier

    if learn.sum() < 2 * LEAST_LEAF:
        return ()
    matrix = np.stack([feature.column for feature in features], axis=1)[case[learn]]
    grown = DecisionTreeClassifier(
        criterion="log_loss",
        max_depth=DEPTH,
        max_leaf_nodes=most,
        min_samples_leaf=LEAST_LEAF,
        random_state=0,
    ).fit(matrix, flow[learn])
    tree = grown.tree_
    found: list[Leaf] = []

    def walk(node: int, bounds: dict[int, tuple[float, float]]) -> None:
        if tree.children_left[node] < 0:
            found.append(tuple(Condition(f, low, high) for f, (low, high) in bounds.items()))
            return
        feature = int(tree.feature[node])
        low, high = bounds.get(feature, (-np.inf, np.inf))
        at = float(tree.threshold[node])
        if features[feature].value is None:
            at = _readable(matrix[:, feature], at)
        walk(tree.children_left[node], bounds | {feature: (low, min(at, high))})
        walk(tree.children_right[node], bounds | {feature: (max(at, low), high)})

    walk(0, {})
    return tuple(found) if len(found) > 1 else ()


def _readable(column: Floats, threshold: float) -> float:
    """The number with the fewest digits that splits the column as the threshold does."""
    below, above = column[column <= threshold], column[column > threshold]
    if not len(below) or not len(above):
        return threshold
    low, high = float(below.max()), float(above.min())
    for digits in range(1, 17):
        rounded = float(f"{threshold:.{digits}g}")
        if low <= rounded < high:
            return rounded
    return threshold

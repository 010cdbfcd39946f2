"""Days of Example 3 (Perez, Wassick and Grossmann, section 4.3): the process, and the orders of a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from math import erfc, sqrt
from typing import Literal

import numpy as np

from examples.by_hand import CLASSES, HOUR, MINUTE, TASKS, by_hand, example3
from metagraph.distributions import Distribution, Parametric, ZeroInflated
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable, Task
from metagraph.orders import Order

ORIGIN = datetime(2024, 1, 1, tzinfo=UTC)
ORDERS = 47
SEED = 2022

Below = Literal["clip", "redraw"]
"""What becomes of Gaussian durations below zero: they are taken for 0, or drawn again."""


@dataclass(frozen=True, slots=True)
class Network:
    """Mean durations in place of the paper's Figure 13, which is missing in our copy."""

    name: str
    minutes: Mapping[str, float]
    """Of class B, by node; where there are two agents, of the first."""
    second: Mapping[str, float]
    """How much longer the second agent takes."""
    spread: float
    """How much less class A takes, and more class C."""


BY_HAND = Network("by hand", {node: minutes for node, (_, minutes, _) in TASKS.items()}, {}, 0.2)
"""Means that give the paper's least lead time of two hours, and its load of the customer service."""
FITTED = Network(
    "fitted",
    {
        "create": 30.0,
        "credit": 33.0,
        "schedule": 23.0,
        "reserve": 40.0,
        "check_in": 23.0,
        "load": 47.0,
        "invoice": 25.0,
        "issue": 26.0,
    },
    {"reserve": 2.1, "load": 2.1},
    0.4,
)
"""Means under which the heuristics do about what the paper printed of them."""
NETWORKS = {network.name: network for network in (BY_HAND, FITTED)}

_FEW = 1e-3
"""A smaller share of durations below zero is left to the engine, which takes them for 0."""
_FAR = 12.0
"""Standard deviations at which the redrawn law ends."""


def gaussian(mean_s: float, cov: float, below: Below) -> Distribution:
    """Normal(mean, cov mean) without its negative part; its `mean()` is what is really drawn on average."""
    sd_s = cov * mean_s
    negative = erfc(1.0 / cov / sqrt(2.0)) / 2.0
    if negative < _FEW:
        return Parametric("norm", (mean_s, sd_s))
    positive = Parametric("truncnorm", (-1.0 / cov, _FAR, mean_s, sd_s))
    return positive if below == "redraw" else ZeroInflated(negative, positive)


@lru_cache
def process(cov: float, below: Below, network: str = BY_HAND.name) -> Metagraph:
    """The twin of `examples.by_hand` with the durations of a case."""
    twin, means = example3(), NETWORKS[network]

    def task(node: Task) -> Task:
        return replace(node, durations=DurationTable(tuple(_rows(node, means, cov, below))))

    return replace(twin, nodes=tuple(task(n) if isinstance(n, Task) else n for n in twin.nodes))


def _rows(node: Task, means: Network, cov: float, below: Below) -> Iterator[DurationRow]:
    """Durations by class, and of the second agent where that takes longer."""
    first_s, agents = means.minutes[node.id] * MINUTE, TASKS[node.id][2]
    for cls, share in ((None, 1.0), ("A", 1.0 - means.spread), ("C", 1.0 + means.spread)):
        yield DurationRow(by_hand(gaussian(first_s * share, cov, below)), cls=cls)
        if node.id in means.second:
            law = gaussian(first_s * share * means.second[node.id], cov, below)
            yield DurationRow(by_hand(law), cls=cls, agent=agents[1])


def orders(replication: int, hours: float = 24.0, seed: int = SEED) -> tuple[Order, ...]:
    """The orders of a day, by release: 47 in 24 hours, fewer in a shorter one.

    A Poisson stream of which it is known how many came, came at so many instants that are uniform.
    """
    random = np.random.default_rng([seed, replication])
    n = round(ORDERS * hours / 24.0)
    release_s = np.sort(random.uniform(0.0, hours * HOUR, n))
    due_s = release_s + random.uniform(2 * HOUR, 15 * HOUR, n)
    lost_s = due_s + random.uniform(0.0, 5 * HOUR, n)
    value = random.normal(1000.0, 100.0, n)
    classes = random.choice(list(CLASSES), n)
    return tuple(
        Order(
            f"{i + 1:02d}",
            float(release_s[i]),
            cls=str(classes[i]),
            value=float(value[i]),
            early_s=float(release_s[i]),
            due_s=float(due_s[i]),
            lost_s=float(lost_s[i]),
        )
        for i in range(n)
    )

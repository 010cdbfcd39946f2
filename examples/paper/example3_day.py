"""Days of Example 3 (Perez, Wassick and Grossmann, section 4.3): the process and the orders of a replication."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from math import erfc, sqrt
from typing import Literal

import numpy as np

from examples.by_hand import BETWEEN_ORDERS_MIN, CLASSES, HOUR, MINUTE, TASKS, by_hand, example3
from metagraph.distributions import Distribution, Parametric, ZeroInflated
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable, Task
from metagraph.orders import Order

ORIGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAY_S = 24 * HOUR
ORDERS = 47
SEED = 2022

Below = Literal["clip", "redraw"]
"""What becomes of Gaussian durations below zero: they are taken for 0, or drawn again."""
Entry = Literal["47 a day", "stream"]
"""How orders enter: exactly 47 in the 24 hours, or as many as a stream of one in 35 minutes brings."""

_FEW = 1e-6
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
def process(cov: float, below: Below) -> Metagraph:
    """The twin of `examples.by_hand` with the durations of a case."""
    twin = example3()

    def row(minutes: float, cls: str | None, share: float) -> DurationRow:
        law = gaussian(minutes * MINUTE * share, cov, below)
        return DurationRow(by_hand(law), cls=None if share == 1.0 else cls)

    def task(node: Task) -> Task:
        minutes = TASKS[node.id][1]
        return replace(node, durations=DurationTable(tuple(row(minutes, *one) for one in CLASSES.items())))

    return replace(twin, nodes=tuple(task(n) if isinstance(n, Task) else n for n in twin.nodes))


def orders(replication: int, entry: Entry = "47 a day", seed: int = SEED) -> tuple[Order, ...]:
    """The orders of a day, by release.

    A Poisson stream of which it is known that 47 came in 24 hours came at 47 instants that are uniform on
    them; without that knowledge, gaps are exponential with a mean of 35 minutes.
    """
    random = np.random.default_rng([seed, replication])
    if entry == "47 a day":
        release_s = np.sort(random.uniform(0.0, DAY_S, ORDERS))
    else:
        release_s = random.exponential(BETWEEN_ORDERS_MIN * MINUTE, 10 * ORDERS).cumsum()
        release_s = release_s[release_s < DAY_S]
    n = len(release_s)
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

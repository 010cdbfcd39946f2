"""Logs of processes that are known: what the simulation made of them, as a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from eventlogs.snapshot import Snapshot
from metagraph.model import Metagraph
from metagraph.orders import Order
from simulation.lowering import lower
from simulation.reference import run
from tests.calibration.builders import ORIGIN, Row, snapshot


def stream(
    per_h: float, hours: float, random: np.random.Generator, segments: Mapping[str, float] | None = None
) -> tuple[Order, ...]:
    """Orders at random instants; segments by their shares."""
    n = int(random.poisson(per_h * hours))
    releases = np.sort(random.uniform(0, hours * 3600, n)).round(3)
    names = list(segments or {"": 1.0})
    drawn = random.choice(names, n, p=list((segments or {"": 1.0}).values()))
    return tuple(
        Order(f"o{i:05}", float(t), segment=str(s))
        for i, (t, s) in enumerate(zip(releases, drawn, strict=True))
    )


def log_of(model: Metagraph, orders: Sequence[Order], seed: int) -> Snapshot:
    """The log of one run, with the orders' segments as a column."""
    done = run(lower(model, orders, origin=ORIGIN), seed)
    log, agents = done.executions, (*done.agents, None)
    rows: Iterable[Row] = (
        (done.order_ids[o], done.labels[t], agents[a], round(float(s), 3), round(float(e), 3))
        for o, t, a, s, e in zip(log.order, done.task, log.agent, log.start_s, log.end_s, strict=True)
    )
    segments = {order.id: order.segment for order in orders}
    return snapshot(rows, attributes={"segment": segments})

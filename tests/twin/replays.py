"""Known processes, and the logs they leave to the last bit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from eventlogs.snapshot import NO_RESOURCE, Snapshot, no_pauses, sealed
from metagraph.agents import Agent, Queue
from metagraph.blocks import Choice, Empty, Leaf, Loop, Parallel, Sequence
from metagraph.distributions import Constant, Parametric
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable, Task
from metagraph.orders import Order, OrderModel, ProfitShape
from metagraph.policies import Policy
from simulation.engines import run as simulate
from simulation.lowering import lower
from simulation.run import Run
from tests.simulation.builders import ORIGIN, fitted, process

HOUR, DAY = 3600.0, 86400.0


def lognormal(hours: float) -> Parametric:
    return Parametric("lognorm", (0.6, 0.0, hours * HOUR))


def workshop() -> Metagraph:
    """Orders are noted down at once, checked again until that is right, made and packed side by side, some
    polished; the slow and the quick make and polish."""
    block = Sequence(
        (
            Leaf("note", "Note"),
            Loop("begin", "right", Leaf("check", "Check"), (Leaf("mend", "Mend"),)),
            Parallel("split", "merge", (Leaf("make", "Make"), Leaf("pack", "Pack"))),
            Choice("fine", "done", (Empty(), Leaf("polish", "Polish"))),
        )
    )
    laws = {"note": Constant(0.0)} | {
        task: lognormal(hours)
        for task, hours in (("check", 0.8), ("mend", 1.0), ("make", 1.5), ("pack", 0.5), ("polish", 1.0))
    }
    model = process(
        block,
        laws,
        queues=[Queue("desk", ("Ann",)), Queue("shop", ("Quick", "Slow"))],
        serves={"check": ["desk"], "mend": ["shop"], "make": ["shop"], "pack": ["desk"], "polish": ["shop"]},
        agents=[Agent("Ann", "office"), Agent("Quick", "office"), Agent("Slow", "always")],
        weights={"right": (0.2, 0.8), "fine": (0.6, 0.4)},
    )
    rows = tuple(
        DurationRow(fitted(lognormal(hours)), agent=who)
        for who, hours in (("Quick", 1.0), ("Slow", 2.5), (None, 1.5))
    )
    nodes = tuple(
        replace(n, durations=DurationTable(rows)) if isinstance(n, Task) and n.id == "make" else n
        for n in model.nodes
    )
    shape = ProfitShape(1.0, 1.0, 0.7, 0.2, 0.0)
    columns = {"value": "value", "due": "due"}
    return replace(model, nodes=nodes, orders=OrderModel(profit=shape, columns=columns))


def orders(n: int, gap_h: float, seed: int, days: tuple[float, float] = (1.0, 6.0)) -> tuple[Order, ...]:
    """Some promised sooner than others (in days), some worth much, in no order of arrival."""
    rng = np.random.default_rng(seed)
    release = np.cumsum(rng.exponential(gap_h * HOUR, n))
    value, soon = rng.choice([100.0, 1000.0], n), rng.choice(days, n) * DAY
    return tuple(
        Order(f"o{i:05}", float(release[i]), value=float(value[i]), due_s=float(release[i] + soon[i]))
        for i in range(n)
    )


def played(model: Metagraph, given: tuple[Order, ...], policy: Policy, seed: int) -> Run:
    return simulate(lower(model, given, origin=ORIGIN, policy=policy), seed)


def log_of(run: Run, given: tuple[Order, ...]) -> Snapshot:
    """The log that a run left, all of it, in floats."""
    log = run.executions
    by_id = {order.id: order for order in given}
    rows = np.lexsort((log.start_s, log.end_s, log.order))
    first = np.array([order.release_s for order in given])
    rank = np.argsort(np.argsort(first, kind="stable"), kind="stable")
    rows = rows[np.argsort(rank[log.order[rows]], kind="stable")]
    counts = np.bincount(rank[log.order], minlength=len(given))
    names = [run.order_ids[i] for i in np.argsort(first, kind="stable")]
    return sealed(
        Snapshot(
            name="log",
            origin=ORIGIN,
            until_s=run.until_s,
            cases=tuple(names),
            activities=run.labels,
            resources=run.agents,
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            activity=run.task[rows].astype(np.int32),
            resource=np.where(log.agent[rows] < 0, NO_RESOURCE, log.agent[rows]).astype(np.int32),
            start_s=log.start_s[rows].copy(),
            end_s=log.end_s[rows].copy(),
            is_open=np.zeros(len(given), np.bool_),
            attributes={
                "value": tuple(str(by_id[name].value) for name in names),
                "due": tuple(_stamp(by_id[name].due_s) for name in names),
            },
            single_timestamp=False,
            content_hash="",
            pauses=no_pauses(),
        )
    )


def _stamp(seconds: float | None) -> str:
    assert seconds is not None
    return (ORIGIN + timedelta(seconds=seconds)).isoformat()

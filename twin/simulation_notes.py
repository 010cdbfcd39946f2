"""What is to be said of simulated runs beside their figures: what ended them, and what they couldn't show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from metagraph.faults import listed, shown
from metagraph.model import Metagraph
from metagraph.orders import Order

if TYPE_CHECKING:
    from simulation.program import Program
    from simulation.run import Run

LIMITS = {
    "open orders": ("orders piled up", "; --max-open lets more orders be open at once"),
    "executions": ("there were too many executions", ""),
}


@dataclass(frozen=True, slots=True)
class Noted:
    """What notes are made of, of one run."""

    stopped: str
    begin: datetime
    end: datetime
    """Its last instant."""
    waiting: int
    """Orders for which nothing was to happen any more."""
    blind: tuple[str, ...]
    """What the policy looks at and no order has."""


def noted(run: Run) -> Noted:
    """What notes are made of."""
    over = ~(np.isnan(run.completed_s) & np.isnan(run.lost_s))
    waiting = len(over) - int(np.count_nonzero(over)) if run.stopped == "end" else 0
    begin, end = (run.origin + timedelta(seconds=s) for s in (run.begin_s, run.until_s))
    return Noted(run.stopped, begin, end, waiting, tuple(blind(run.program)))


def notes(found: Sequence[Noted]) -> Iterator[str]:
    """Sentences on all runs."""
    for limit, (why, way_out) in LIMITS.items():
        cut = [one for one in found if one.stopped == limit]
        if cut:
            first = cut[0]
            hours = (first.end - first.begin).total_seconds() / 3600
            yield (
                f"{len(cut)} of {len(found)} runs were broken off because {why}, the first of them at "
                f"{first.end:%Y-%m-%dT%H:%M:%SZ}, {hours:,.1f} hours after the beginning: their figures are "
                f"of what happened until then{way_out}"
            )
    stuck = [one.waiting for one in found if one.waiting]
    if stuck:
        yield (
            f"in {len(stuck)} of {len(found)} runs orders are never completed, {stuck[0]} in the first of "
            "them: nobody who could do what is left of them comes any more"
        )
    yield from (what for what in found[0].blind if all(what in one.blind for one in found))


def notes_on_orders(
    metagraph: Metagraph, orders: Sequence[Order], read: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Sentences on listed orders: classes and segments that the twin says nothing about, and attributes;
    but for what stands in `read`, fields and attributes that an expression on orders looks at."""
    from simulation.lowering_names import names_of

    names = names_of(metagraph)
    for what, many, part, known in (
        ("class", "classes", "cls", names.classes),
        ("segment", "segments", "segment", names.segments),
    ):
        n = Counter(given for order in orders if (given := getattr(order, part)) and given not in known)
        if n and part not in read:
            told = [name for name in known if name]
            yield (
                f"the twin says nothing about the {what if len(n) == 1 else many} {_some(n)} of "
                f"{_orders(n.total())}, to it they are like orders without one; "
                + (f"it knows {_some(told)}" if told else f"it knows no {many}")
            )
    attributes = Counter(name for order in orders for name in order.attributes if name not in read)
    if attributes:
        one = len(attributes) == 1
        yield (
            f"{_some(attributes)} of {_orders(max(attributes.values()))} "
            + (
                "is no field of orders and kept as an attribute"
                if one
                else "are no fields of orders and kept as attributes"
            )
            + ": only expressions and policies in Python look at such"
        )


def _some(names: Iterable[str]) -> str:
    return listed([shown(name) for name in names], 10)


def _orders(n: int) -> str:
    return "one order" if n == 1 else f"{n} orders"


def blind(program: Program) -> Iterator[str]:
    """What the policy looks at and no order of a program has."""
    from simulation.program import Assign, Part, Rule

    table, policy = program.orders.table, program.network.policy[0]
    rules = set(program.network.queues["rule"].tolist())
    parts = int(policy["parts"]) if Rule.AVERAGE in rules else 0
    alike = "all orders are alike to it"
    if (Rule.HP in rules or parts & Part.HP) and not table["value"].any():
        yield f"the policy goes by profit, but no order has a value: {alike}"
    if (Rule.SDD in rules or parts & Part.SDD) and not np.isfinite(table["due_s"]).any():
        yield f"the policy goes by due dates, but no order has one: {alike}"
    if (Rule.HPCS in rules or parts & Part.HPCS) and not table["importance"].any():
        yield f"the policy goes by the importance of segments, but no order's has any: {alike}"
    designated = program.orders.designated
    if policy["assign"] == Assign.JDQ and (designated is None or not designated.any()):
        yield "no queue is designated for any order: under JDQ each joins the shortest queue"

"""What happened after an instant, as a simulation can be told it: orders, ways and work as they were.

docs/decisions/2026-11-22-backtest-policies.md says what is taken from where.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from discovery.replayed import MISFIT
from metagraph.blocks import Parallel, inclusive_blocks
from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.parse_blocks import parse_blocks
from metagraph.state import State
from twin.as_of import as_of
from twin.renames import in_twin_words
from twin.replay_reader import Execution, Reader
from twin.state import state_of

if TYPE_CHECKING:
    from datetime import datetime

    from discovery.replayed import Replayed
    from eventlogs.snapshot import Snapshot


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """One choice of the past at a gateway."""

    order: str
    gateway: str
    visit: int
    flows: tuple[str, ...]
    """Taken together; one, but after an or_split."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """All that followed an instant, as the log tells it now and a twin understands it."""

    metagraph: Metagraph
    origin: datetime
    state: State
    """As known at its instant."""
    orders: tuple[Order, ...]
    """That came later, by release."""
    executions: tuple[Execution, ...]
    """After the instant, or under way at it."""
    decisions: tuple[Decision, ...]
    whole: frozenset[str]
    """Orders of which everything is known: what isn't listed of them took no time."""
    ended_s: dict[str, float]
    """By order: its last end, of those that are over; seconds since the origin."""
    known_s: float
    """When all of this was known: the last instant of any of these orders; infinite: one is still open."""
    held: float
    """Share of the waiting before work in which somebody could have begun: no policy changes it."""
    placed: int
    """Executions of these orders that have a place in the twin's structure, of `executed`."""
    executed: int


def history(metagraph: Metagraph, log: Snapshot, at_s: float, stop_s: float) -> History:
    """The orders open at `at_s`, as known then, and those that came up to `stop_s`, with what became of them.

    `log` is the whole log as it is known now. Raises DataError for an instant before the log.
    """
    from discovery.inclusive import as_optional
    from discovery.replay_log import replay_log
    from eventlogs.bounds import case_bounds
    from eventlogs.split import subset

    state, _ = state_of(metagraph, as_of(log, at_s))
    words = in_twin_words(metagraph, log)
    first, _ = case_bounds(words)
    came = [words.cases[i] for i in np.flatnonzero((first > at_s) & (first <= stop_s))]
    opened = [one.order.id for one in state.orders]
    names = frozenset([*opened, *came])
    part = subset(words, np.array([case in names for case in words.cases], np.bool_))
    block = parse_blocks(metagraph)
    replayed = replay_log(part, as_optional(block))
    reader = Reader(metagraph, words, part, replayed, state)
    orders = tuple(reader.new_orders(frozenset(came)))
    reader.begin(orders)
    open_now = {case for case, is_open in zip(part.cases, part.is_open.tolist(), strict=True) if is_open}
    _, last_s = case_bounds(part)
    ended = {
        case: float(end)
        for case, end in zip(part.cases, last_s.tolist(), strict=True)
        if case not in open_now
    }
    executions = tuple(reader.executions(at_s))
    waited_s = sum(one.waited_s for one in executions)
    return History(
        metagraph=metagraph,
        origin=log.origin,
        state=state,
        orders=orders,
        executions=executions,
        decisions=tuple(_decisions(metagraph, part, replayed, list(inclusive_blocks(block)))),
        whole=frozenset(ended),
        ended_s=ended,
        known_s=float("inf") if open_now else max(ended.values(), default=at_s),
        held=sum(one.held_s for one in executions) / waited_s if waited_s else 0.0,
        placed=int((replayed.task != MISFIT).sum()),
        executed=part.n_events,
    )


def _decisions(
    metagraph: Metagraph, part: Snapshot, replayed: Replayed, inclusive: list[Parallel]
) -> Iterator[Decision]:
    """Every choice with the flows that were taken."""
    outgoing = metagraph.outgoing()
    skips = {
        f"{block.split} branch {i}": (block.split, i)
        for block in inclusive
        for i in range(len(block.branches))
    }
    taken: dict[tuple[str, str, int], set[str]] = {}
    found = replayed.decisions
    for case, gateway, flow, visit in zip(
        found.case.tolist(), found.gateway.tolist(), found.flow.tolist(), found.visit.tolist(), strict=True
    ):
        order, name = part.cases[case], replayed.gateways[gateway]
        if name in skips:
            split, branch = skips[name]
            flows = taken.setdefault((order, split, visit), set())
            if flow == 0:
                flows.add(outgoing[split][branch].id)
            continue
        yield Decision(order, name, visit, (outgoing[name][flow].id,))
    for (order, split, visit), chosen in taken.items():
        yield Decision(order, split, visit, tuple(f.id for f in outgoing[split] if f.id in chosen))

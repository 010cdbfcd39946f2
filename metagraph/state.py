"""Open orders at an instant: where each one stands, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from metagraph.blocks import Parallel, nodes_in
from metagraph.orders import Order


@dataclass(frozen=True, slots=True)
class Position:
    """One token of an order."""

    node: str
    """A task (waiting or being worked on) or a gateway still to be passed."""
    enabled_s: float
    started_s: float | None = None
    """Set where the task is being worked on."""
    agent: str | None = None
    after: str = ""
    """The activity whose completion put the token here; '' at the start."""
    ready_s: float | None = None
    """Since when it has been waiting in a queue, where that is known; None: it may still be delayed."""
    queue: str | None = None
    """Where it waits or is worked on; None: to be found."""
    begun_s: float | None = None
    """First instant of work on it, where it was interrupted since."""
    worked_s: float | None = None
    """Working seconds done; None: what its agent's clock says since `started_s`."""
    preemptions: int = 0
    """How often work on it was interrupted by something more urgent."""
    eta_s: float | None = None
    """Announced from outside: when a task without agents ends, or when work on others can begin."""
    collected_s: float | None = None
    """Since when it has been waiting for its batch to be released, where that is known."""


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order on its way."""

    order: Order
    positions: tuple[Position, ...]
    history: tuple[str, ...]
    """Completed activities, oldest first."""
    visits: Mapping[str, int] = field(default_factory=dict)
    """Per routing gateway and task: how often this order reached it so far."""
    merged: Mapping[str, int] = field(default_factory=dict)
    """Per and_merge: tokens that already wait there."""


@dataclass(frozen=True, slots=True)
class State:
    """All open orders at `at_s` (seconds since the simulation's origin)."""

    at_s: float
    orders: tuple[OpenOrder, ...]


def awaited(inclusive: Sequence[Parallel], order: OpenOrder) -> dict[str, int]:
    """Per or_merge: branches before it in which the order stands."""
    places = {position.node for position in order.positions}
    found = {
        block.merge: sum(not places.isdisjoint(nodes_in(branch)) for branch in block.branches)
        + (block.merge in places)
        for block in inclusive
    }
    return {merge: n for merge, n in found.items() if n}

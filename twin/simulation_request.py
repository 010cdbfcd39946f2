"""What to simulate, as the options say it: orders, horizon and policy of every run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from metagraph.errors import DataError, UsageError
from metagraph.orders import Order
from metagraph.policies import Policy
from twin.given import Given
from twin.mine import PARQUET
from twin.policies import OWN_RULES
from twin.simulate import Period
from twin.source import instant

if TYPE_CHECKING:
    from simulation.program import Program

LONGEST_S = 100 * 366 * 86400.0


@dataclass(frozen=True, slots=True)
class SimulationRequest:
    """What to simulate, how often, and where to write what is found."""

    given: Given
    cases: int | None = None
    """New orders to draw from the twin's arrivals."""
    start: datetime | None = None
    """When the first of them arrives; None: the instant of the state, or when the given orders begin."""
    until: str = ""
    """An instant, or hours from the beginning (hour 0 of an instance); '': to the end of all orders."""
    policy: Policy | Any = OWN_RULES
    """Or an object written in Python."""
    named: str = "own"
    """The policy in words."""
    engine: Literal["auto", "reference", "kernel"] = "auto"
    replications: int = 1
    precision: str = ""
    """FIGURE=5%: as many runs as it takes, in place of `replications`."""
    antithetic: bool = False
    backend: str = "auto"
    workers: int | None = None
    seed: int = 0
    max_open: int | None = None
    """A run is broken off when more orders are open; None: `Limits` of the engines says when."""
    out: Path | None = None
    """The first log as CSV, or all logs as Parquet."""
    chart: Path | None = None
    """A picture of the orders in process and the queues."""

    @property
    def parquet(self) -> Path | None:
        return self.out if self.out and self.out.name.endswith(PARQUET) else None

    @property
    def csv(self) -> Path | None:
        return None if self.parquet else self.out


def begin_of(wanted: SimulationRequest) -> datetime:
    """When the simulation begins."""
    given = wanted.given
    if _draws(wanted) and given.zero_s is not None and given.metagraph.arrivals is None:
        raise DataError(
            f"the instance {given.metagraph.name!r} has no 'arrivals' from which new orders could be drawn: "
            "leave --cases and --start out to simulate the orders that it lists, give others by --orders, or "
            "write 'arrivals' into its file"
        )
    if given.state is not None and given.origin is not None:
        if wanted.start is not None:
            raise UsageError("--start: the state has an instant of its own, at which the simulation begins")
        return given.origin + timedelta(seconds=given.state.at_s)
    if _draws(wanted):
        if wanted.start is None:
            raise UsageError("say with --start when the first order arrives")
        return wanted.start
    if wanted.start is not None:
        raise UsageError(
            "--start says when orders begin to be drawn: give --cases or --until with it, no --orders"
        )
    if not given.orders or given.origin is None:
        raise UsageError(
            "say which orders: --cases N with --start for new ones, --orders FILE for a list, or --state FILE"
        )
    return given.origin + timedelta(seconds=min(order.release_s for order in given.orders))


def _draws(wanted: SimulationRequest) -> bool:
    """Whether orders are drawn from the twin's arrivals."""
    return wanted.cases is not None or (wanted.start is not None and bool(wanted.until))


def listed_orders(wanted: SimulationRequest) -> Sequence[Order]:
    """The orders that are simulated and not drawn: open ones of the state and those of a list."""
    state = wanted.given.state
    opened = () if state is None else tuple(one.order for one in state.orders)
    return opened if _draws(wanted) else (*opened, *wanted.given.orders)


def read_names(wanted: SimulationRequest) -> frozenset[str]:
    """Fields and attributes of orders that an expression looks at: the policy's rule, what queues are for."""
    from metagraph.expressions import parse

    policy = wanted.policy if isinstance(wanted.policy, Policy) else Policy()
    texts = [policy.rule] if policy.rule else []
    if policy.assignment == "JDQ":
        texts += [queue.only for queue in wanted.given.metagraph.queues if queue.only.strip()]
    return frozenset().union(*(parse(text, "").names for text in texts))


def _until_s(wanted: SimulationRequest, begin: datetime, origin: datetime) -> float | None:
    """The horizon, seconds since the origin; None: there is none."""
    if not wanted.until:
        return None
    begin_s, zero_s = (begin - origin).total_seconds(), wanted.given.zero_s
    try:
        seconds = float(wanted.until) * 3600 + (begin_s if zero_s is None else zero_s)
    except ValueError:
        seconds = (instant(wanted.until, "--until") - origin).total_seconds()
    if not begin_s < seconds <= begin_s + LONGEST_S:
        raise UsageError(
            f"--until {wanted.until}: expected an instant after the beginning, {begin:%Y-%m-%dT%H:%M:%SZ}, "
            "or hours, and at most 100 years"
        )
    return seconds


def source_of(
    wanted: SimulationRequest, begin: datetime
) -> tuple[Program | Callable[[int], Program], float | None]:
    """The program, or what makes that of a replication; and the horizon, seconds since its origin."""
    from simulation.arrivals import monday
    from simulation.lowering import lower

    given = wanted.given
    origin = given.origin if given.origin is not None else monday(begin)
    if begin < origin:
        raise UsageError(
            f"the simulation would begin at {begin:%Y-%m-%dT%H:%M:%SZ}, before the week from which "
            f"the files' times count, that of {origin:%Y-%m-%d}: start or release later, or give the files "
            "an earlier origin"
        )
    until_s = _until_s(wanted, begin, origin)
    if not _draws(wanted):
        program = lower(given.metagraph, given.orders, origin=origin, state=given.state, policy=wanted.policy)
        return program, until_s
    period = Period(
        given.metagraph,
        begin,
        wanted.cases,
        wanted.seed,
        wanted.policy,
        given.state,
        origin,
        until_s,
        wanted.antithetic,
    )
    return period, until_s

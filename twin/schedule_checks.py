"""What `tracetwin schedule check` does: an instance and a schedule in; faults, or what it yields, out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from metagraph.errors import DataError
from metagraph.faults import MOST_LISTED
from twin.planned import Standing
from twin.planning import of_instance


@dataclass(frozen=True, slots=True)
class CheckedOrder:
    """One order under a schedule."""

    order: str
    standing: Standing
    completed: datetime | None
    profit: float | None
    """None: it has no value."""


@dataclass(frozen=True, slots=True)
class CheckedSchedule:
    """A schedule recomputed."""

    instance: str
    schedule: str
    assignments: int
    at: datetime
    """Now."""
    hours: bool
    """Whether times read better as hours since `at`."""
    faults: tuple[str, ...]
    """Why it can't be followed, a sentence each."""
    profit: float | None
    """Less what bought hours cost; None: no order has a value."""
    spent: float
    """For bought hours."""
    on_time: float | None
    """Share of the orders with a due date."""
    orders: tuple[CheckedOrder, ...]


def check_command(instance: Path, schedule: Path) -> CheckedSchedule:
    """Recompute a schedule for an instance. Raises DataError if one of them can't be read."""
    from metagraph.schedule_file import read_schedule
    from optimization.schedule_checks import check_schedule

    given = of_instance(instance)
    found, _ = read_schedule(schedule, given.metagraph, given.origin)
    now_s = given.start_s if given.state is None else given.state.at_s
    checked = check_schedule(
        given.metagraph,
        given.state,
        given.orders,
        given.origin,
        found,
        start_s=given.start_s,
        overtime=given.told.overtime,
        told=_in_words(given.origin, now_s, given.hours),
    )

    def at(seconds: float) -> datetime:
        return given.origin + timedelta(seconds=seconds)

    return CheckedSchedule(
        instance=str(instance),
        schedule=str(schedule),
        assignments=len(found.assignments),
        at=at(now_s),
        hours=given.hours,
        faults=checked.faults,
        profit=checked.profit,
        spent=checked.spent,
        on_time=checked.on_time,
        orders=tuple(
            CheckedOrder(
                one.order,
                one.standing,
                None if one.completed_s is None else at(one.completed_s),
                one.profit,
            )
            for one in checked.orders
        ),
    )


def _in_words(origin: datetime, now_s: float, hours: bool) -> Callable[[float], str]:
    if hours:
        return lambda t: f"{(t - now_s) / 3600:.4g} h"
    return lambda t: f"{origin + timedelta(seconds=round(t)):%Y-%m-%d %H:%M:%S} UTC".replace(
        ":00 UTC", " UTC"
    )


def refused(found: CheckedSchedule) -> DataError:
    """The error that lists every fault."""
    faults = found.faults
    if len(faults) == 1:
        return DataError(f"{found.schedule} can't be followed: {faults[0]}")
    lines = "\n".join(f"  {fault}" for fault in faults[:MOST_LISTED])
    if len(faults) > MOST_LISTED:
        lines += f"\n  and {len(faults) - MOST_LISTED} more"
    return DataError(f"{found.schedule} can't be followed; it has {len(faults)} faults:\n{lines}")

"""What a simulation begins with: a twin, or an instance file that also holds orders and a state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.schedule import Schedule
from metagraph.state import State
from twin.source import DEFAULT_DB, names_file, read_twin

_UNBOUGHT = "hours that can be bought (overtime) are left out: in a simulation agents work by their calendars"


@dataclass(frozen=True, slots=True)
class Given:
    """A process and, where files name them, its orders and its state."""

    metagraph: Metagraph
    origin: datetime | None = None
    """A Monday 00:00 UTC: time 0 of orders, state and schedule; None where there are none."""
    orders: tuple[Order, ...] = ()
    """Those that aren't in the state."""
    state: State | None = None
    schedule: Schedule | None = None
    zero_s: float | None = None
    """Hour 0 of an instance, seconds since the origin."""
    notes: tuple[str, ...] = ()
    """What of a file no simulation follows."""


def read_given(
    reference: str,
    db: str = DEFAULT_DB,
    *,
    orders: Path | None = None,
    state: Path | None = None,
    schedule: Path | None = None,
) -> Given:
    """A twin (a file, or name[@version] in the database) or an instance file, with the files beside it.

    Orders and a state of their own files take the place of the instance's. Raises DataError with all faults
    of the first file that can't be used.
    """
    given = _process(reference, db)
    if state is not None:
        from metagraph.state_file import read_state

        found, origin = read_state(state, given.metagraph, given.origin)
        given = replace(given, state=found, origin=origin)
    if orders is not None:
        from metagraph.orders_file import read_orders

        listed, origin = read_orders(orders, given.origin)
        given = replace(given, orders=listed, origin=origin)
    if schedule is not None:
        from metagraph.schedule_file import read_schedule

        planned, origin = read_schedule(schedule, given.metagraph, given.origin)
        given = replace(given, schedule=planned, origin=given.origin or origin)
    return given


def _process(reference: str, db: str) -> Given:
    if not names_file(reference):
        return Given(read_twin(reference, db))
    from metagraph.instances import Instance, read_any

    found = read_any(Path(reference))
    if isinstance(found, Instance):
        notes = (_UNBOUGHT,) if found.overtime else ()
        return Given(found.metagraph, found.origin, found.orders, found.state, None, found.start_s, notes)
    return Given(found)

"""Instances: a process, its orders and a state in one JSON file; docs/formats.md describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from metagraph.check_state import state_faults
from metagraph.errors import DataError
from metagraph.faults import Fault, refusal
from metagraph.instance_orders import NAMES_OF_DATES, read_book
from metagraph.instance_tasks import read_network
from metagraph.json_io import check_version, from_json
from metagraph.json_text import parsed, plain, read_text, write_text, written
from metagraph.model import Metagraph
from metagraph.order_extras import material_faults
from metagraph.orders import Order
from metagraph.orders_file import INSTANTS, doubled_ids, order_of, order_row, told_origin
from metagraph.overtime import Overtime, overtime_faults, overtime_of, overtime_row
from metagraph.records import Record
from metagraph.state import State
from metagraph.state_file import MOMENTS, state_of, state_row
from metagraph.timelines import TimeLine, time_line
from metagraph.validate import validate

_WHAT = "an instance or a twin, as JSON"
_HOLDING = ("state", "orders", "positions", "in_progress", "waiting", "absences", "exceptions", "overtime")
"""Fields whose objects hold instants."""
_TIMES = ("at", *INSTANTS, *MOMENTS, "start", "end", "hired")


@dataclass(frozen=True, slots=True)
class Instance:
    """A problem that needs nothing else."""

    metagraph: Metagraph
    orders: tuple[Order, ...]
    """Those that aren't in the state, by release."""
    state: State | None
    origin: datetime
    """Where seconds count from, a Monday 00:00 UTC."""
    start_s: float
    """Hour 0 of the file."""
    horizon_s: float | None = None
    """How far a scheduler looks, from hour 0 or the state on."""
    dt_s: float | None = None
    """A scheduler's grid."""
    overtime: tuple[Overtime, ...] = ()
    """Hours that a scheduler can buy."""


def read_any(path: str | Path) -> Metagraph | Instance:
    """What a file holds: an instance has `tasks` or a `metagraph`, a twin has `nodes`. Raises DataError with
    every fault."""
    text = read_text(path, _WHAT)
    raw = parsed(text, str(path), what="an instance or a twin", before_faults=check_version)
    if isinstance(raw, dict) and ("tasks" in raw or "metagraph" in raw):
        return instance_of(raw, str(path))
    return from_json(text, str(path))


def read_instance(path: str | Path) -> Instance:
    """The instance in a file. Raises DataError with every fault."""
    found = read_any(path)
    if isinstance(found, Metagraph):
        raise DataError(
            f"{path} is a twin; expected an instance, with `tasks` or a `metagraph`, and `orders`"
        )
    return found


def write_instance(instance: Instance, path: str | Path) -> None:
    """Write an instance with its whole metagraph and UTC instants, rounded to microseconds."""
    line = TimeLine("", instance.origin, instance.origin)
    row: dict[str, Any] = {"origin": line.shown(instance.start_s)}
    for name in ("horizon", "dt"):
        seconds: float | None = getattr(instance, f"{name}_s")
        if seconds is not None:
            row[f"{name}_h"] = seconds / 3600.0
    row["metagraph"] = plain(instance.metagraph, brief=True)
    if instance.state is not None:
        row["state"] = state_row(instance.state, line)
    if instance.overtime:
        row["overtime"] = [overtime_row(hours, line) for hours in instance.overtime]
    row["orders"] = [order_row(order, line) for order in instance.orders]
    write_text(path, written(row))


def instance_of(raw: Mapping[str, Any], source: str) -> Instance:
    """The instance in plain values. Raises DataError with every fault, naming `source`."""
    faults: list[Fault] = []
    whole = Record(raw, "", faults)
    told = told_origin(raw, faults)
    line = time_line(_objects(raw), _TIMES, told=told, origin=None, faults=faults)
    for name in ("origin", "table1", "note"):
        whole.take(name)
    spans = {name: whole.number(f"{name}_h", None) for name in ("horizon", "dt")}
    for name, hours in spans.items():
        if hours is not None and hours <= 0:
            whole.fault(f"{name}_h", f"{hours:g}; expected more than 0")
    overtime = tuple(overtime_of(inner, line) for inner in whole.items("overtime"))
    read = _read_whole if "metagraph" in raw else _read_tasks
    metagraph, orders, state = read(whole, line, source)
    whole.close()
    if not faults:
        faults += validate(metagraph)
    if not faults:
        faults += overtime_faults(overtime, metagraph, line.origin)
        tasks = [task.id for task in metagraph.tasks()]
        faults += [fault for order in orders for fault in material_faults(order, tasks)]
    if not faults and state is not None:
        faults += state_faults(state, metagraph)
    faults += doubled_ids([*orders, *(o.order for o in state.orders)] if state is not None else orders)
    if faults:
        raise refusal(source, list(dict.fromkeys(faults)))
    seconds = {name: None if hours is None else 3600.0 * hours for name, hours in spans.items()}
    ordered = tuple(sorted(orders, key=lambda order: order.release_s))
    start_s = (line.zero - line.origin).total_seconds()
    return Instance(
        metagraph, ordered, state, line.origin, start_s, seconds["horizon"], seconds["dt"], overtime
    )


_Read = tuple[Metagraph, tuple[Order, ...], State | None]


def _read_whole(whole: Record, line: TimeLine, source: str) -> _Read:
    """A twin in full, orders and a state as in files of their own."""
    metagraph = from_json(json.dumps(whole.take("metagraph")), f"{source}, metagraph")
    state = None
    for inner in whole.inner("state"):
        state = state_of(inner, line, metagraph)
        inner.close()
    rows = whole.items("orders", needed=state is None)
    return metagraph, tuple(order_of(row, line) for row in rows), state


def _read_tasks(whole: Record, line: TimeLine, source: str) -> _Read:
    """Tasks with their predecessors, orders with their dates and profits."""
    network = read_network(whole, line)
    book = read_book(whole, line, network)
    return network.metagraph(book.profit, Path(source).stem), book.orders, book.state


def _objects(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All objects of an instance that hold instants, with the paper's names of dates as ours."""
    found: list[Mapping[str, Any]] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            names: dict[str, Any] = {str(name): item for name, item in value.items()}
            found.append({NAMES_OF_DATES.get(name, name): item for name, item in names.items()})
            for inside in _HOLDING:
                look(value.get(inside))
        elif isinstance(value, list):
            for item in value:
                look(item)

    look(dict(raw))
    rule = raw.get("profit_rule")
    if isinstance(rule, dict):
        numbers: dict[str, Any] = {key: item for key, item in rule.items() if not isinstance(item, str)}
        found.append({ours: numbers[name] for name, ours in NAMES_OF_DATES.items() if name in numbers})
    for part in ("agents", "calendars"):
        named = raw.get(part)
        look([*named.values()] if isinstance(named, dict) else None)
    return found

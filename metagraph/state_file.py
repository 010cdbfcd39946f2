"""A state of open orders as JSON, for hand-written use; docs/formats.md describes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from metagraph.check_state import state_faults
from metagraph.errors import DataError
from metagraph.faults import Fault, refusal, shown
from metagraph.json_text import parsed, plain, read_text, write_text, written
from metagraph.model import Metagraph
from metagraph.orders_file import INSTANTS, doubled_ids, order_of, order_row, told_origin
from metagraph.records import Record
from metagraph.state import OpenOrder, Position, State
from metagraph.timelines import TimeLine, time_line

MOMENTS = ("enabled", "started", "ready", "collected", "begun", "eta")
_WHAT = "a state, as JSON"


def read_state(
    path: str | Path, metagraph: Metagraph, origin: datetime | None = None
) -> tuple[State, datetime]:
    """The state in a file, and the origin that its seconds count from.

    `origin`, a Monday 00:00 UTC, is found if it isn't given: the one at or before the state's instant. Raises
    DataError with every fault, those against the process included.
    """
    source = str(path)
    raw = parsed(read_text(path, _WHAT), source, what="a state")
    if not isinstance(raw, dict):
        raise DataError(f"{source} holds {shown(raw)}; expected an object with `at` and `orders`")
    faults: list[Fault] = []
    told = told_origin(raw, faults)
    line = time_line(_times(raw), ("at", *INSTANTS, *MOMENTS), told=told, origin=origin, faults=faults)
    whole = Record(raw, "", faults)
    whole.take("origin")
    state = state_of(whole, line, metagraph)
    whole.close()
    if not faults:
        faults = [*state_faults(state, metagraph)]
    if faults:
        raise refusal(source, faults)
    return state, line.origin


def write_state(state: State, path: str | Path, origin: datetime, *, hours: bool = False) -> None:
    """Write a state, with UTC instants (rounded to microseconds) or with hours since `origin`."""
    line = TimeLine("_h" if hours else "", origin, origin)
    told = {"origin": TimeLine("", origin, origin).shown(0.0)} if hours else {}
    write_text(path, written({**told, **state_row(state, line)}))


def state_of(record: Record, line: TimeLine, metagraph: Metagraph) -> State:
    """The state in a record that has `at` and `orders`; faults go to the record."""
    at_s = record.needed_time("at", line)
    orders = tuple(_open_order(row, line, metagraph) for row in record.items("orders", needed=True))
    record.faults += doubled_ids(o.order for o in orders)
    return State(at_s, orders)


def state_row(state: State, line: TimeLine) -> dict[str, Any]:
    """A state as plain values; `state_of` gives it back."""
    return {
        f"at{line.suffix}": line.shown(state.at_s),
        "orders": [_open_row(order, line) for order in state.orders],
    }


def _times(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All objects of a state's file that hold instants."""
    orders = raw.get("orders")
    found = [order for order in orders if isinstance(order, dict)] if isinstance(orders, list) else []
    places = [p for order in found for p in order.get("positions") or () if isinstance(p, dict)]
    return [raw, *found, *places]


def _open_order(record: Record, line: TimeLine, metagraph: Metagraph) -> OpenOrder:
    positions = tuple(_position(row, line) for row in record.items("positions", needed=True))
    history = record.names("history")
    told = record.has("visits")
    visits = record.counts("visits")
    merged = record.counts("merged")
    if not told:
        visits = _plain_visits(metagraph, positions, history)
    return OpenOrder(order_of(record, line), positions, history, visits, merged)


def _position(record: Record, line: TimeLine) -> Position:
    worked_h = record.number("worked_h", None, 0.0)
    found = Position(
        node=record.text("node"),
        enabled_s=record.needed_time("enabled", line),
        started_s=record.time("started", line),
        agent=record.text("agent", "") or None,
        after=record.text("after", ""),
        ready_s=record.time("ready", line),
        collected_s=record.time("collected", line),
        queue=record.text("queue", "") or None,
        begun_s=record.time("begun", line),
        worked_s=record.number("worked_s", None if worked_h is None else 3600.0 * worked_h, 0.0),
        preemptions=record.whole("preemptions", 0, 0),
        eta_s=record.time("eta", line),
    )
    record.close()
    return found


def _plain_visits(
    metagraph: Metagraph, positions: tuple[Position, ...], history: tuple[str, ...]
) -> dict[str, int]:
    """How often an order came to each task, by its history and where it is."""
    done = Counter(history)
    here = Counter(position.node for position in positions)
    counted = {task.id: done[task.label] + here[task.id] for task in metagraph.tasks()}
    return {node: n for node, n in counted.items() if n}


def _open_row(open_order: OpenOrder, line: TimeLine) -> dict[str, Any]:
    return {
        **order_row(open_order.order, line),
        "history": list(open_order.history),
        "positions": [_position_row(position, line) for position in open_order.positions],
        "visits": plain(open_order.visits),
        **({"merged": plain(open_order.merged)} if open_order.merged else {}),
    }


def _position_row(position: Position, line: TimeLine) -> dict[str, Any]:
    row: dict[str, Any] = {"node": position.node}
    for name in MOMENTS:
        at: float | None = getattr(position, f"{name}_s")
        if at is not None:
            row[name + line.suffix] = line.shown(at)
    if position.worked_s is not None:
        row["worked_s"] = position.worked_s
    others = {name: getattr(position, name) for name in ("agent", "queue", "after", "preemptions")}
    return row | {name: value for name, value in others.items() if value}

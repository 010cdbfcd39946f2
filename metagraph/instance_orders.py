"""Orders of an instance: dates and profits in the paper's names or in ours, and work that is in progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from metagraph.faults import listed, shown
from metagraph.instance_tasks import Network
from metagraph.orders import Order, ProfitShape
from metagraph.orders_file import order_of
from metagraph.precedence import progress
from metagraph.records import Record
from metagraph.state import OpenOrder, Position, State
from metagraph.timelines import FORMS, TimeLine

NAMES_OF_DATES = {"T_r": "release_h", "T_e": "early_h", "T_d": "due_h", "T_ls": "lost_h"}
"""The paper's names of dates, hours since the origin, and ours."""
NAMES_OF_PROFITS = {"p_e": "early", "p_d": "due", "p_l": "late", "p_f": "final", "p_ls": "lost"}
"""The paper's names of profits, money, and those of the shares of the value."""
_PROGRESS = ("done", "in_progress", "waiting")


@dataclass(frozen=True, slots=True)
class Book:
    """The orders of an instance."""

    orders: tuple[Order, ...]
    state: State | None
    profit: ProfitShape | None
    """The curve of orders that have none of their own."""


def read_book(whole: Record, line: TimeLine, network: Network) -> Book:
    """The orders and their progress; faults go to the record.

    With `at`, orders that were released before it, and those on which work was done, are open.
    """
    at_s = whole.time("at", line)
    rule = dict[str, Any]()
    for inner in whole.inner("profit_rule"):
        rule = dict(inner.raw)
        for name in (*NAMES_OF_DATES, *NAMES_OF_PROFITS):
            inner.take(name)
        inner.close()
    waiting: list[Order] = []
    opened: list[OpenOrder] = []
    for row in whole.items("orders", needed=True):
        parts = {name: row.raw.get(name) for name in _PROGRESS}
        order = _order(row, line, rule)
        if any(part is not None for part in parts.values()) or (at_s is not None and order.release_s < at_s):
            opened.append(_open_order(row, order, line, network, at_s))
        else:
            waiting.append(order)
    if not waiting and not opened:
        whole.fault("orders", "none; an instance needs one at least")
    profit, given = _curves([*waiting, *(o.order for o in opened)], rule, whole)
    orders = tuple(given.get(order.id, order) for order in waiting)
    opened = [replace(o, order=given.get(o.order.id, o.order)) for o in opened]
    state = None if at_s is None else State(at_s, tuple(opened))
    return Book(orders, state, profit)


def _order(record: Record, line: TimeLine, rule: Mapping[str, Any]) -> Order:
    """One order; what it doesn't say of dates and profits comes from the rule."""
    raw = {name: value for name, value in record.raw.items() if name not in _PROGRESS}
    for name, ours in NAMES_OF_DATES.items():
        told = raw.pop(name, None)
        if told is not None and ours in raw:
            record.fault(name, f"given beside {ours}; one of them is enough")
        base = ours.removesuffix("_h")
        if told is None and not any(base + suffix in raw for suffix in FORMS):
            told = rule.get(name) if record.as_number(rule.get(name)) is not None else None
        if told is not None:
            raw[ours] = told
    profits = {name: raw.pop(name) for name in NAMES_OF_PROFITS if raw.get(name) is not None}
    plain = Record(raw, record.where, record.faults)
    order = order_of(plain, line)
    return _with_profits(Record(profits, record.where, record.faults), order, rule) if profits else order


def _with_profits(record: Record, order: Order, rule: Mapping[str, Any]) -> Order:
    """The order with its five profits as shares of its value; the value is the profit at the due date, unless
    the order says something else."""
    found: dict[str, float] = {}
    for name in NAMES_OF_PROFITS:
        number = record.number(name)
        share = record.as_number(rule.get(name))
        if number is None and share is not None and "p_d" in record.raw:
            number = share * (record.number("p_d") or 0.0)
        if number is None and not record.has(name):
            record.fault(
                name, f"missing; an order with one of {listed([*NAMES_OF_PROFITS])} needs all of them"
            )
        found[name] = number or 0.0
    if order.profit is not None or order.profit_points:
        record.fault(
            "profit" if order.profit else "profit_points",
            "given beside p_e, p_d, p_l, p_f, p_ls; one way is enough",
        )
    value = order.value
    if value is None:
        value = found["p_d"] or max(found.values(), key=abs)
    if value == 0 and any(found.values()):
        record.fault(
            "value", "0, but the profits aren't; leave it out, and the profit at the due date counts"
        )
    shares = {ours: found[name] / value if value else 0.0 for name, ours in NAMES_OF_PROFITS.items()}
    return replace(order, value=value, profit=ProfitShape(**shares))


def _curves(
    orders: Sequence[Order], rule: Mapping[str, Any], whole: Record
) -> tuple[ProfitShape | None, dict[str, Order]]:
    """The curve that holds for orders without one, and by id the orders that change by it."""
    shares = {ours: whole.as_number(rule.get(name)) for name, ours in NAMES_OF_PROFITS.items()}
    bare = any(
        order.profit is None and order.value is not None and not order.profit_points for order in orders
    )
    if all(share is not None for share in shares.values()):
        common = ProfitShape(**{name: share or 0.0 for name, share in shares.items()})
    elif bare and rule:
        for name, ours in NAMES_OF_PROFITS.items():
            if shares[ours] is None:
                what = f"{shown(rule[name])} is a remark" if name in rule else "missing"
                whole.fault(
                    f"profit_rule, {name}",
                    f"{what}; expected a number, the share of an order's value, as some orders have no p_d",
                )
        return None, {}
    else:
        counted = Counter(order.profit for order in orders if order.profit is not None)
        if bare or not counted:
            return None, {}
        common = counted.most_common(1)[0][0]
    return common, {order.id: replace(order, profit=None) for order in orders if order.profit == common}


def _open_order(
    record: Record, order: Order, line: TimeLine, network: Network, at_s: float | None
) -> OpenOrder:
    """An order on its way: its tokens are where its tasks that are done have led them."""
    if at_s is None:
        record.fault("", f"work on it is told, but not when that was; say so in `at{line.suffix}`")
        at_s = 0.0
    done = record.names("done")
    ordered = not any(fault.where.startswith("tasks") for fault in record.faults)
    labels = {task.id: task.label for task in network.tasks}
    for task in done:
        if task not in labels:
            record.fault("done", f"{shown(task)} is no task; there are {listed([*labels])}")
    found = progress(network.shape, done)
    for task in found.early if ordered else ():
        if task in labels:
            missing = [pred for pred in network.preds[task] if pred not in done]
            record.fault("done", f"{shown(task)} can't be done before {listed(missing)}")
    if labels and not found.open and not record.faults:
        record.fault("done", "nothing is left to do; leave out an order that isn't open")
    told = _told(record, found.open, done if ordered else None)
    for row in record.items("in_progress"):
        if not row.has("started" + line.suffix):
            record.fault(f"in_progress, {row.raw.get('task')}", f"no started{line.suffix}; it is needed")
    positions = tuple(
        _position(task, told.get(task), order, line, network, done, at_s) for task in found.open
    )
    for row in told.values():
        row.close()
    history = tuple(labels[task] for task in done if task in labels)
    visits = dict.fromkeys((*done, *found.open), 1)
    return OpenOrder(order, positions, history, visits, found.merged)


def _told(record: Record, open_: Sequence[str], done: Sequence[str] | None) -> dict[str, Record]:
    """What an order says of tasks that are open. `done`: None if nobody knows what can be, as the tasks
    themselves are wrong."""
    rows = [(row.text("task"), row) for name in _PROGRESS[1:] for row in record.items(name)]
    for name, n in Counter(name for name, _ in rows).items():
        if name and name not in open_ and done is not None:
            record.fault(
                "", f"{shown(name)} is {'done' if name in done else 'not to be done yet'}; mend `done`"
            )
        elif n > 1:
            record.fault("", f"{shown(name)} is in progress or waits {n} times; once is enough")
    return {name: row for name, row in rows if name in open_}


def _position(
    task: str,
    told: Record | None,
    order: Order,
    line: TimeLine,
    network: Network,
    done: Sequence[str],
    at_s: float,
) -> Position:
    """Where nobody says since when a task waits, it is since the order's release, or since now.

    What needs nobody and isn't delayed has begun when it could.
    """
    before = [pred for pred in done if pred in network.preds[task]]
    tasks = {found.id: found for found in network.tasks}
    enabled_s = at_s if before else min(order.release_s, at_s)
    after = tasks[before[-1]].label if before else ""
    missing = order.material_s.get(task, at_s) > at_s
    at_once = not tasks[task].queues and tasks[task].delay is None and not missing
    if told is None:
        return Position(task, enabled_s, enabled_s if at_once else None, after=after)
    started_s, begun_s = told.time("started", line), told.time("begun", line)
    first = min((t for t in (started_s, begun_s) if t is not None), default=enabled_s)
    told_s = told.time("enabled", line)
    enabled_s = min(enabled_s, first) if told_s is None else told_s
    worked_h = told.number("worked_h", None, 0.0)
    return Position(
        node=task,
        enabled_s=enabled_s,
        started_s=enabled_s if at_once and started_s is None else started_s,
        agent=told.text("agent", "") or None,
        after=after,
        ready_s=told.time("ready", line),
        queue=told.text("queue", "") or None,
        begun_s=begun_s,
        worked_s=None if worked_h is None else 3600.0 * worked_h,
        preemptions=told.whole("preemptions", 0, 0),
        eta_s=told.time("eta", line),
    )

"""What an open order is, is worth and promises: from its columns, else as the analyst said of its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from metagraph.distributions import Constant, Fitted
from metagraph.model import Metagraph
from metagraph.orders import GroupRule, Order, OrderClass


def order_of(
    metagraph: Metagraph, name: str, attributes: Mapping[str, str], release_s: float, origin: datetime
) -> Order:
    """A case with class, segment, value and dates as the twin's order model names their columns and rules.

    What no column holds is what was promised to all orders of its class and segment.
    """
    model = metagraph.orders
    columns = model.columns
    order = Order(
        id=name,
        release_s=release_s,
        cls=attributes.get(columns.get("class", ""), "") or _ruled(model.class_rules, attributes),
        segment=attributes.get(columns.get("segment", ""), "") or _ruled(model.segment_rules, attributes),
        value=_number(attributes.get(columns.get("value", ""))),
        due_s=_instant(attributes.get(columns.get("due", "")), origin),
        lost_s=_instant(attributes.get(columns.get("lost", "")), origin),
        attributes=attributes,
    )
    for kind in model.classes:
        if (kind.cls, kind.segment) == (order.cls, order.segment):
            return _promised(metagraph, order, kind, origin)
    return order


def _promised(metagraph: Metagraph, order: Order, kind: OrderClass, origin: datetime) -> Order:
    columns, release_s = metagraph.orders.columns, order.release_s
    if "value" not in columns:
        order = replace(order, value=_said(kind.value))
    if "due" not in columns and kind.due_working_days is not None:
        order = replace(order, due_s=_end(metagraph, release_s, kind.due_working_days, origin))
    elif "due" not in columns and (after := _said(kind.due_after)) is not None:
        order = replace(order, due_s=release_s + after)
    if "lost" not in columns and (after := _said(kind.patience)) is not None:
        order = replace(order, lost_s=release_s + after)
    return order


def _said(law: Fitted | None) -> float | None:
    """What was set by hand for all; a fitted law says nothing of one order."""
    if law is None or law.level != "human" or not isinstance(law.law, Constant):
        return None
    return law.law.value


def _end(metagraph: Metagraph, release_s: float, n: int, origin: datetime) -> float:
    """The end of the n-th working day after the release, as new orders have it."""
    from simulation.arrivals import nth_working_day
    from simulation.past_orders import end_of_day

    zone = ZoneInfo(metagraph.arrivals.time_zone if metagraph.arrivals else "UTC")
    day: date = (origin + timedelta(seconds=release_s)).astimezone(zone).date()
    return end_of_day(nth_working_day(day, n).toordinal(), 86400.0, zone, origin)


def _ruled(rules: Sequence[GroupRule], attributes: Mapping[str, str]) -> str:
    """The first rule all of whose values the order has."""
    for rule in rules:
        if all(attributes.get(column) == value for column, value in rule.when.items()):
            return rule.result
    return ""


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _instant(text: str | None, origin: datetime) -> float | None:
    if not text:
        return None
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (stamp.replace(tzinfo=stamp.tzinfo or origin.tzinfo) - origin).total_seconds()

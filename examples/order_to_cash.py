"""The bundled example: a known order-to-cash process, and the log it leaves when our own engine runs it.

`python -m examples.order_to_cash` writes order_to_cash.csv and order_to_cash.twin.json beside this file.
The process is the one of Perez, Wassick and Grossmann (2023), Figure 13, with a credit hold and a correction
loop added. Everything in it is invented; because it is known, what Tracetwin finds in the log can be checked.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from metagraph.agents import Agent, Queue
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel, Sequence, skeleton
from metagraph.calendars import Calendar
from metagraph.distributions import Distribution, Fitted, Parametric
from metagraph.json_io import to_json
from metagraph.model import Metagraph
from metagraph.nodes import DelayTable, DurationRow, DurationTable, End, Start, Task
from metagraph.orders import Arrivals, OrderClass, OrderModel, ProfitShape
from metagraph.routing import Level, Routing, RoutingRow

FOLDER = Path(__file__).parent
SEED = 20260803
START = datetime(2026, 8, 3, 7, 30, tzinfo=UTC)
CUT = datetime(2026, 10, 14, 11, 0, tzinfo=UTC)
"""The log was 'recorded' up to here: a Wednesday at 11:00, with work in full swing."""

HOUR = 3600.0
DAY = 86400.0
SHARES = {"key account": 0.35, "standard": 0.65}
HOLD = {"key account": 0.06, "standard": 0.23}
"""Probability that the credit check puts an order on hold: 17 % over both segments."""
REWORK = {1: 0.12, 2: 0.05}
"""Probability that the n-th credit check sends an order back to be corrected (2: the second and later)."""


def lognormal(minutes: float, spread: float) -> Distribution:
    """Lognormal with this mean; `spread` is the standard deviation of the logarithm."""
    return Parametric("lognorm", (spread, 0.0, minutes * 60 * math.exp(-(spread**2) / 2)))


def gamma(minutes: float, shape: float) -> Distribution:
    """Gamma with this mean."""
    return Parametric("gamma", (shape, 0.0, minutes * 60 / shape))


def weibull(minutes: float, shape: float) -> Distribution:
    """Weibull with this mean."""
    return Parametric("weibull_min", (shape, 0.0, minutes * 60 / math.gamma(1 + 1 / shape)))


WORK: Mapping[str, Distribution | Mapping[str, Distribution]] = {
    "Create Order": {"key account": lognormal(46, 0.45), "standard": lognormal(30, 0.45)},
    "Credit Check": gamma(28, 3.0),
    "Correct Order": weibull(35, 1.8),
    "Clear Credit Hold": lognormal(95, 0.6),
    "Reserve Inventory": gamma(48, 2.5),
    "Schedule Shipment": lognormal(34, 0.4),
    "Check-in Shipment": weibull(26, 2.2),
    "Load Goods": {"key account": gamma(75, 5.0), "standard": gamma(50, 5.0)},
    "Create Invoice": lognormal(27, 0.5),
    "Goods Issue": weibull(18, 1.5),
}
"""Working time: one law, or one a segment."""

DELAY: Mapping[str, Distribution] = {
    "Clear Credit Hold": lognormal(6 * 60, 0.7),
    "Check-in Shipment": gamma(14 * 60, 4.0),
}
"""What is waited for before anybody can work: the customer's payment, the carrier's truck."""

ROLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Customer service": (("Create Order", "Correct Order"), ("Anna Keller", "Tomás Novák")),
    "Credit": (("Credit Check", "Clear Credit Hold"), ("Priya Raman", "Jonas Lindqvist")),
    "Transport": (("Schedule Shipment", "Check-in Shipment"), ("Marta Kowalska", "Luc Moreau", "Zoë Martin")),
    "Warehouse": (
        ("Reserve Inventory", "Load Goods", "Goods Issue"),
        ("Omar Haddad", "Ilse Brandt", "Dinh Tran", "Sofia Rossi", "Pete Walsh"),
    ),
    "Billing": (("Create Invoice",), ("Grace Obi", "Henrik Dahl")),
}
"""Role -> its tasks and its people; each role takes from one queue."""


def week(days: range, *hours: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """The same hours on each of the days (0 = Monday), in seconds of the week."""
    return tuple((d * DAY + a * HOUR, d * DAY + b * HOUR) for d in days for a, b in hours)


WEEKDAYS = range(5)
SATURDAY = range(5, 6)
CALENDARS = (
    Calendar("office", (*week(WEEKDAYS, (8, 12), (13, 17)), *week(SATURDAY, (8, 12)))),
    Calendar("credit desk", week(WEEKDAYS, (9, 17))),
    Calendar("dispatch", week(WEEKDAYS, (7, 15))),
    Calendar("early shift", week(WEEKDAYS, (7, 15))),
    Calendar("late shift", week(WEEKDAYS, (10, 18))),
    Calendar("billing", week(WEEKDAYS, (9, 14))),
)
CALENDAR_OF_ROLE = {
    "Customer service": "office",
    "Credit": "credit desk",
    "Transport": "dispatch",
    "Warehouse": "early shift",
    "Billing": "billing",
}
LATE = ("Sofia Rossi", "Pete Walsh")


def structure() -> Block:
    """The process: one loop, one choice, two pairs of parallel tasks."""
    create, check, correct, clear, reserve, book, arrive, load, invoice, issue = (
        Leaf(label.lower().replace(" ", "_").replace("-", "_"), label)
        for label in (
            "Create Order",
            "Credit Check",
            "Correct Order",
            "Clear Credit Hold",
            "Reserve Inventory",
            "Schedule Shipment",
            "Check-in Shipment",
            "Load Goods",
            "Create Invoice",
            "Goods Issue",
        )
    )
    return Sequence(
        (
            create,
            Loop("checked", "approved", check, (correct,)),
            Choice("hold", "released", (Empty(), clear)),
            Parallel("plan", "planned", (reserve, book)),
            arrive,
            load,
            Parallel("close", "closed", (invoice, issue)),
        )
    )


def by_hand(law: Distribution) -> Fitted:
    return Fitted(law, n=0, level="human")


def durations(label: str) -> DurationTable:
    """The law of all orders, or one a segment; the most frequent segment's stands for unknown ones."""
    work = WORK[label]
    if not isinstance(work, Mapping):
        return DurationTable((DurationRow(by_hand(work)),))
    segments = tuple(DurationRow(by_hand(law), segment=segment) for segment, law in work.items())
    return DurationTable((*segments, DurationRow(by_hand(work["standard"]))))


def task(node: str, label: str) -> Task:
    role = next(role for role, (tasks, _) in ROLES.items() if label in tasks)
    delay = DelayTable(by_hand(DELAY[label]), {}) if label in DELAY else None
    return Task(node, label, durations(label), (role,), delay)


def routing() -> tuple[Routing, Routing]:
    """The credit hold depends on the segment, the correction loop on how often the order was checked."""
    flows: dict[str, list[str]] = {}
    for flow in skeleton(structure()).flows:
        flows.setdefault(flow.source, []).append(flow.id)
    hold = [RoutingRow(0, (segment,), (1 - p, p), 0) for segment, p in HOLD.items()]
    held = sum(SHARES[segment] * p for segment, p in HOLD.items())
    checks = 1 + REWORK[1] / (1 - REWORK[2])
    redo = 1 - 1 / checks
    rework = [
        RoutingRow(0, (str(visit),), (REWORK[min(visit, 2)], 1 - REWORK[min(visit, 2)]), 0)
        for visit in range(1, 6)
    ]
    return (
        Routing(
            "approved",
            tuple(flows["approved"]),
            (Level(visit=True), Level()),
            (*rework, RoutingRow(1, (), (redo, 1 - redo), 0)),
        ),
        Routing(
            "hold",
            tuple(flows["hold"]),
            (Level(segment=True), Level()),
            (*hold, RoutingRow(1, (), (1 - held, held), 0)),
        ),
    )


def arrivals() -> Arrivals:
    """80 orders a week: Monday to Friday from 7:00 to 19:00, mostly in the morning, and Saturday mornings."""
    by_hour = (0.6, 1.2, 2.0, 2.2, 1.8, 0.9, 1.3, 1.6, 1.4, 1.1, 0.7, 0.4)
    weekday = dict(enumerate(by_hour, 7))
    saturday = dict.fromkeys(range(7, 12), 1.2)
    weight = (1.25, 1.0, 1.0, 1.0, 0.85, 1.0, 0.0)
    rates = [weight[d] * (saturday if d == 5 else weekday).get(h, 0.0) for d in range(7) for h in range(24)]
    return Arrivals(tuple(80 * rate / sum(rates) for rate in rates), dispersion=0.04)


def orders() -> OrderModel:
    """Key accounts are promised 2 working days, the others 3; nobody waits longer than about six weeks."""
    patience = by_hand(Parametric("uniform", (35 * DAY, 14 * DAY)))
    value = {
        "key account": Parametric("lognorm", (0.5, 0.0, 21000.0)),
        "standard": Parametric("lognorm", (0.7, 0.0, 3600.0)),
    }
    promise = {"key account": 2, "standard": 3}
    classes = tuple(
        OrderClass("", segment, share, 0, by_hand(value[segment]), None, promise[segment], patience)
        for segment, share in SHARES.items()
    )
    return OrderModel(
        classes,
        ProfitShape(early=1.0, due=1.0, late=0.9, final=0.45, lost=0.0),
        {"segment": "segment", "value": "value", "due": "due_date"},
    )


def known_twin() -> Metagraph:
    """The process that the bundled log comes from."""
    shape = skeleton(structure())
    people = tuple(
        Agent(person, "late shift" if person in LATE else CALENDAR_OF_ROLE[role], role)
        for role, (_, persons) in ROLES.items()
        for person in persons
    )
    return Metagraph(
        name="order_to_cash",
        nodes=(Start("start"), *(task(*t) for t in shape.tasks), *shape.gateways, End("end")),
        flows=shape.flows,
        routing=routing(),
        agents=people,
        queues=tuple(Queue(role, persons) for role, (_, persons) in ROLES.items()),
        calendars=CALENDARS,
        arrivals=arrivals(),
        orders=orders(),
    )


COLUMNS = ("case_id", "activity", "resource", "start_time", "end_time", "segment", "value", "due_date")


def log_text(twin: Metagraph, start: datetime = START, cut: datetime = CUT, seed: int = SEED) -> str:
    """The log that the process leaves from an empty start until the cut, as CSV; whole seconds, UTC.

    What is being worked on at the cut has no end_time, and nothing after the cut is known.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(twin, start, cut, seed))
    return text.getvalue()


def _rows(twin: Metagraph, start: datetime, cut: datetime, seed: int) -> Iterator[tuple[str, ...]]:
    from simulation.arrivals import generate_orders, monday
    from simulation.lowering import lower
    from simulation.reference import run

    origin = monday(start)
    until_s = (cut - origin).total_seconds()
    arrived = generate_orders(twin, start, origin=origin, seed=seed, replication=0, until_s=until_s)
    numbered = {f"SO-{10000 + n}": order for n, order in enumerate(arrived, 1)}
    orders = [replace(order, id=name) for name, order in numbered.items()]
    for name, activity, resource, begin, end in run(
        lower(twin, orders, origin=origin), seed, 0, until_s
    ).rows():
        order = numbered[name]
        due = "" if order.due_s is None else _stamp(origin + timedelta(seconds=order.due_s))
        yield (
            name,
            activity,
            resource,
            _stamp(begin),
            "" if end is None else _stamp(end),
            order.segment,
            f"{order.value or 0.0:.2f}",
            due,
        )


def _stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def main() -> None:
    """Write the twin and its log beside this file."""
    twin = known_twin()
    (FOLDER / "order_to_cash.twin.json").write_text(to_json(twin), encoding="utf-8")
    (FOLDER / "order_to_cash.csv").write_text(log_text(twin), encoding="utf-8")


if __name__ == "__main__":
    main()
